"""`make story` on a few thousand flights: what it leaves, what it leaves alone, and what stops it."""

import signal
import sys
from pathlib import Path

import pandas as pd
import psutil
import pytest

import warm
from seedbed.files import read_json

from support import LONG, REPOSITORY, Project, started, state, wait_for

STORY = REPOSITORY / "examples/story"
PLAY = ("examples/story/play.py", "--until", "2013-05")
MONTHS = ["2013-04", "2013-05"]
NEVER, CALENDAR, WATCHED = "never retrain", "retrain every month", "retrain when monitor says so"
PATIENCE = 600
"""Seconds that a story may take on a busy machine."""


def whole_state(project: Project) -> list[str]:
    return [*state(project), project.git("for-each-ref")]


def left_over(project: Project) -> list[Path]:
    return [*project.root.glob(".dvc/tmp/story-*"), *project.root.glob("reports/.story*")]


def at_work(below: Path) -> list[psutil.Process]:
    """Return the processes whose working directory is below a folder."""
    processes = psutil.process_iter(["cwd"])
    return [each for each in processes if Path(each.info["cwd"] or "/").is_relative_to(below)]


@pytest.mark.slow
def test_two_months_are_played_and_a_second_play_gives_the_same_bytes_until_it_is_stopped(
    project: Project, tmp_path: Path
) -> None:
    """The bytes of April are compared with LONG=1; else the second play is stopped as it begins."""
    before = whole_state(project)
    printed = project.run("python", *PLAY, limit=PATIENCE).stdout
    assert whole_state(project) == before
    assert left_over(project) == at_work(project.root / ".dvc/tmp") == []
    folder = project.root / "reports/story"
    the_files_tell_the_same(folder)
    assert all(f"\n{month}: roc_auc 0." in printed for month in MONTHS)
    kept = sorted(folder.iterdir())

    def new_pages() -> list[Path]:
        return list(project.root.glob("reports/.story.*.tmp/2013-04.json"))

    command, log = [project.root / ".venv/bin/python", *PLAY], tmp_path / "story.log"
    with started(command, log, project.root, **warm.warm()) as process:
        if LONG:
            wait_for(new_pages, "there is no page of April", PATIENCE)
            for page in (new_pages()[0], new_pages()[0].with_suffix(".html")):
                assert page.read_bytes() == (folder / page.name).read_bytes()
        else:
            wait_for(lambda: at_work(project.root / ".dvc/tmp"), "nothing is begun", PATIENCE)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 1
    assert log.read_text().splitlines()[-1] == "story: stopped; nothing of it is left."
    assert left_over(project) == at_work(project.root / ".dvc/tmp") == []
    assert sorted(folder.iterdir()) == kept
    assert whole_state(project) == before


def the_files_tell_the_same(folder: Path) -> None:
    """The table, the pages, the report of the retraining and the text agree."""
    table = pd.read_csv(folder / "story.csv", keep_default_na=False).set_index(["month", "policy"])
    turns = [(month, policy) for month in MONTHS for policy in (NEVER, CALENDAR, WATCHED)]
    assert list(table.index) == turns
    assert table["value"].between(0.4, 1).all()
    assert (table["low"] < table["high"]).all()
    # In April all have the same model: a server answers as the bundle does in this process.
    april = table.loc["2013-04"]
    assert len(april.drop(columns="retraining").drop_duplicates()) == 1
    page = read_json(folder / "2013-04.json")
    assert april["rows"].iloc[0] == page["rows"] > 200
    assert april["decision"].iloc[0] == page["state"] == "drift"
    promoted = april.loc[WATCHED, "retraining"] == "promoted"
    report = (folder / "2013-04-retrained.md").read_text("utf-8")
    assert "Window: [2013-01-01, 2013-05-01); before: [2013-01-01, 2013-04-01)." in report
    assert f": {'accepted' if promoted else 'refused'}\n" in report
    assert dict(april["retraining"]) == {
        NEVER: "",
        CALENDAR: "promoted",
        WATCHED: "promoted" if promoted else "refused",
    }
    assert dict(table.loc["2013-05", "trained_until"]) == {
        NEVER: "2013-04-01",
        CALENDAR: "2013-05-01",
        WATCHED: "2013-05-01" if promoted else "2013-04-01",
    }
    text = (folder / "README.md").read_text("utf-8")
    verdict = report.split("\n\n")[1]
    assert verdict in text and page["reasons"][0] in text
    assert (folder / "story.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_a_server_is_stopped_whatever_happens(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(STORY)
    from repository import Repository
    from server import serving

    for name in ("repository", "server"):  # no names for other tests
        del sys.modules[name]
    repository = Repository(prepared, pd.Timestamp("2013-04-01"))
    processes = psutil.Process().children
    before = processes(recursive=True)
    with (
        pytest.raises(KeyboardInterrupt),
        serving(repository, tmp_path / "log", tmp_path / "server.log") as address,
    ):
        assert address.startswith("http://127.0.0.1:")
        assert len(processes(recursive=True)) > len(before)
        raise KeyboardInterrupt
    assert processes(recursive=True) == before


def test_uncommitted_changes_are_refused(project: Project) -> None:
    project.edit("conf/config.yaml", "seed: 0", "seed: 1")
    printed = project.refused("python", *PLAY)
    assert "uncommitted changes (conf/config.yaml)" in printed
    assert left_over(project) == []
