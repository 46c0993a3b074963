"""Pushes and pulls that are killed at any moment: after one repetition each, nothing is missing and nothing is wrong."""

import os
import random
import signal
import subprocess
import time
from contextlib import ExitStack, chdir
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

from servers import Place, s3_place
from sharing_support import Machine, content, damaged_objects, missing_files, new_machine

ROUNDS = 15
"""Each kills one push and one pull."""
SEED = 20130101
FILES = 25


@dataclass
class Pair:
    """Two machines, and how long a push and a pull take that nobody kills."""

    first: Machine
    second: Machine
    seconds: dict[str, float]


def change(machine: Machine, number: int) -> None:
    """Commit other files, with a tag and an experiment."""
    from dvc.repo import Repo

    for name in range(FILES):
        (machine.root / f"files/{name}").write_text(f"{number} {name} " * 50, encoding="utf-8")
    with mock.patch.dict(os.environ, machine.environment), chdir(machine.root), Repo(str(machine.root)) as repo:
        repo.add("files")
    machine.commit(f"round {number}")
    machine.git("tag", f"v{number}")
    head = machine.git("rev-parse", "HEAD")
    experiment = machine.git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "an experiment")
    machine.git("update-ref", f"refs/exps/{head[:2]}/{head[2:]}/exp{number}", experiment)


def start(machine: Machine, command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [machine.root / ".venv/bin/seedbed", command],
        cwd=machine.root,
        env={**os.environ, **machine.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def killed(machine: Machine, command: str, after: float) -> bool:
    """Kill a push or a pull, with all that it started; return whether it was still at work."""
    with start(machine, command) as process:
        try:
            process.wait(timeout=after)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return True
    return False


def timed(machine: Machine, command: str) -> float:
    begin = time.monotonic()
    machine.seedbed(command, unaided=True)
    return time.monotonic() - begin


@pytest.mark.slow
def test_nothing_is_missing_or_wrong_after_pushes_and_pulls_that_were_killed(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    with ExitStack() as servers:
        pairs = []
        for name, place in (
            ("directory", Place(str(tmp_path / "directory/store"))),
            ("s3", servers.enter_context(s3_place(tmp_path / "moto"))),
        ):
            folder = tmp_path / name
            folder.mkdir()
            first = new_machine(folder, FILES)
            subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder / "git")], check=True)
            first.git("remote", "add", "origin", str(folder / "git"))
            first.set_up(place)
            pushing = timed(first, "push")
            second = first.cloned(folder / "second")
            pairs.append(Pair(first, second, {"push": pushing, "pull": timed(second, "pull")}))

        hit = 0
        for number in range(ROUNDS):
            pair = pairs[number % 2]
            change(pair.first, number)
            for machine, command in ((pair.first, "push"), (pair.second, "pull")):
                # Nothing happens before the imports are done.
                hit += killed(machine, command, chance.uniform(0.25, 1.0) * pair.seconds[command])
                machine.seedbed(command)
            assert content(pair.second.root) == content(pair.first.root), f"round {number}"
            assert pair.second.git("rev-parse", "HEAD") == pair.first.git("rev-parse", "HEAD")
            assert pair.second.experiment_commits() == pair.first.experiment_commits()
        assert hit >= ROUNDS, f"only {hit} of {2 * ROUNDS} were still at work when they were to be killed"

        for pair in pairs:
            for root in (pair.first.root, pair.second.root, Path(pair.first.git("remote", "get-url", "origin"))):
                checked = subprocess.run(
                    ["git", "fsck", "--full"], cwd=root, capture_output=True, text=True, check=True
                )
                assert not [
                    line
                    for line in checked.stderr.splitlines()
                    if not line.startswith(("Checking", "dangling", "notice"))
                ]
            for commit in pair.first.git(
                "for-each-ref", "--format=%(objectname)", "refs/tags", "refs/exps"
            ).splitlines():
                assert missing_files(pair.second.root, commit) == []
            assert damaged_objects(pair.second.root / ".dvc/cache") == []
        assert damaged_objects(tmp_path / "directory/store") == []
