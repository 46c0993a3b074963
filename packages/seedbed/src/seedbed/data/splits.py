"""Splits: which rows are train, validation and test, the folds of train rows, and rows alike."""

import hashlib

import numpy as np
import pandas as pd

from seedbed.config.preparation import Split
from seedbed.data.roles import Columns, group_column, row_key, time_column
from seedbed.errors import UserError, some_of

PARTS = ("train", "validation", "test")
TOGETHER = {
    "time": "at one time",
    "random": "with one key (or, without key columns, that are alike)",
    "stratified": "with one key (or, without key columns, that are alike)",
    "group": "of one group",
}
"""By split.kind, which rows are all in one part."""
AT_RANDOM = ("random", "stratified")
"""Kinds of split in which each row stands alone."""
FEW = 5
"""So many rows of a class a part needs at least to say anything of it."""
SHOWN = 4
"""How many classes a message names."""
STRETCHES = 50
"""Of time, in each part: enough for a 95 % interval; neighbours mostly share one."""


def assign_splits(
    frame: pd.DataFrame, columns: Columns, split: Split, target: pd.Series
) -> pd.Series:
    """Return the part of each row: "train", "validation" or "test".

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
    columns : dict of str to Column
    split : Split
        By time, the latest rows are the test and no instant lies in two parts. Otherwise a hash of
        the row's key (random) or of its group decides, so that a row stays when others are added.
        Stratified, it is the rank of that hash in the row's class: each part has its share of every
        class, and of rows that were there before, those near a border may change the part.
    target : Series, shape (n_rows,)
        The class of each row; used by a stratified split only.

    Returns
    -------
    Series of str, shape (n_rows,)

    Raises UserError if the column that the split goes by does not exist, or a part gets no row.
    """
    if split.kind == "time":
        cuts = (1 - split.validation - split.test, 1 - split.test)
        position = _times(frame, columns)
        place = _time_blocks(position, cuts)
    else:
        position = pd.Series(_positions(frame, columns, split, target, "side"))
        place = np.where(
            position < split.test, 2, np.where(position < split.test + split.validation, 1, 0)
        )
    parts = pd.Series(np.array(PARTS)[place], index=frame.index, dtype="str")
    for part in PARTS:
        if not (parts == part).any():
            raise UserError(
                f"split: of {len(frame)} rows none is in {part} (split.kind {split.kind}, "
                f"validation {split.validation}, test {split.test}). Rows {TOGETHER[split.kind]} "
                f"stay together, which leaves {position.nunique()} groups to split. Use more "
                "rows, or a larger share."
            )
    return parts


def find_rare_classes(target: pd.Series, parts: pd.Series, kind: str) -> list[str]:
    """Return a sentence where the validation or the test rows have few of a class.

    Parameters
    ----------
    target : Series, shape (n_rows,)
        Of numbers, which have no classes, or of anything else.
    parts : Series of str, shape (n_rows,)
        See :func:`assign_splits`.
    kind : str
        Of split: one that keeps rows apart by time or group has no stratified one in its place.
    """
    if pd.api.types.is_float_dtype(target):
        return []
    counts = pd.crosstab(parts, target).reindex(list(PARTS[1:]), fill_value=0)
    few = [
        f"{count} of class {name} in {part}"
        for (part, name), count in counts.stack().items()
        if count < FEW
    ]
    if not few:
        return []
    or_share = ", or -S split=stratified, which gives each part its share"
    return [
        f"few rows to judge by: {some_of(few, SHOWN)}. Figures of so few are chance: use more rows "
        f"or a larger part (split.validation, split.test){or_share if kind == 'random' else ''}"
    ]


def assign_folds(
    frame: pd.DataFrame, columns: Columns, split: Split, target: pd.Series
) -> pd.Series:
    """Return the fold of each train row.

    By time the folds are ``split.folds`` + 1 blocks numbered from the earliest, of which
    cross-validation scores all but the first; otherwise ``split.folds`` parts by a hash that is
    independent of the one which chose train, validation and test.

    Returns
    -------
    Series of int8, shape (n_rows,)
    """
    if split.kind == "time":
        blocks = split.folds + 1
        place = _time_blocks(
            _times(frame, columns), tuple(block / blocks for block in range(1, blocks))
        )
    else:
        place = (_positions(frame, columns, split, target, "fold") * split.folds).astype("int64")
    return pd.Series(place.astype("int8"), index=frame.index)


def assign_clusters(
    frame: pd.DataFrame, columns: Columns, split: Split, parts: pd.Series
) -> pd.Series:
    """Return the cluster of each row.

    Rows of a cluster are alike beyond their features, so they tell less than their number. What
    counts as alike is what the split keeps apart: by time, rows of one of `STRETCHES` stretches of
    time with about equally many rows of the part; by group, rows of one group. At random each row
    stands alone.

    Parameters
    ----------
    parts : Series of str, shape (n_rows,)
        What :func:`assign_splits` returned.

    Returns
    -------
    Series of uint64, shape (n_rows,)
    """
    if split.kind in AT_RANDOM:
        return row_key(frame, columns)
    if split.kind == "group":
        return pd.util.hash_pandas_object(frame[group_column(columns)], index=False)
    cuts = tuple(stretch / STRETCHES for stretch in range(1, STRETCHES))
    by_part = [_times(frame[parts == part], columns) for part in PARTS]
    places = [pd.Series(_time_blocks(times, cuts), index=times.index) for times in by_part]
    return pd.concat(places).reindex(frame.index).astype("uint64")


def _times(frame: pd.DataFrame, columns: Columns) -> pd.Series:
    name = time_column(columns)
    if name is None:
        raise UserError(
            "split.kind is time, and columns.time names no column. Choose -S split=random, or name "
            "one in the conf/dataset file."
        )
    if frame[name].isna().any():
        raise UserError(
            f"split.kind is time, and {int(frame[name].isna().sum())} rows have no {name}. Expect "
            "it in the suite (ExpectColumnValuesToNotBeNull), or correct the source."
        )
    return frame[name]


def _time_blocks(times: pd.Series, cuts: tuple[float, ...]) -> np.ndarray:
    """Return the number of the block of each row; rows of one instant are in one block."""
    ordered = np.sort(times.astype("int64").to_numpy())
    limits = [ordered[min(int(len(ordered) * cut), len(ordered) - 1)] for cut in cuts]
    return np.searchsorted(limits, times.astype("int64").to_numpy(), side="right")


def _positions(
    frame: pd.DataFrame, columns: Columns, split: Split, target: pd.Series, purpose: str
) -> np.ndarray:
    """Return a number in [0, 1) for each row, of its key or group, the seed and the purpose."""
    if split.kind == "group":
        name = group_column(columns)
        if name is None:
            raise UserError(
                "split.kind is group, and columns.group names no column. Choose -S split=random, "
                "or name one with -S columns.group=..."
            )
        keys = pd.util.hash_pandas_object(frame[name], index=False)
    else:
        keys = row_key(frame, columns)
    classes = target.to_numpy() if split.kind == "stratified" else None
    return hashed_positions(keys.to_numpy(), f"{purpose} {split.seed}", classes)


def hashed_positions(
    keys: np.ndarray, purpose: str, classes: np.ndarray | None = None
) -> np.ndarray:
    """Return a number in [0, 1) for each key (uint64), which is another one for each purpose.

    With classes, shape (n_rows,), it is the key's place among those of its class, so that the
    numbers of each class lie evenly. Rows of one key share it: a key of several classes counts as
    one of the rarest of them.
    """
    salt = hashlib.sha256(purpose.encode()).digest()[:8]
    mixed = pd.util.hash_array(keys ^ np.frombuffer(salt, dtype="<u8"))
    positions = (mixed >> np.uint64(11)).astype("float64") / float(1 << 53)
    if classes is None:
        return positions
    _, codes, counts = np.unique(classes, return_inverse=True, return_counts=True)
    by_size = np.argsort(np.argsort(counts, kind="stable"))[codes]
    by_class = pd.Series(positions).groupby(pd.Series(by_size).groupby(keys).transform("min"))
    places = (by_class.rank() - 0.5) / by_class.transform("size")  # equal keys share a place
    return places.to_numpy()
