"""Pushes and pulls that are killed at any moment: after one repetition each, nothing is missing and nothing is wrong."""

import hashlib
import os
import random
import subprocess
import time
from contextlib import ExitStack, chdir
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from unittest import mock

import boto3
import pytest

from remotes_support import Machine, content, damaged_objects, missing_files, new_machine
from servers import BUCKET, KEYS, Place, s3_place

INTERRUPTED = 30
"""How many pushes and pulls are to be killed at work, in all."""
SEED = 20130101
FILES = 25


@dataclass
class Pair:
    """Two machines, and how long a push and a pull take that nobody kills."""

    first: Machine
    second: Machine
    seconds: dict[str, float]


def change(machine: Machine, number: int) -> None:
    """Commit other files, and what a stage makes of them; with a tag and an experiment."""
    from dvc.repo import Repo

    for name in range(FILES):
        (machine.root / f"files/{name}").write_text(f"{number} {name} " * 50, encoding="utf-8")
    with (
        mock.patch.dict(os.environ, machine.environment),
        chdir(machine.root),
        Repo(str(machine.root)) as repo,
    ):
        repo.add("files")
        repo.reproduce()
    machine.commit(f"round {number}")
    machine.git("tag", f"v{number}")
    head = machine.git("rev-parse", "HEAD")
    experiment = machine.git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "an experiment")
    machine.git("update-ref", f"refs/exps/{head[:2]}/{head[2:]}/exp{number}", experiment)


def killed(machine: Machine, command: str, after: float) -> bool:
    """Kill a push or a pull, with all that it started; return whether it was still at work."""
    try:
        machine.run("seedbed", command, limit=after)
    except AssertionError as error:
        assert f"took more than {after} s" in str(error), error
        return True
    return False


def timed(machine: Machine, command: str) -> float:
    begin = time.monotonic()
    machine.seedbed(command)
    return time.monotonic() - begin


def runs(machine: Machine) -> dict[str, bytes]:
    """Return the records of the run cache."""
    folder = machine.root / ".dvc/cache/runs"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def damaged_in_s3(place: Place) -> list[str]:
    """Return the objects of the bucket whose content has another hash than their name."""
    access = {
        "aws_access_key_id": KEYS["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": KEYS["AWS_SECRET_ACCESS_KEY"],
    }
    client = boto3.client(
        "s3", endpoint_url=place.options[1], region_name=KEYS["AWS_DEFAULT_REGION"], **access
    )
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=BUCKET, Prefix="project/files/md5/"
    )
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    assert keys, "the bucket holds no objects"
    wrong = []
    for key in keys:
        oid = "".join(key.split("/")[-2:])
        if hashlib.md5(
            client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        ).hexdigest() != oid.removesuffix(".dir"):
            wrong.append(oid)
    return wrong


@pytest.mark.slow
def test_nothing_is_missing_or_wrong_after_pushes_and_pulls_that_were_killed(
    tmp_path: Path,
) -> None:
    chance = random.Random(SEED)
    with ExitStack() as servers:
        pairs = []
        bucket = servers.enter_context(s3_place(tmp_path / "moto"))
        for name, place in (
            ("directory", Place(str(tmp_path / "directory/store"))),
            ("s3", bucket),
        ):
            folder = tmp_path / name
            folder.mkdir()
            first = new_machine(folder, FILES)
            subprocess.run(
                ["git", "init", "-q", "--bare", "-b", "main", str(folder / "git")], check=True
            )
            first.git("remote", "add", "origin", str(folder / "git"))
            first.set_up(place)
            pushing = timed(first, "push")
            second = first.cloned(folder / "second")
            pairs.append(Pair(first, second, {"push": pushing, "pull": timed(second, "pull")}))

        interrupted = 0
        for number in count():
            if interrupted >= INTERRUPTED:
                break
            assert number < INTERRUPTED, (
                f"only {interrupted} were still at work when they were to be killed"
            )
            pair = pairs[number % 2]
            change(pair.first, number)
            for machine, command in ((pair.first, "push"), (pair.second, "pull")):
                interrupted += killed(
                    machine, command, chance.uniform(0.1, 1.0) * pair.seconds[command]
                )
                machine.seedbed(command)
            assert content(pair.second.root) == content(pair.first.root), f"round {number}"
            assert pair.second.git("rev-parse", "HEAD") == pair.first.git("rev-parse", "HEAD")
            assert pair.second.experiment_commits() == pair.first.experiment_commits()
            assert runs(pair.second) == runs(pair.first)

        for pair in pairs:
            for root in (
                pair.first.root,
                pair.second.root,
                Path(pair.first.git("remote", "get-url", "origin")),
            ):
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
        assert damaged_in_s3(bucket) == []
        assert damaged_objects(tmp_path / "directory/store") == []
