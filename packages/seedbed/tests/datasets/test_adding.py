"""What `seedbed dataset add` writes: files that compose, and by which the table is read again."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from seedbed.config.composition import compose_conf
from seedbed.config.params import check_params
from seedbed.config.schema import Params
from seedbed.data.ingesting import assemble_rows
from seedbed.data.sources import read_source
from seedbed.datasets.adding import Added, add_dataset
from seedbed.errors import UserError

from support import REPOSITORY

sys.path.insert(0, str(Path(__file__).parents[1] / "data_sets"))
from tables import TABLES

ODD_NAMES = [
    *("yes", "null", "1", "1e3", "${x}", "a.b", "a,b", "a=b", 'say "x"', "it's", "price [EUR]"),
    *("Größe", "*", "a: b", "# no", "[x]", "{x}", " ", "prediction", "x" * 300, "back\\slash"),
]
AREA = [row * 7 % 27 / 2 for row in range(27)]
RENT = [row * 5 % 27 / 4 + row % 3 for row in range(27)]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the conf/ of this one."""
    root = tmp_path / "project"
    (root / ".dvc").mkdir(parents=True)
    shutil.copytree(REPOSITORY / "conf", root / "conf")
    shutil.copy(REPOSITORY / "pyproject.toml", root)
    monkeypatch.chdir(root)
    return root


def write(path: Path, **columns: object) -> str:
    pd.DataFrame(columns).to_csv(path, index=False)
    return str(path)


def params_of(root: Path, name: str) -> Params:
    values = compose_conf(root, [f"dataset={name}"]).values
    check_params(values, root)
    return Params.model_validate(values)


def rows_of(params: Params) -> pd.DataFrame:
    """Return what stage ingest makes of the table."""
    return assemble_rows(
        lambda name, types: read_source(params.source, params.dataset, name, types),
        params.dataset,
        params.columns,
    )


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_described_such_that_it_is_read_again(root: Path, name: str) -> None:
    table = TABLES[name]
    table.write(root.parent / table.file)
    added = add_dataset(root, str(root.parent / table.file), table.target, name=name)
    params = params_of(root, name)
    assert (params.problem.task, params.split.kind) == (table.task, table.split)
    rows = rows_of(params)
    found = added.description
    assert len(rows) == found.rows
    used = {column for column in found.guesses if found.role(column)}
    assert used == set(rows.columns)
    for column in rows:
        assert rows[column].isna().mean() == pytest.approx(found.guesses[column].missing), column


def test_what_tells_the_target_is_no_feature(root: Path) -> None:
    TABLES["churn"].write(root.parent / "churn.csv")
    add_dataset(root, str(root.parent / "churn.csv"), "churn")
    columns = params_of(root, "churn").columns
    assert columns.known_after_outcome == ["cancelled_on", "refund"]
    assert columns.key == ["customer_id"]
    text = (root / "conf/dataset/churn.yaml").read_text()
    assert "ROC AUC 1.000" in text
    assert "# left out: country (constant): always 'Atlantis'" in text


def test_what_only_grows_with_time_is_no_feature(root: Path) -> None:
    TABLES["weather_hours"].write(root.parent / "weather.csv.gz")
    add_dataset(root, str(root.parent / "weather.csv.gz"), "temp")
    params = params_of(root, "weather")
    assert params.features.time_parts == ["day_of_week", "hour"]
    assert "month" not in params.columns.number
    assert (
        "month (number): it grows with time_hour" in Path("conf/dataset/weather.yaml").read_text()
    )


def odd_table(folder: Path, name: str) -> Added:
    rows = range(60)
    values = {name: [row * 0.7 % 13 for row in rows], "other": [row % 11 + 0.5 for row in rows]}
    path = write(folder / "odd.csv", **values, answer=[row % 3 * 1.5 for row in rows])  # type: ignore[arg-type]
    return add_dataset(folder / "project", path, "answer")


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name_of_a_column_survives_yaml_and_hydra(root: Path, name: str) -> None:
    odd_table(root.parent, name)
    params = params_of(root, "odd")
    assert params.columns.number == [name, "other"]
    assert list(rows_of(params)) == [name, "other", "answer"]


@pytest.mark.parametrize("name", ["_split", "!x"])
def test_a_name_that_cannot_be_listed_is_left_out_with_a_word(root: Path, name: str) -> None:
    odd_table(root.parent, name)
    assert params_of(root, "odd").columns.number == ["other"]
    assert "give it another with source.options.names" in Path("conf/dataset/odd.yaml").read_text()


def test_a_wide_table_is_as_short_as_its_lists(root: Path) -> None:
    random = np.random.default_rng(0)
    values = {f"x{place}": random.normal(size=80) for place in range(300)}
    path = write(root.parent / "wide.csv", **values, y=random.normal(size=80))
    add_dataset(root, path, "y")
    lines = (root / "conf/dataset/wide.yaml").read_text().splitlines()
    assert len(lines) < 80
    assert max(map(len, lines)) <= 120
    assert len(rows_of(params_of(root, "wide")).columns) == 301


def test_nothing_is_overwritten_without_force(root: Path) -> None:
    path = write(root.parent / "Rents 2024.csv", area=AREA, rent=RENT)
    added = add_dataset(root, path, "rent")
    assert added.files == [
        *("conf/dataset/rents_2024.yaml", "conf/expectations/rents_2024.yaml"),
        "data/source/rents_2024.csv",
    ]
    mine = Path("conf/dataset/rents_2024.yaml")
    mine.write_text("mine")
    with pytest.raises(UserError, match="rents_2024.yaml exists, and nothing was written"):
        add_dataset(root, path, "rent")
    assert mine.read_text() == "mine"
    add_dataset(root, path, "rent", force=True)
    assert mine.read_text() != "mine"
    mine.unlink()
    Path("conf/expectations/rents_2024.yaml").unlink()
    write(root.parent / "Rents 2024.csv", area=AREA[::-1], rent=RENT)
    with pytest.raises(UserError, match="data/source/rents_2024.csv exists, and is another file"):
        add_dataset(root, path, "rent")
    assert not mine.exists()


def test_a_table_without_a_feature_says_why_of_each_column(root: Path) -> None:
    path = write(root.parent / "rents.csv", copy=[2 * rent for rent in RENT], same=1, rent=RENT)
    with pytest.raises(UserError, match=r"beside the target rent: copy \(.*\), same \(always"):
        add_dataset(root, path, "rent")
    assert not Path("conf/dataset/rents.yaml").exists()


def test_use_changes_one_line_of_the_choices(root: Path) -> None:
    before = Path("conf/config.yaml").read_text()
    path = write(root.parent / "rents.csv", area=AREA, rent=RENT)
    add_dataset(root, path, "rent", use=True)
    after = Path("conf/config.yaml").read_text()
    assert after == before.replace("- dataset: flights", "- dataset: rents")
    assert "name: rents" in Path("params.yaml").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "rents"}, r"--target rents: there is no such column \(did you mean rent\?\)"),
        ({"target": "rent", "time": "day"}, "--time day: there is no such column"),
        ({"target": "rent", "positive": "yes"}, "only a target of two classes has a positive one"),
        ({"target": "same"}, "the value is '1' in all 27 rows"),
    ],
)
def test_a_wrong_option_is_one_sentence_and_writes_nothing(
    root: Path, options: dict[str, str], message: str
) -> None:
    path = write(root.parent / "rents.csv", area=AREA, rent=RENT, same=1)
    with pytest.raises(UserError, match=message):
        add_dataset(root, path, **options)  # type: ignore[arg-type]
    assert not Path("conf/dataset/rents.yaml").exists()
    assert not Path("data").exists()
