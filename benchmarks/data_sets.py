"""How good `seedbed dataset add` is: every table of tests/data_sets, from the file to the bundle.

.venv/bin/python benchmarks/data_sets.py [NAME ...] works on a clone of the last commit in a
temporary folder. For each table it prints the time of `dataset add` and of the graph, the deciding
metric on the test rows with its interval, beside it the baseline's, that of skrub's tabular
pipeline on the same split, and that after the edits that a careful person would make.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from measuring import ROOT, cloned, named, run, seconds
from ruamel.yaml import YAML

sys.path.insert(0, str(ROOT / "packages/seedbed/tests/data_sets"))
from tables import TABLES, Table


class Edits(NamedTuple):
    """What a careful person changes of what `dataset add` wrote.

    Attributes
    ----------
    moves : dict of str to str or None
        The list of `columns` in which a column is to be; None leaves it out.
    choices : tuple of str
        What is chosen by ``dvc exp run -S``.
    """

    moves: dict[str, str | None]
    choices: tuple[str, ...]


def minutes(*columns: str) -> str:
    """Return the choice of features that are minutes of times such as 1745."""
    derived = ", ".join(
        f"{{name: {column}_minute, kind: clock_minutes, columns: [{column}]}}" for column in columns
    )
    return f"+features.derived=[{derived}]"


EDITS = {
    "tumours": Edits({}, ("model=logistic_regression",)),
    "wine_makers": Edits({}, ("model=logistic_regression",)),
    "patients_year": Edits({"sex": "category"}, ("model=logistic_regression",)),
    "handwriting": Edits({}, ("model=mlp",)),
    "late_flights": Edits(
        {"flight": "category", "tailnum": None, "day": None, "hour": None, "minute": None},
        (minutes("sched_dep_time", "sched_arr_time"),),
    ),
    "weather_hours": Edits({"day": None}, ("features=cyclic", "+features.clip=[0.001,0.999]")),
    "planes": Edits({"model": "category"}, ()),
    "flats": Edits({"Bemerkung": None}, ()),
    "churn": Edits({}, ("features=target_encoded",)),
    "reviews": Edits({}, ("model=logistic_regression", "features=sparse_text")),
    "visits": Edits({}, ("model=logistic_regression",)),
    "sensors": Edits({}, ("features=cyclic",)),
}
"""The rest of what was guessed, that person would leave as it is."""


def try_table(clone: Path, files: Path, name: str, table: Table) -> str:
    """Add a table, run the graph on it, and return its line."""
    run(["git", "checkout", "--quiet", "--", "."], clone)
    table.write(files / table.file)
    add = [".venv/bin/seedbed", "dataset", "add", str(files / table.file)]
    added = seconds([*add, "--target", table.target, "--name", name, "--use"], clone)
    config = clone / "conf/config.yaml"
    chosen = config.read_text(encoding="utf-8").replace("standard", "second_baseline")
    config.write_text(chosen, encoding="utf-8")
    graph = seconds([".venv/bin/seedbed", "repro"], clone)
    details = json.loads((clone / "reports/evaluate/details.json").read_text(encoding="utf-8"))
    metric, second = details["metric"], details["second_baseline"]
    figures = (
        details["test"][metric],
        details["baseline"][metric],
        second["figures"][metric],
        second["difference"][metric],
    )
    shown = " | ".join(figure(found) for found in [*figures, edited(clone, name)])
    return f"| {name} | {table.about} | {added:.1f} | {graph:.1f} | {metric} | {shown} |"


def figure(found: dict[str, float]) -> str:
    """Say a metric and its interval."""
    return f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})"


def edited(clone: Path, name: str) -> dict[str, float]:
    """Make the edits of a table, run the graph, and return the deciding metric on the test rows."""
    path = clone / f"conf/dataset/{name}.yaml"
    yaml = YAML()  # keeps comments, the first of which Hydra reads
    written = yaml.load(path)
    lists = written["columns"]
    for column, role in EDITS[name].moves.items():
        lists.get("types", {}).pop(column, None)
        for listed in lists.values():
            if isinstance(listed, list) and column in listed:
                listed.remove(column)
        if role:
            lists.setdefault(role, []).append(column)
    yaml.dump(written, path)
    choices = [part for choice in EDITS[name].choices for part in ("-S", choice)]
    run([".venv/bin/dvc", "exp", "run", *choices], clone)
    details = json.loads((clone / "reports/evaluate/details.json").read_text(encoding="utf-8"))
    found: dict[str, float] = details["test"][details["metric"]]
    return found


def main() -> None:
    """Print the table of README.md."""
    names = named(__doc__, TABLES)
    print(
        "| table | | add, s | graph, s | metric | model | baseline | skrub | better by | edited |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        clone = cloned(Path(folder))
        for name in names:
            print(try_table(clone, Path(folder), name, TABLES[name]), flush=True)


if __name__ == "__main__":
    main()
