"""The test rows of real models as inputs of `seedbed score`, and what evaluate predicted of them."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine, create_engine
from typer.testing import CliRunner

from seedbed.cli.main import app
from seedbed.data.roles import row_key
from seedbed.data.tables import read_table
from seedbed.serving import Bundle, load_bundle, loading

from support import REPOSITORY


@dataclass(frozen=True)
class Case:
    """Raw test rows of a model, in another order than they were evaluated in.

    Attributes
    ----------
    bundle : Path
    rows : DataFrame, shape (n_rows, n_columns)
    expected : DataFrame, shape (n_rows, n_answers)
        What evaluate predicted of each.
    """

    bundle: Path
    rows: pd.DataFrame
    expected: pd.DataFrame

    def write(self, kind: str, folder: Path) -> list[str]:
        """Write the rows as an input; return the words of the command that name it."""
        path = folder / f"rows.{kind}"
        if kind == "parquet":
            self.rows.to_parquet(path, index=False)
        elif kind == "csv":
            self.rows.to_csv(path, index=False)
        elif kind == "jsonl":
            self.rows.to_json(
                path, orient="records", lines=True, date_format="iso", double_precision=15
            )
        elif kind == "folder":
            path.mkdir()
            third = len(self.rows) // 3
            for number in range(3):
                end = None if number == 2 else (number + 1) * third
                part = self.rows.iloc[number * third : end]
                part.to_parquet(path / f"part-{number}.parquet", index=False)
        elif kind == "glob":
            half = len(self.rows) // 2
            for name, part in (("a", self.rows[:half]), ("b", self.rows[half:])):
                part.to_csv(folder / f"rows-{name}.csv.gz", index=False)
            return [str(folder / "rows-*.csv.gz")]
        else:
            address = f"sqlite:///{folder}/rows.sqlite"
            self.fill(create_engine(address))
            query = ["--query", 'SELECT * FROM "rows" ORDER BY id']
            return [address, *(query if kind == "query" else ["--table", "rows"])]
        return [str(path)]

    def fill(self, engine: Engine) -> None:
        """Write the rows as table "rows" of a database, whose primary key is id."""
        times = self.rows.select_dtypes("datetimetz")
        rows = self.rows.assign(**times.astype("str"), id=range(len(self.rows)))
        types = {"i": "BIGINT", "f": "DOUBLE PRECISION"}
        columns = [f'"{name}" {types.get(rows[name].dtype.kind, "TEXT")}' for name in rows]
        with engine.begin() as connection:
            connection.exec_driver_sql(
                f'CREATE TABLE "rows" ({", ".join(columns)}, PRIMARY KEY (id))'
            )
        rows.to_sql("rows", engine, if_exists="append", index=False)


def case_of(root: Path) -> Case:
    """Return the test rows of a repository whose stages were run."""
    bundle = root / "models/bundle"
    recipe = load_bundle(bundle).recipe
    columns, decision = recipe.columns, recipe.decision
    raw, predictions = read_table(root / "data/raw"), read_table(root / "data/predictions")
    rows = raw.assign(_row=row_key(raw, columns)).drop_duplicates("_row")
    rows = rows[rows["_row"].isin(predictions["_row"])].sample(frac=1, random_state=0)
    found = predictions.set_index("_row").loc[rows["_row"]].reset_index(drop=True)
    scores = [name for name in found if name.startswith("_score")]
    names = ["_prediction", *(scores if decision.task != "regression" else [])]
    expected = found[names].rename(columns=lambda name: name.removeprefix("_"))
    return Case(bundle, rows.drop(columns="_row").reset_index(drop=True), expected)


@pytest.fixture(scope="session")
def case(built: Callable[..., Path]) -> Callable[..., Case]:
    """Return a function from a dataset's name, and that of a model, to its case; only to be read."""

    @cache
    def find(*names: str) -> Case:
        with contextlib.chdir(REPOSITORY):
            return case_of(built(*names))

    return find


@pytest.fixture
def flights(case: Callable[[str], Case]) -> Case:
    return case("flights")


@pytest.fixture(scope="session")
def load_once() -> Callable[..., Bundle]:
    """Return what loads a bundle whose files were checked: one that is as before is not read again."""
    loaded: dict[tuple[Path, str], Bundle] = {}
    load = loading._load

    def load_or_reuse(folder: Path, about: object, files: object, whole: str) -> Bundle:
        if (folder, whole) not in loaded:
            loaded[folder, whole] = load(folder, about, files, whole)
        return loaded[folder, whole]

    return load_or_reuse


@pytest.fixture
def score(
    load_once: Callable[..., Bundle], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """Return a function that runs `seedbed score` here, in a folder that is no project."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(loading, "_load", load_once)

    def run(case: Case, *arguments: object) -> str:
        words = ["score", "--bundle", str(case.bundle), *map(str, arguments)]
        return CliRunner().invoke(app, words, catch_exceptions=False).stdout

    return run
