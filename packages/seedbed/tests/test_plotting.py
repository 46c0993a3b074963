"""Every picture looks the same way and is the same bytes each time."""

import struct
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest

from seedbed.plotting import BASELINE, MODEL, OTHER, PALETTE, new_figure, save_figure


def draw(path: Path) -> bytes:
    figure, axes = new_figure(width=4, height=3)
    axes.plot([1, 2], [3, 4], label="a line")
    axes.legend()
    save_figure(figure, path)
    return path.read_bytes()


def test_a_picture_is_the_same_twice_and_as_large_as_asked(tmp_path: Path) -> None:
    first, second = draw(tmp_path / "a.png"), draw(tmp_path / "b.png")
    assert first == second
    assert struct.unpack(">II", first[16:24]) == (440, 330)
    for chunk in (b"tEXt", b"tIME", b"Software"):
        assert chunk not in first, "no date and no version"


@pytest.mark.parametrize(
    ("rows", "columns", "shape"), [(2, 1, (2, 1)), (1, 3, (1, 3)), (2, 2, (2, 2))]
)
def test_several_axes_come_as_an_array(rows: int, columns: int, shape: tuple[int, int]) -> None:
    assert new_figure(rows, columns)[1].shape == shape


def test_the_style_is_ours_alone() -> None:
    before = dict(matplotlib.rcParams)
    _, axes = new_figure()
    assert not axes.spines["top"].get_visible()
    assert dict(matplotlib.rcParams) == before


def test_model_baseline_and_the_rest_are_told_apart() -> None:
    assert len({MODEL, BASELINE, OTHER}) == 3
    assert len(set(PALETTE)) == 8


def test_drawing_needs_no_pyplot(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from seedbed.plotting import new_figure, save_figure; "
        f"save_figure(new_figure()[0], Path({str(tmp_path / 'x.png')!r})); print('matplotlib.pyplot' in sys.modules)"
    )
    source = Path(__file__).parents[1] / "src"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=source, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
