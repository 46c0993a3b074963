"""How many planted leaks `seedbed dataset add` finds, and how many honest columns it suspects.

.venv/bin/python benchmarks/leaks.py [NAME ...] reads every table of tests/data_sets as the command
does, plants six columns that know the target, one at a time, and counts. What is flagged in a table
without them is printed by name: two of `churn` are leaks by design.
"""

import contextlib
import os
import sys
import tempfile
from pathlib import Path

import pandas as pd
from measuring import ROOT, named

from seedbed.datasets.describing import describe_table
from seedbed.datasets.description import Description
from seedbed.datasets.guesses import read_as
from seedbed.datasets.sniffing import read_as_text, sniff

TESTS = ROOT / "packages/seedbed/tests"
sys.path[:0] = [str(TESTS / "data_sets"), str(TESTS / "data")]
from tables import TABLES, Table  # noqa: E402
from test_leaks import PLANTED, plant  # noqa: E402


def describe(texts: pd.DataFrame, target: str) -> Description:
    """Return what `dataset add` finds; it takes the columns out of the frame that it is given."""
    found, _ = describe_table(texts.copy(), "table", target)
    return found


def try_table(name: str, table: Table) -> tuple[int, str]:
    """Return how many planted columns are found, and the line of a table."""
    table.write(Path(table.file))
    texts = read_as_text(sniff(table.file, table.target))
    clean = describe(texts, table.target)
    target = read_as(texts[table.target], clean.guesses[table.target])
    texts, target = texts[target.notna()].reset_index(drop=True), target.dropna()
    kinds = [
        kind
        for kind in PLANTED
        if "planted"
        in describe(texts.assign(planted=plant(kind, target, table.task)), table.target).leaks
    ]
    missed = ", ".join(kind for kind in PLANTED if kind not in kinds) or "none"
    flagged = ", ".join(clean.leaks) or "none"
    return len(kinds), f"| {name} | {len(kinds)} of {len(PLANTED)} | {missed} | {flagged} |"


def main() -> None:
    """Print the table of README.md."""
    names = named(__doc__, TABLES)
    print("| table | found | missed | flagged without a planted one |\n| --- | --- | --- | --- |")
    total = 0
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for name in names:
            found, line = try_table(name, TABLES[name])
            print(line, flush=True)
            total += found
    print(f"{total} of {len(names) * len(PLANTED)}")


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    main()
