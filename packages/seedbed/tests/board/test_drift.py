"""The days of a prediction log beside the reference of the bundle."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from seedbed.board.drift import Day, LogDrift
from seedbed.cli.main import app
from seedbed.config.monitor import Monitor
from seedbed.data.tables import read_table
from seedbed.errors import UserError
from seedbed.monitoring.checking import State
from seedbed.serving import Bundle, load_bundle

Built = Callable[[str], Path]


@pytest.fixture(scope="module")
def model(built: Built) -> Bundle:
    return load_bundle(built("flights") / "models/bundle")


@pytest.fixture(scope="module")
def rows(built: Built) -> pd.DataFrame:
    """Of the months that the model was trained on."""
    return read_table(built("flights") / "data/raw").sort_values("time_hour").head(2000)


def keep(log: Path, day: str, model: Bundle, rows: pd.DataFrame, version: str = "") -> Path:
    """Add a file to a log, as a server does."""
    about = {
        "request_id": day,
        "request_row": range(len(rows)),
        "asked_at": datetime.fromisoformat(day).replace(tzinfo=UTC),
        "model_version": version or model.version,
    }
    answers = model.predict(rows).add_prefix("answer_").reset_index(drop=True)
    inputs = rows[[column.name for column in model.signature.columns]].reset_index(drop=True)
    table = pd.concat([pd.DataFrame(about), inputs, answers], axis=1)
    (log / day).mkdir(parents=True, exist_ok=True)
    file = log / day / f"{version or 'own'}.parquet"
    table.to_parquet(file, index=False)
    return file


@pytest.fixture
def log(model: Bundle, rows: pd.DataFrame, tmp_path: Path) -> Path:
    """Five days: as before, drifted, another bundle's, empty, damaged."""
    log = tmp_path / "log"
    keep(log, "2026-01-01", model, rows)
    keep(log, "2026-01-02", model, rows.assign(distance=rows["distance"] * 2))
    keep(log, "2026-01-03", model, rows.head(150), "other")
    (log / "2026-01-04").mkdir()
    file = keep(log, "2026-01-05", model, rows.head(150))
    file.write_bytes(file.read_bytes()[:-10])
    return log


def test_each_day_is_compared_with_the_reference(model: Bundle, log: Path) -> None:
    drift = LogDrift(model, log, Monitor(psi=0.5, unseen=0.5))
    *others, drifted, calm = drift.days()
    assert (drifted.day, calm.day) == (date(2026, 1, 2), date(2026, 1, 1))
    assert drifted.report is not None
    assert calm.report is not None
    assert (drifted.report.state, calm.report.state) == (State.DRIFT, State.CALM)
    worst = drift.worst_columns([drifted, calm])
    assert worst[0] == "distance"
    for report, level in ((drifted.report, 4), (calm.report, 0)):
        _, psi, *_ = drift.stability(report, worst)
        assert drift.level(psi) == level
    notes = {day.day.day: " ".join(day.notes) for day in others}
    assert [day.report for day in others] == [None, None, None]
    assert "150 rows were answered by the bundle other" in notes[3]
    assert notes[4] == "no requests"
    assert "1 files are damaged" in notes[5]


def test_only_a_day_that_has_changed_is_computed_again(
    model: Bundle, rows: pd.DataFrame, log: Path
) -> None:
    drift = LogDrift(model, log, Monitor())
    before = drift.days()
    keep(log, "2026-01-04", model, rows.head(150))

    def named(days: list[Day]) -> dict[date, int]:
        return {day.day: id(day) for day in days}

    after = drift.days()
    changed = {day for day, found in named(after).items() if named(before)[day] != found}
    assert changed == {date(2026, 1, 4)}


@pytest.mark.parametrize(("psi", "level"), [(-0.1, 0), (0.0, 0), (0.03, 1), (0.1, 4), (7.0, 4)])
def test_a_shade_tells_how_near_the_limit_is(
    model: Bundle, log: Path, psi: float, level: int
) -> None:
    assert LogDrift(model, log, Monitor(psi=0.1)).level(psi) == level


def test_another_folder_is_refused(model: Bundle, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--log .*: this is no prediction log"):
        LogDrift(model, tmp_path, Monitor())


def test_the_days_stand_on_the_page(
    built: Built, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(built("flights"))
    page, bundle = tmp_path / "page.html", built("flights") / "models/bundle"
    words = ["board", "--out", str(page), "--log", str(log), "--bundle", str(bundle)]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    html = page.read_text("utf-8")
    assert '<th scope="col" class="number">distance</th>' in html
    assert "<summary>drift</summary>" in html
    assert "distance: PSI" in html
    (log / "outcomes.parquet").write_bytes(b"PAR1")
    assert CliRunner().invoke(app, words, catch_exceptions=False).exit_code == 0
    drift = page.read_text("utf-8").partition('id="drift"')[2].partition("</section>")[0]
    assert '<p class="problem">' in drift, "the rest of the page is there"
