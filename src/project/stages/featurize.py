"""Stage featurize: stateless features, and each row in train, validation or test."""

from pathlib import Path

from seedbed.config.columns import resolve_columns
from seedbed.config.schema import ColumnLists, Features, Problem, Split
from seedbed.data.featurizing import build_training_table
from seedbed.data.splits import PARTS, find_rare_classes
from seedbed.data.tables import SPLIT, TARGET, read_table, write_table
from seedbed.data.unwatched_files import find_unwatched_files
from seedbed.stages import stage


@stage
def featurize(columns: ColumnLists, problem: Problem, features: Features, split: Split) -> None:
    """Write data/features."""
    clean = read_table(Path("data/clean"))
    known = resolve_columns(columns, clean)
    table = build_training_table(clean, known, problem, features, split)
    write_table(table, Path("data/features"))
    rows = table[SPLIT].value_counts()
    print(", ".join(f"{rows[part]:,} {part}" for part in PARTS), "rows")
    rare = find_rare_classes(table[TARGET], table[SPLIT], split.kind)
    for sentence in [*rare, *find_unwatched_files(clean, known)]:
        print(sentence)
