"""How good `seedbed dataset add` is: every table of tests/data_sets, from the file to the bundle.

.venv/bin/python benchmarks/data_sets.py [NAME ...] works on a clone of the last commit in a
temporary folder. For each table it prints the time of `dataset add` and of the graph, the deciding
metric on the test rows with its interval, beside it the baseline's and that of skrub's tabular
pipeline on the same split, and what was decided of the columns.
"""

import json
import sys
import tempfile
from pathlib import Path

from measuring import ROOT, cloned, run, seconds

sys.path.insert(0, str(ROOT / "packages/seedbed/tests/data_sets"))
from tables import TABLES, Table


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
    shown = " | ".join(
        f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})" for found in figures
    )
    return f"| {name} | {table.about} | {added:.1f} | {graph:.1f} | {metric} | {shown} |"


def main() -> None:
    """Print the table of README.md."""
    names = sys.argv[1:] or list(TABLES)
    print("| table | | add, s | graph, s | metric | model | baseline | skrub | better by |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        clone = cloned(Path(folder))
        for name in names:
            print(try_table(clone, Path(folder), name, TABLES[name]), flush=True)


if __name__ == "__main__":
    main()
