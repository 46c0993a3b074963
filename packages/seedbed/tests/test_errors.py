"""Words that stand in a paragraph for a person."""

from collections.abc import Callable
from pathlib import Path

import pytest

from seedbed.errors import did_you_mean, disk_problem, one_line, some_of
from seedbed.files import replacing, write_text


@pytest.mark.parametrize(
    ("name", "known", "question"),
    [
        ("colour", ["size", "color"], " (did you mean color?)"),
        ("CITY", ["km", "city"], " (did you mean city?)"),
        ("sample", ["sample"], ""),
        ("sample", ["zone"], ""),
        (7, [70, "x"], " (did you mean 70?)"),
        ("a", [], ""),
    ],
)
def test_the_nearest_other_name_is_asked_for(
    name: object, known: list[object], question: str
) -> None:
    assert did_you_mean(name, known) == question


def test_of_many_names_some_are_listed() -> None:
    assert some_of(["a", "b"], 2) == "a, b"
    assert some_of(["a", "b", "c", "d"], 2) == "a, b and 2 more"


def test_the_message_of_a_library_takes_one_line() -> None:
    assert one_line(ValueError("so\n  it is ")) == "so it is"
    assert one_line(ValueError()) == "ValueError"


def fill(folder: Path) -> None:
    with replacing(folder / "page.html") as beside:
        beside.symlink_to("/dev/full")
        beside.write_text("a")


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (fill, "page.html: No space left on device. Make room, and try again."),
        (lambda folder: write_text(folder, ""), ": Is a directory. Name another place, or "),
        (lambda folder: write_text(folder / "file/x", ""), "file: File exists. Name another place"),
    ],
    ids=["full", "a folder", "below a file"],
)
def test_a_file_that_cannot_be_written_is_named(
    tmp_path: Path, write: Callable[[Path], None], message: str
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError) as raised:
        write(tmp_path)
    assert message in disk_problem(raised.value)
    assert disk_problem(raised.value).startswith(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_other_errors_of_a_system_go_on() -> None:
    with pytest.raises(ConnectionRefusedError):
        disk_problem(ConnectionRefusedError(111, "Connection refused"))
