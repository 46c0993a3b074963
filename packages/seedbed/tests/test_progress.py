"""Progress is a line on a terminal, and silence wherever its output is kept."""

import os
import pty
import sys

import pytest

from seedbed.progress import track


def test_items_come_through_one_at_a_time_and_a_pipe_stays_silent(
    capfd: pytest.CaptureFixture[str],
) -> None:
    taken: list[int] = []
    for item in track((taken.append(number) or number for number in range(3)), 3, "fits"):  # type: ignore[func-returns-value]
        assert taken == list(range(item + 1)), "one at a time"
    assert taken == [0, 1, 2]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("in_ci", "shown"), [(None, True), ("", True), ("true", False)])
def test_a_terminal_is_written_to_unless_it_is_one_of_ci(
    in_ci: str | None, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    if in_ci is not None:
        monkeypatch.setenv("CI", in_ci)
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        assert list(track([1, 2], 2, "fits")) == [1, 2]
        terminal.write("end")
        terminal.flush()
        seen = ""
        while not seen.endswith("end"):  # a terminal hands over what it has so far
            seen += os.read(ours, 10_000).decode()
    os.close(ours)
    assert ("fits 0/2" in seen and "fits 1/2" in seen and "fits 2/2 in 0 s" in seen) is shown
    assert shown or seen == "end"
