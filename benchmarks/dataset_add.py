"""How fast `seedbed dataset add` is on large tables, beside pandas and skrub's TableReport.

.venv/bin/python benchmarks/dataset_add.py [--rounds 2] works on a clone of the last commit in a
temporary folder, on two tables that are made with a fixed seed: 1,000,000 rows of 40 columns and
5,000 rows of 2,000 columns. The other side is `skrub.TableReport(pandas.read_csv(FILE)).html()`,
with its defaults, which draw no plots and compute no associations of more than 30 columns. Both
sides are processes of their own, imports counted, and take turns. The memory that a table takes is
the peak of a process less that of the same command on 200 rows of 40 columns.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from measuring import Used, cloned, ratios, run, used

SHAPES = {"long": (1_000_000, 40), "wide": (5_000, 2_000)}
FEW_ROWS = 200
REPORT = "import sys, pandas, skrub; skrub.TableReport(pandas.read_csv(sys.argv[1])).html()"
SIZE = """
import sys, pandas
print(pandas.read_csv(sys.argv[1]).memory_usage(deep=True).sum() / 2**20)
"""
WORDS = (
    *("the", "of", "small", "old", "new", "red", "blue", "engine", "wheel", "broken", "missing"),
    *("ordered", "late", "paid", "sent", "back", "twice", "customer", "called", "again", "about"),
    *("order", "which", "was", "never", "there", "and", "wants", "money", "or", "another", "one"),
)


def write_table(path: Path, rows: int, columns: int) -> None:
    """Write a CSV file as companies have them; `answer`, yes or no, depends on some columns."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv

    random = np.random.default_rng(0)

    def category(values: int) -> np.ndarray:
        names = np.array([f"{WORDS[place % 30]} {place}" for place in range(values)])
        return names[np.minimum(random.zipf(1.5, rows) - 1, values - 1)]

    def text() -> np.ndarray:
        words = np.array(WORDS)[random.integers(0, len(WORDS), (8, rows))]
        phrases = words[0]
        for more in words[1:]:
            phrases = np.where(random.random(rows) < 0.8, np.char.add(phrases + " ", more), phrases)
        return phrases

    makers = (
        lambda: random.normal(50, 20, rows).round(2),
        lambda: random.integers(0, 100, rows),
        lambda: category(8),
        lambda: random.lognormal(3, 1, rows),
        lambda: random.integers(0, 10**6, rows),
        lambda: category(60),
        lambda: random.normal(0, 1, rows),
        lambda: random.poisson(3, rows),
        lambda: np.where(random.random(rows) < 0.3, "yes", "no"),
        lambda: random.exponential(1000, rows).round(1),
        lambda: np.datetime64("2015-01-01") + random.integers(0, 3000, rows),
        lambda: random.gamma(2, 10, rows).round(3),
        lambda: category(2000),
        lambda: random.integers(-50, 50, rows),
        lambda: random.uniform(0, 1, rows),
        text,
        lambda: np.datetime64("2020-01-01T00:00:00") + random.integers(0, 10**8, rows),
        lambda: np.char.add("K", random.integers(10**6, 10**7, rows).astype("str")),
        lambda: random.integers(0, 2, rows),
        lambda: random.normal(5, 1, rows).round(1),
    )
    table = {"row_id": pa.array(np.arange(rows) + 10_000)}
    score = random.normal(0, 1, rows)
    for place in range(columns - 2):
        values = makers[place % len(makers)]()
        if place in (0, 3, 7):
            score += np.argsort(np.argsort(values)) / rows
        missing = random.random(rows) < (0, 0, 0.02, 0.2)[place % 4]
        table[f"column_{place}"] = pa.array(values, mask=missing)
    table["answer"] = pa.array(np.where(score > 2.5, "yes", "no"))
    csv.write_csv(pa.table(table), path)


def add(clone: Path, file: Path) -> Used:
    """Measure `seedbed dataset add`, which copies the file, too."""
    command = [".venv/bin/seedbed", "dataset", "add", str(file), "--target", "answer", "--force"]
    return used(command, clone)


def report(clone: Path, file: Path) -> Used:
    """Measure pandas.read_csv and skrub's TableReport."""
    return used([sys.executable, "-c", REPORT, str(file)], clone)


def compare(clone: Path, folder: Path, name: str, rounds: int) -> None:
    """Let both sides take turns on a table, and print times and memory and their ratios."""
    rows, columns = SHAPES[name]
    few, file = folder / "few.csv", folder / f"{name}.csv"
    make_table(few, FEW_ROWS, SHAPES["long"][1])
    make_table(file, rows, columns)
    size = float(run([sys.executable, "-c", SIZE, str(file)], clone))
    print(f"{name}: {rows:,} rows, {columns:,} columns, {size:,.0f} MB as pandas reads it")
    idle = {side: side(clone, few).peak for side in (add, report)}
    turns = []
    for number in range(rounds):
        sides = (add, report) if number % 2 == 0 else (report, add)
        measured = {side: side(clone, file) for side in sides}
        turns.append((measured[add], measured[report]))
        for what, side in (("dataset add", add), ("read_csv, TableReport", report)):
            found = measured[side]
            above = found.peak - idle[side]
            print(
                f"  {what:22} {found.wall:6.1f} s, CPU {found.cpu:6.1f} s, {above:6,.0f} MB "
                f"({above / size:.2f} of the table)",
                flush=True,
            )
    ours, theirs = zip(*turns, strict=True)
    for what in ("wall", "cpu"):
        times = ([getattr(one, what) for one in side] for side in (ours, theirs))
        print(f"  ratio, {what:4} {ratios(*times)}")


def make_table(file: Path, rows: int, columns: int) -> None:
    """Write a table in a process of its own, so that this one stays small."""
    run([sys.executable, __file__, "--write", str(file), str(rows), str(columns)], file.parent)


def main() -> None:
    """Take the measurements and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2, help="turns of each side (default: 2)")
    parser.add_argument("--write", nargs=3, help=argparse.SUPPRESS)  # file, rows, columns
    arguments = parser.parse_args()
    if arguments.write:
        file, rows, columns = arguments.write
        write_table(Path(file), int(rows), int(columns))
        return
    with tempfile.TemporaryDirectory() as folder:
        clone = cloned(Path(folder))
        for name in SHAPES:
            compare(clone, Path(folder), name, arguments.rounds)


if __name__ == "__main__":
    main()
