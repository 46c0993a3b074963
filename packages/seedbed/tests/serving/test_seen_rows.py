"""A model knows which rows it has seen, in a file that does not grow with them."""

from pathlib import Path

import numpy as np
import pytest

from seedbed.serving.seen_rows import MOST, SeenRows


def keys(begin: int, end: int) -> np.ndarray:
    """Keys that are spread as hashes are, the same for the same numbers."""
    return np.arange(begin, end, dtype="uint64") * np.uint64(0x9E3779B97F4A7C15)


@pytest.mark.parametrize(
    ("seen", "asked", "least", "most"),
    [
        (1000, (0, 1000), 1000, 1000),
        (1000, (1000, 2000), 0, 0),
        (1000, (990, 1500), 10, 10),
        pytest.param(3_000_000, (3_000_000, 4_000_000), 0, 0, marks=pytest.mark.slow),
        # About MOST / 3,000,000 of the 1,000 rows in both.
        pytest.param(3_000_000, (2_999_000, 3_049_000), 5, 100, marks=pytest.mark.slow),
    ],
)
def test_few_rows_are_counted_exactly_and_of_many_a_small_overlap_is_found(
    seen: int, asked: tuple[int, int], least: int, most: int
) -> None:
    sketch = SeenRows.of(keys(0, seen))
    assert len(sketch.keys) == min(seen, MOST)
    assert least <= sketch.count(keys(*asked)) <= most


def test_order_and_repeats_make_no_difference(tmp_path: Path) -> None:
    rows = keys(0, 130_000)
    for name, order in (("a", rows), ("b", np.concatenate([rows[::-1], rows[:10]]))):
        SeenRows.of(order).write(tmp_path / f"{name}.npy")
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()
    assert SeenRows.read(tmp_path / "a.npy").count(rows) == MOST


def test_what_is_no_sketch_is_not_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "seen.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        SeenRows.read(tmp_path / "seen.npy")
