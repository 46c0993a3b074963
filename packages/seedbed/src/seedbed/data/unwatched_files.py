"""Which files that columns name stage featurize does not depend on: a change would not be seen."""

import os.path
from pathlib import Path

import pandas as pd

from seedbed.config.yaml_files import load_yaml
from seedbed.data.file_columns import FILES
from seedbed.data.roles import Columns
from seedbed.errors import some_of

GRAPH = Path("dvc.yaml")
SHOWN = 3
"""How many folders a message names."""


def find_unwatched_files(rows: pd.DataFrame, columns: Columns) -> list[str]:
    """Return a sentence for each column of files that stage featurize does not depend on.

    Parameters
    ----------
    rows : DataFrame, shape (n_rows, n_columns)
    columns : dict of str to Column
    """
    names = [name for name, column in columns.items() if column.type in FILES]
    if not names:
        return []
    listed = [Path(path) for path in load_yaml(GRAPH)["stages"]["featurize"]["deps"]]
    sentences = []
    for name in names:
        folders = {Path(os.path.normpath(file)).parent for file in rows[name].dropna()}
        unlisted = [str(path) for path in folders if not any(map(path.is_relative_to, listed))]
        if unlisted:
            sentences.append(
                f"columns: {name} names files in {some_of(sorted(unlisted), SHOWN)}, and `dvc "
                "repro` will not see when one changes: add the folder to deps of stage featurize "
                f"in {GRAPH}"
            )
    return sentences
