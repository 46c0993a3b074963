"""Pushes and pulls that are killed: the same command again finishes, nothing missing or wrong."""

import random
import re
import time
from itertools import count
from pathlib import Path

import pytest

from remotes_support import (
    Machine,
    content,
    damaged_objects,
    missing_objects,
    new_machine,
)
from servers import Place, s3_place

from support import LONG

INTERRUPTED = 30 if LONG else 10
"""How many pushes and pulls are to be killed at work, in all."""
FILES = 25


def change(machine: Machine, number: int) -> None:
    """Commit other files, and what the stage makes of them; with a tag and an experiment."""
    for name in range(FILES):
        text = f"{number} {name} " * 50
        (machine.root / f"files/{name}").write_text(text, encoding="utf-8")
    machine.dvc("add", "--quiet", "files")
    machine.dvc("repro", "--quiet")
    machine.commit(f"round {number}")
    machine.git("tag", f"v{number}")
    head = machine.git("rev-parse", "HEAD")
    experiment = machine.git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "an experiment")
    machine.git("update-ref", f"refs/exps/{head[:2]}/{head[2:]}/exp{number}", experiment)


def timed(machine: Machine, command: str) -> float:
    begin = time.monotonic()
    machine.seedbed(command)
    return time.monotonic() - begin


def killed(machine: Machine, command: str, after: float) -> bool:
    """Kill a push or a pull, with all that it started; return whether it was still at work."""
    try:
        machine.run("seedbed", command, limit=after)
    except AssertionError as error:
        assert f"took more than {after} s" in str(error), error
        return True
    return False


def repeat(machine: Machine, command: str) -> None:
    """Give the same command again; a lock that a killed Git left is removed, as it asks for."""
    done = machine.run("seedbed", command, check=False)
    if done.returncode and (lock := re.search(r"'([^']+\.lock)'", done.stdout)):
        (machine.root / lock[1]).unlink()
        done = machine.run("seedbed", command)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["directory", "s3"])
def test_nothing_is_missing_or_wrong_after_pushes_and_pulls_that_were_killed(
    kind: str, tmp_path: Path
) -> None:
    chance = random.Random(20130101)
    with s3_place(tmp_path / "moto") as bucket:
        place = bucket if kind == "s3" else Place(str(tmp_path / "store"))
        first = new_machine(tmp_path / "first", FILES).with_git_remote(tmp_path / "git")
        first.set_up(place)
        seconds = {"push": timed(first, "push")}
        second = first.cloned(tmp_path / "second")
        seconds["pull"] = timed(second, "pull")
        interrupted = 0
        for number in count():
            if interrupted >= INTERRUPTED / 2:
                break
            assert number < 30, f"only {interrupted} were still at work"
            change(first, number)
            for machine, command in ((first, "push"), (second, "pull")):
                after = chance.uniform(0.1, 1.0) * seconds[command]
                interrupted += killed(machine, command, after)
                repeat(machine, command)
            assert content(second.root) == content(first.root), f"round {number}"
            assert second.git("rev-parse", "HEAD") == first.git("rev-parse", "HEAD")
            assert second.experiment_commits() == first.experiment_commits()
            assert second.git("tag") == first.git("tag")

        for ref in second.git("for-each-ref", "--format=%(refname)").splitlines():
            assert "remotes" in ref or missing_objects(second, ref) == []
        assert second.stages_run() == []
        for machine in (first, second):
            machine.git("fsck", "--full")
            assert damaged_objects(machine.root / ".dvc/cache") == []
        # The second machine has compared each object that came from the remote with its hash.
        assert kind == "s3" or damaged_objects(tmp_path / "store") == []
