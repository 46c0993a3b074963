"""Stage featurize: stateless features, and each row in train, validation or test."""

from pathlib import Path

import pandas as pd

from seedbed.config.columns import resolve_columns
from seedbed.config.schema import ColumnLists, Features, Problem, Split
from seedbed.config.yaml_files import load_yaml
from seedbed.data.featurizing import build_training_table
from seedbed.data.file_columns import find_unlisted
from seedbed.data.splits import PARTS
from seedbed.data.tables import SPLIT, read_table, write_table
from seedbed.errors import some_of
from seedbed.stages import stage

SHOWN = 3
"""How many folders a message names."""


@stage
def featurize(columns: ColumnLists, problem: Problem, features: Features, split: Split) -> None:
    """Write data/features."""
    clean = read_table(Path("data/clean"))
    known = resolve_columns(columns, clean)
    table = build_training_table(clean, known, problem, features, split)
    write_table(table, Path("data/features"))
    rows = table[SPLIT].value_counts()
    print(", ".join(f"{rows[part]:,} {part}" for part in PARTS), "rows")
    for name, column in known.items():
        if column.type in ("image", "document"):
            warn_of_unlisted(name, clean[name])


def warn_of_unlisted(name: str, files: pd.Series) -> None:
    """Say which folders of a column's files this stage does not depend on."""
    listed = load_yaml(Path("dvc.yaml"))["stages"]["featurize"]["deps"]
    if folders := find_unlisted(files, listed):
        print(
            f"columns: {name} names files in {some_of(folders, SHOWN)}, and `dvc repro` will not "
            "see when one changes: add the folder to deps of stage featurize in dvc.yaml"
        )
