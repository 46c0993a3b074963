"""Every picture looks the same way and is the same bytes each time."""

import struct
from pathlib import Path

import matplotlib
import pytest

from seedbed.plotting import new_figure, picture, save_figure, short, shortened


def draw(path: Path) -> bytes:
    with picture(path, "A title", width=4, height=3) as axes:
        axes.plot([1, 2], [3, 4], label="a line")
        axes.legend()
    return path.read_bytes()


def test_a_picture_is_the_same_twice_and_as_large_as_asked(tmp_path: Path) -> None:
    first, second = draw(tmp_path / "a.png"), draw(tmp_path / "b.png")
    assert first == second
    assert struct.unpack(">II", first[16:24]) == (440, 330)
    for chunk in (b"tEXt", b"tIME", b"Software"):
        assert chunk not in first, "no date and no version"


def test_the_style_is_ours_alone_and_several_axes_come_as_an_array(tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    figure, axes = new_figure(2, 1)
    assert axes.shape == (2, 1)
    assert not axes[0, 0].spines["top"].get_visible()
    save_figure(figure, tmp_path / "x.png")
    draw(tmp_path / "y.png")
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["carrier", "Größe"], ["carrier", "Größe"]),
        (["two\nlines"], ["two lines"]),
        (["a" * 20 + "b" * 20], ["a" * 13 + "…" + "b" * 13]),
        (["x" * 40 + "1" + "y" * 20, "x" * 40 + "2" + "y" * 20], None),
    ],
)
def test_names_are_short_and_stay_apart(names: list[str], expected: list[str] | None) -> None:
    found = shortened(names)
    assert len(set(found)) == len(names)
    assert all(len(text) <= 33 for text in found)
    assert expected is None or found == expected == [short(name) for name in names]
