"""Which versions there are and which is in use, by the tags of a repository."""

import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from seedbed.registry.versions import put_to_use, read_registry, register, versions_with


def git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    return tmp_path


def tagged(root: Path, *moves: str) -> None:
    """Give tags, one after the other: a version gets a commit of its own, and `v0.1.0>` puts that version to use."""
    for number, move in enumerate(moves, start=1):
        if move.endswith(">"):
            commit, name = f"model@{move[:-1]}^{{commit}}", f"model#production#{number}"
        else:
            git(root, "commit", "--quiet", "--allow-empty", "-m", move)
            commit, name = "HEAD", move if "#" in move else f"model@{move}"
        git(root, "tag", "--annotate", "-m", name, name, commit)


@pytest.mark.parametrize(
    ("moves", "versions", "now", "before"),
    [
        ([], [], None, None),
        (["v0.1.0", "v0.1.0>"], ["v0.1.0"], "v0.1.0", None),
        (["v0.9.0", "v0.9.0>", "v0.10.0", "v0.10.0>"], ["v0.9.0", "v0.10.0"], "v0.10.0", "v0.9.0"),
        # v0.2.0 is bad and rolled back, then v0.3.0 is bad: back to v0.1.0, and after that there is nothing to go back to.
        (["v0.1.0", "v0.1.0>", "v0.2.0", "v0.2.0>", "v0.1.0>", "v0.3.0", "v0.3.0>"], ["v0.1.0", "v0.2.0", "v0.3.0"], "v0.3.0", "v0.1.0"),
        (["v0.1.0", "v0.1.0>", "v0.2.0", "v0.2.0>", "v0.1.0>"], ["v0.1.0", "v0.2.0"], "v0.1.0", None),
        (["v0.1.0", "v0.1.0>", "v0.2.0", "v0.2.0>", "v0.1.0>", "v0.2.0>"], ["v0.1.0", "v0.2.0"], "v0.2.0", "v0.1.0"),
        (["v0.1.0", "v0.1.0>", "v0.2.0", "model#production-eu#9"], ["v0.1.0", "v0.2.0"], "v0.1.0", None),
        (["v0.1.0", "model#production"], ["v0.1.0"], None, None),
        (["v0.1.0", "v0.1.0>", "model#production!#3"], ["v0.1.0"], None, None),
        (["v0.2.0", "v0.2.0>", "v0.3.0-rc.1", "v0.3.0-rc.1>"], ["v0.2.0", "v0.3.0-rc.1"], "v0.3.0-rc.1", "v0.2.0"),
        (["v0.1.0", "v0.1.0>", "v0.2.0", "v0.2.0>", "v0.3.0", "v0.3.0>", "model@v0.2.0!#7"], ["v0.1.0", "v0.3.0"], "v0.3.0", "v0.1.0"),
        (["v0.1.0", "model@latest#1", "model@v1", "other@v2.0.0#1"], ["v0.1.0"], None, None),
    ],
)  # fmt: skip
def test_tags_say_which_versions_there_are_and_which_was_in_use(
    moves: list[str], versions: list[str], now: str | None, before: str | None, root: Path
) -> None:
    tagged(root, *moves)
    found = read_registry(root)
    assert (found.versions, found.in_use, found.used_before) == (versions, now, before)


@pytest.mark.parametrize(
    ("moves", "bump", "following"),
    [
        ([], "major", "v0.1.0"),
        (["v0.9.0", "v0.10.0"], "minor", "v0.11.0"),
        (["v0.3.0-rc.1"], "patch", "v0.3.1"),
        (["v0.2.0", "v0.3.0", "model@v0.3.0!#3"], "minor", "v0.4.0"),
        (["v1.2.3"], "major", "v2.0.0"),
    ],
)
def test_the_next_version_is_higher_than_any_there_ever_was(
    moves: list[str], bump: str, following: str, root: Path
) -> None:
    tagged(root, *moves)
    assert read_registry(root).next_version(bump) == following  # type: ignore[arg-type]


def test_what_is_registered_here_is_read_back(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Tester")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "tester@example.org")
    for version, digest in (("v0.1.0", "a1.dir"), ("v0.2.0", "b2.dir")):
        (root / "models").mkdir(exist_ok=True)
        (root / "models/champion.dvc").write_text(f"outs:\n- md5: {digest}\n  path: champion\n")
        git(root, "add", ".")
        git(root, "commit", "--quiet", "-m", version)
        register(root, version)
        put_to_use(root, version)
    git(root, "tag", "model@v9.9.9")  # GTO looks at annotated tags alone
    put_to_use(root, "v0.1.0")
    found = read_registry(root)
    assert (found.versions, found.in_use) == (["v0.1.0", "v0.2.0"], "v0.1.0")
    assert len(found.since) == len(found.uses) == 3
    assert found.since == sorted(found.since)
    assert all(datetime.fromisoformat(moment).tzinfo for moment in found.since)
    assert list(found.commits) == ["v0.1.0", "v0.2.0"]
    assert (versions_with(root, "b2.dir"), versions_with(root, "b2")) == (["v0.2.0"], [])
