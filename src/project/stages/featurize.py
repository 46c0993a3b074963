"""Stage featurize: stateless features, and the side and fold of each row. Nothing is fitted here."""

from pathlib import Path

from seedbed.config.schema import Column, Features, Problem, Split
from seedbed.data.featurizing import build_training_table
from seedbed.data.splits import SIDES
from seedbed.data.tables import read_table, write_table
from seedbed.stages import stage


@stage
def featurize(
    columns: dict[str, Column], problem: Problem, features: Features, split: Split
) -> None:
    """Write data/features."""
    table = build_training_table(read_table(Path("data/clean")), columns, problem, features, split)
    write_table(table, Path("data/features"))
    sides = table["_split"].value_counts()
    print(", ".join(f"{sides[side]:,} {side}" for side in SIDES), "rows")
