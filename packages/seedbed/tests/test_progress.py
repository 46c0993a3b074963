"""Progress is a line on a terminal, and silence wherever its output is kept."""

import os
import pty
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from seedbed.progress import RowProgress, track


def test_items_come_through_one_at_a_time_and_a_pipe_stays_silent(
    capfd: pytest.CaptureFixture[str],
) -> None:
    taken: list[int] = []
    for item in track((taken.append(number) or number for number in range(3)), 3, "fits"):  # type: ignore[func-returns-value]
        assert taken == list(range(item + 1)), "one at a time"
    assert taken == [0, 1, 2]
    assert capfd.readouterr() == ("", "")


@contextmanager
def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """Make a terminal of standard error; yield a function that reads it once the block has ended."""
    ours, theirs = pty.openpty()
    found: list[str] = []
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        yield lambda: found[0]
        terminal.write("end")
        terminal.flush()
        seen = ""
        while not seen.endswith("end"):  # a terminal hands over what it has so far
            seen += os.read(ours, 10_000).decode()
        found.append(seen)
    os.close(ours)


@pytest.mark.parametrize(("in_ci", "shown"), [(None, True), ("", True), ("true", False)])
def test_a_terminal_is_written_to_unless_it_is_one_of_ci(
    in_ci: str | None, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    if in_ci is not None:
        monkeypatch.setenv("CI", in_ci)
    with on_a_terminal(monkeypatch) as read:
        assert list(track([1, 2], 2, "fits")) == [1, 2]
    seen = read()
    assert ("fits 0/2" in seen and "fits 1/2" in seen and "fits 2/2 in 0 s" in seen) is shown
    assert shown or seen == "end"


@pytest.mark.parametrize(
    ("total", "unit", "text"),
    [
        (100, "rows", r"  20 of 100 rows, [\d,]+ rows/s, [\d,]+ s left in 2 pages"),
        (None, "rows", r"  20 rows, [\d,]+ rows/s in 2 pages"),
        (100, "bytes", r"  20 of 100 bytes, [\d,]+ bytes/s, [\d,]+ s left"),
    ],
)
def test_rows_are_counted_with_their_rate_and_what_is_left(
    total: int | None, unit: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    with on_a_terminal(monkeypatch) as read:
        progress = RowProgress(total, done=10, unit=unit)
        progress.add(5)
        time.sleep(0.6)
        progress.add(5, " in 2 pages")
        progress.close()
    seen = read()
    assert len(re.findall(text, seen)) == 1, "twice a second at most"
    assert seen.endswith("\r\033[Kend"), "the line is left empty"
