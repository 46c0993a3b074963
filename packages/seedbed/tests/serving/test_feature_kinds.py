"""Texts, dates, files and categories of many values: what is served is what was tested, to the last bit."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from seedbed.errors import UserError
from seedbed.files import read_json

from support import REPOSITORY, Served, slow_after

DATASET = """# @package _global_
# Repairs: dvc exp run -S dataset=repairs
defaults:
  - override /source: csv
  - override /split: random
  - override /gate: none
source: {path: data/source}
dataset: {name: repairs, tables: [{name: repairs}], window: {start: null, end: null}, sample: null}
problem: {question: Late?, task: binary, positive: "yes", metric: roc_auc}
columns:
  target: late
  key: [id]
  number: [price, hours]
  category: [shop, city]
  text: [note]
  date: [ordered, promised]
features:
  derived:
    - {name: days, kind: days_between, columns: [ordered, promised]}
    - {name: wages, kind: product, columns: [price, hours]}
    - {name: no_note, kind: is_missing, columns: [note]}
"""
TASKS = {
    "binary": [],
    "regression": [
        "problem.task=regression",
        "problem.metric=rmse",
        "problem.positive=null",
        "columns.target=cost",
    ],
    "multiclass": [
        "problem.task=multiclass",
        "problem.metric=log_loss",
        "problem.positive=null",
        "columns.target=grade",
    ],
}
QUICK = ["evaluation=quick", "evaluation.importance_rows=50", "+columns.types.grade=category"]
LINEAR, BOOSTING = "model=logistic_regression", "model.arguments.max_iter=10"


def repairs(rows: int = 400) -> pd.DataFrame:
    """A table in which the note, the date and the shop tell of the target; each is missing at times."""
    random = np.random.default_rng(0)
    shops = random.integers(0, 300, rows)
    words = random.choice(["bent", "broken", "scratched", "lost", "wet"], (rows, 3))
    ordered = pd.Timestamp("2023-01-01") + pd.to_timedelta(random.integers(0, 700 * 24, rows), "h")
    merit = (
        2.0 * (words == "lost").sum(axis=1) + np.cos(ordered.dayofweek / 7 * 2 * np.pi) + shops % 5
    ) + random.normal(size=rows)
    table = pd.DataFrame(
        {
            "id": np.arange(rows),
            "price": np.exp(random.normal(size=rows) * 2),
            "hours": random.integers(0, 9, rows),
            "shop": [f"shop {shop}" for shop in shops],
            "city": random.choice(["Bern", "Genève"], rows),
            "note": [" ".join(line) for line in words],
            "ordered": ordered.strftime("%Y-%m-%dT%H:%M:%S"),
            "promised": (ordered + pd.Timedelta(days=9)).strftime("%Y-%m-%d"),
            "late": np.where(merit > np.median(merit), "yes", "no"),
            "cost": np.exp(merit),
            "grade": np.array(["a", "b", "c"])[np.digitize(merit, [2.5, 4.0])],
        }
    )
    for place, name in enumerate(["price", "shop", "note", "ordered", "promised"]):
        table.loc[table.index % 23 == place, name] = None
    return table


@pytest.fixture
def package(new_root: Path, run_stages, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return a function that runs all stages on a table with overrides; it returns the repository."""

    def run(table: pd.DataFrame, *overrides: str, types: str = "types: {late: category}") -> Path:
        dataset = DATASET.replace("  key: [id]\n", f"  key: [id]\n  {types}\n")
        (new_root / "conf/dataset/repairs.yaml").write_text(dataset, encoding="utf-8")
        (new_root / "data/source").mkdir(parents=True, exist_ok=True)
        table.to_csv(new_root / "data/source/repairs.csv", index=False)
        run_stages(new_root, ["dataset=repairs", *QUICK, *overrides])
        monkeypatch.chdir(new_root)
        return new_root

    return run


@pytest.fixture
def with_files(new_root: Path) -> pd.DataFrame:
    """Repairs with a picture and a report each; some have none. What is late has a bright picture."""
    random = np.random.default_rng(1)
    table = repairs()
    (new_root / "data/source/files").mkdir(parents=True)
    shutil.copy(REPOSITORY / "dvc.yaml", new_root)
    for place, late in enumerate(table["late"] == "yes"):
        bright = random.integers(60, 160) + 60 * late
        image = Image.new("RGB", (30, 20), (int(bright), 40, 90))
        image.paste((0, 0, 0), (int(random.integers(0, 20)), 0, 30, 9))
        image.save(new_root / f"data/source/files/{place}.png")
        words = " ".join(random.choice(["part", "missing" if late else "ready", "paint"], 20))
        (new_root / f"data/source/files/{place}.txt").write_text(words, encoding="utf-8")
    places = table.index.astype(str)
    return table.assign(
        photo=("data/source/files/" + places + ".png").where(table.index % 29 != 0),
        report=("data/source/files/" + places + ".txt").where(table.index % 31 != 0),
    )


FILES = ["+columns.image=[photo]", "+columns.document=[report]"]


@pytest.mark.parametrize(
    "choices",
    slow_after(
        1, [[BOOSTING], ["features=image", LINEAR], ["features=wide", "model=random_forest"]]
    ),
    ids=str,
)
def test_pictures_and_reports_are_learned_from_and_served(
    choices: list[str],
    with_files: pd.DataFrame,
    package: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = package(with_files, *FILES, *choices)
    note = "photo names files in data/source/files, and `dvc repro` will not see when one changes"
    assert note in capsys.readouterr().out
    served = Served(root)
    assert served.disagreements() == []
    kinds = read_json(root / "models/model/decision.json")["features"]
    assert (kinds["photo"], kinds["report"]) == ("image", "text")
    details = read_json(root / "reports/evaluate/details.json")
    assert details["test"]["roc_auc"]["value"] > 0.9
    together, sent = served.bundle.predict(served.rows), as_sent(served.rows)
    for place in range(0, len(sent), 9):
        alone = served.bundle.predict(sent[place])
        pd.testing.assert_frame_equal(
            alone, together.iloc[[place]].reset_index(drop=True), rtol=1e-9
        )
    with pytest.raises(UserError, match=r"column photo: the file 'none\.png' cannot be op"):
        served.bundle.predict(sent[1] | {"photo": "none.png"})


def test_a_file_that_is_missing_stops_featurize(
    with_files: pd.DataFrame, package: Callable[..., Path], new_root: Path
) -> None:
    (new_root / "data/source/files/7.png").write_bytes(b"no image")
    with pytest.raises(UserError, match=r"column photo: .*/7\.png' is not an image that"):
        package(with_files, *FILES)


def as_sent(rows: pd.DataFrame) -> list[dict]:
    """Return rows as JSON holds them: dates are ISO texts, what is missing is null."""
    texts = rows.assign(
        **{
            name: rows[name].map(lambda moment: moment.isoformat(), na_action="ignore")
            for name in rows.select_dtypes("datetimetz")
        }
    ).astype(object)
    return texts.where(texts.notna(), None).to_dict("records")


@pytest.mark.parametrize(
    ("task", "choices"),
    slow_after(
        1,
        [
            ("binary", [BOOSTING]),
            ("binary", ["features=sparse_text", LINEAR]),
            ("binary", ["+features.text.weights=hashing", LINEAR]),
            ("binary", ["features=cyclic", LINEAR]),
            ("binary", ["features=robust", LINEAR]),
            ("binary", ["features=wide", "model=linear_svm"]),
            ("multiclass", ["features=target_encoded", BOOSTING]),
            ("regression", ["features=target_encoded", LINEAR, "+model.target_transform=log"]),
            ("regression", ["features=selected", BOOSTING, "+model.target_transform=quantile"]),
            ("regression", ["model=random_forest", "features=text"]),
            ("regression", ["model=mlp", "features=wide"]),
        ],
    ),
    ids=str,
)
def test_rows_are_answered_as_they_were_recorded_and_alone_as_among_others(
    task: str, choices: list[str], package: Callable[..., Path]
) -> None:
    root = package(repairs(), *TASKS[task], *choices)
    served = Served(root)
    assert len(served.rows) == len(served.recorded) > 50
    assert served.disagreements() == []
    together = served.bundle.predict(served.rows)
    sent = as_sent(served.rows)
    assert served.bundle.predict(sent).equals(together.reset_index(drop=True))
    exact = "boosting" if BOOSTING in choices else ""
    for place in range(0, len(sent), 9):
        alone, found = served.bundle.predict(sent[place]), together.iloc[[place]]
        if exact:
            assert alone.equals(found.reset_index(drop=True)), sent[place]
        else:  # a linear model adds up the columns of one row in another order
            pd.testing.assert_frame_equal(alone, found.reset_index(drop=True), rtol=1e-9)


def test_the_signature_and_the_card_list_texts_and_dates(package: Callable[..., Path]) -> None:
    bundle = Served(package(repairs(), BOOSTING)).bundle
    types = {column.name: column.type for column in bundle.signature.columns}
    assert types["note"] == "text"
    assert types["ordered"] == types["promised"] == "time"
    card = Path("models/bundle/MODEL_CARD.md").read_text(encoding="utf-8")
    assert "| note | text | yes |" in card and "| ordered | time | yes |" in card
    row = as_sent(repairs(1).drop(columns=["late", "cost", "grade"]))[0] | {"note": "lost"}
    assert len(bundle.predict(row)) == 1
    for name, value in {"note": 7, "ordered": "some day", "promised": 20240101}.items():
        with pytest.raises(UserError, match=rf"column {name}: .*Send "):
            bundle.predict(row | {name: value})


def test_text_and_dates_and_shops_are_learned_from(package: Callable[..., Path]) -> None:
    root = package(repairs(1500), "features=cyclic", "evaluation.importance_rows=300")
    details = read_json(root / "reports/evaluate/details.json")
    kinds = read_json(root / "models/model/decision.json")["features"]
    assert (kinds["note"], kinds["shop"], kinds["city"]) == ("text", "high_cardinality", "category")
    assert details["test"]["roc_auc"]["value"] > 0.75
    worth = {name: found["mean"] for name, found in details["importance"].items()}
    assert min(worth["note"], worth["shop"]) > 0.05 > worth["city"]


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_a_second_baseline_is_reported_where_asked_for(
    task: str, package: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    root = package(repairs(), *TASKS[task], BOOSTING, "+evaluation.second_baseline=skrub")
    assert capsys.readouterr().out.count("; skrub's pipeline has ") == 2
    card = (root / "models/bundle/MODEL_CARD.md").read_text(encoding="utf-8")
    for stage in ("train", "evaluate"):
        details = read_json(root / f"reports/{stage}/details.json")
        second = details["second_baseline"]
        measured = details["test" if stage == "evaluate" else "validation"]
        for name, figure in second["figures"].items():
            sign = np.sign(second["difference"][name]["value"])
            better = measured[name]["value"] - figure["value"]
            assert abs(second["difference"][name]["value"]) == pytest.approx(abs(better))
            assert sign in (np.sign(better), -np.sign(better))
        assert "second_baseline" not in str(read_json(root / f"reports/{stage}/metrics.json"))
    assert "| metric | skrub's pipeline | model better by |" in card


def changed(**columns: object) -> pd.DataFrame:
    return repairs().assign(**columns)


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(
            changed(note="the same", shop="one", city=["Bern", *[None] * 399], promised=["2024-01-01", *[None] * 399]),
            id="one text, one category, one value and one date, the others missing",
        ),
        pytest.param(
            changed(note=np.arange(400) % 50, shop=[f"{n}" for n in range(400)]),
            id="a text of numbers only and a category of 400 values",
        ),
        pytest.param(changed(note="?!"), id="a text without words"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "choices", slow_after(1, [[BOOSTING], ["features=wide", LINEAR]]), ids=["default", "wide"]
)
def test_odd_columns_work(
    table: pd.DataFrame, choices: list[str], package: Callable[..., Path]
) -> None:
    assert Served(package(table, *choices)).disagreements() == []


@pytest.mark.parametrize(
    ("table", "said"),
    [
        pytest.param(changed(note=None), r"note \(feature\) holds nothing but missing", id="no text"),
        pytest.param(changed(promised=None), r"promised \(feature\) holds nothing but", id="no date"),
        pytest.param(changed(promised="soon"), "column promised: .*'soon'", id="a date that is none"),
    ],
)  # fmt: skip
def test_columns_that_hold_nothing_to_learn_from_are_one_paragraph(
    table: pd.DataFrame, said: str, package: Callable[..., Path]
) -> None:
    with pytest.raises(UserError, match=said):
        package(table, BOOSTING)


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        (["features=sparse_text"], r"features\.text\.components: null .*HistGradientBoosting"),
        (["+model.target_transform=log"], r"model\.target_transform: 'log' has no meaning where"),
        (["+features.clip=[0.9,0.1]"], r"features\.clip is \[0\.9, 0\.1\]: quantile 0\.9 is not below"),
        (["+features.date_parts=[week]"], r"features\.date_parts\.0 is 'week'"),
        (["+columns.move.shop=date"], "column shop: .*'shop "),
    ],
)  # fmt: skip
def test_what_cannot_be_chosen_is_one_paragraph(
    choices: list[str], said: str, package: Callable[..., Path]
) -> None:
    with pytest.raises(UserError, match=said):
        package(repairs(), *choices)


def test_a_target_below_zero_has_no_logarithm(package: Callable[..., Path]) -> None:
    choices = [*TASKS["regression"], LINEAR, "+model.target_transform=log"]
    with pytest.raises(UserError, match="the target goes down to -.*Choose quantile or null"):
        package(repairs().assign(cost=lambda table: table["cost"] - 3), *choices)
