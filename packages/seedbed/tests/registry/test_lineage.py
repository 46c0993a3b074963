"""What made a bundle is held against every hash that there is; the stages of a project may have other names than ours."""

import shutil
import subprocess
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import pytest
from dvc.cli import main as dvc_main

from seedbed.registry import lineage
from seedbed.registry.lineage import trace
from seedbed.serving.recipe import OtherFormatError

from support import made_once

GRAPH = """
stages:
  compose:
    cmd: cp conf/a.yaml params.yaml
    deps: [conf]
    outs: [params.yaml: {cache: false, persist: true}]
  fetch:
    cmd: mkdir -p data/raw && cp source.txt data/raw/rows.txt
    deps: [source.txt]
    params: [dataset, model.rate]
    outs: [data/raw]
  count:
    cmd: wc -l < data/raw/rows.txt > count.txt
    deps: [data/raw]
    outs: [count.txt]
  package:
    cmd: mkdir -p models/bundle && cat data/raw/rows.txt requirements.lock > models/bundle/model && cp requirements.lock models/bundle
    deps: [data/raw, requirements.lock]
    outs: [models/bundle]
"""
CONF = "conf_hash: c1\ndataset: {name: rows, window: {start: null, end: '2013-11-01'}}\nmodel: {name: mean, rate: 1}\n"


def git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def root(shared_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose graph was run and committed; its bundle is any folder."""
    monkeypatch.setattr(lineage, "load_bundle", lambda path: None)

    def make(root: Path) -> None:
        (root / "conf").mkdir(parents=True)
        files = {
            "dvc.yaml": GRAPH,
            "conf/a.yaml": CONF,
            "source.txt": "1\n2\n",
            "requirements.lock": "a==1\n",
        }
        for name, text in files.items():
            (root / name).write_text(text)
        git(root, "init", "--quiet")
        with chdir(root):
            assert dvc_main(["init", "--quiet"]) == 0
            assert dvc_main(["repro", "--quiet"]) == 0
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", "run")

    return Path(shutil.copytree(made_once(shared_folder, "small-lineage", make), tmp_path / "root"))


def edited(file: str, old: str, new: str) -> Callable[[Path], None]:
    """Return a change of a file that the commit has as if it had always been so."""

    def change(root: Path) -> None:
        text = (root / file).read_text()
        assert old in text
        (root / file).write_text(text.replace(old, new, 1))
        git(root, "commit", "--quiet", "--all", "--amend", "--no-edit")

    return change


def other_rows(root: Path) -> None:
    (root / "data/raw/rows.txt").chmod(0o644)
    (root / "data/raw/rows.txt").write_text("1\n3\n")


def cached_rows(root: Path) -> Path:
    return next(
        file
        for file in (root / ".dvc/cache").rglob("*")
        if file.is_file() and file.read_bytes() == b"1\n2\n"
    )


def damaged_cache(root: Path) -> None:
    shutil.rmtree(root / "data/raw")
    cached_rows(root).chmod(0o644)
    cached_rows(root).write_bytes(b"1\n3\n")


def no_data(root: Path) -> None:
    shutil.rmtree(root / "data/raw")
    cached_rows(root).unlink()


def broken_chain(root: Path) -> None:
    lock = (root / "dvc.lock").read_text()
    before, package, after = lock.partition("  package:")
    read = after.index("md5: ", after.index("path: data/raw")) + 5
    (root / "dvc.lock").write_text(before + package + after[:read] + "0" * 32 + after[read + 32 :])
    git(root, "commit", "--quiet", "--all", "--amend", "--no-edit")


def conflict(root: Path) -> None:
    """Put a commit before the others in which dvc.lock has conflict marks."""
    lock = (root / "dvc.lock").read_text()
    git(root, "checkout", "--quiet", "--orphan", "merged")
    (root / "dvc.lock").write_text(f"<<<<<<< HEAD\n{lock}=======\n>>>>>>> other\n")
    git(root, "commit", "--quiet", "--all", "--message", "a merge", "--date", "2001-01-01")
    (root / "dvc.lock").write_text(lock)
    git(root, "commit", "--quiet", "--all", "--message", "mended")


@pytest.mark.parametrize(
    ("change", "wrong", "said"),
    [
        (None, None, "rows, the beginning to 2013-11-01: data/raw"),
        (other_rows, "data", "data/raw was changed by hand: `dvc checkout --force data/raw`"),
        (damaged_cache, "data", "damaged in DVC's cache"),
        (no_data, None, "not here to be looked at"),
        (broken_chain, "chain", f"package read data/raw {'0' * 32}"),
        (edited("conf/a.yaml", "mean", "median"), "code", "1 of 3 files are not as in that commit: conf"),
        (edited("source.txt", "1", "3"), "code", "1 of 3 files are not as in that commit: source.txt"),
        (edited("params.yaml", "rate: 1", "rate: 2"), "parameters", "in model.rate"),
        (edited("params.yaml", "model", "<<<<<<< HEAD\nmodel"), "parameters", "in dataset, model.rate"),
        (edited("requirements.lock", "a==1", "a==2"), "packages", "requirements.lock is not that commit's"),
        (conflict, None, "as in the work tree"),
    ],
)  # fmt: skip
def test_each_hash_is_held_against_what_it_names(
    change: Callable[[Path], None] | None, wrong: str | None, said: str, root: Path
) -> None:
    if change:
        change(root)
    facts = trace(root, Path("models/bundle"))
    told = {fact.name for fact in facts if not fact.genuine}
    # What is locked is code to the commit, too.
    assert told == ({wrong} | ({"code"} if wrong == "packages" else set()) if wrong else set()), (
        facts
    )
    assert any(said in fact.said for fact in facts if wrong in (None, fact.name)), facts


def test_a_bundle_that_today_cannot_load_is_as_it_was_packaged(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> None:
        raise OtherFormatError("format is 1, and this version of seedbed reads 2")

    monkeypatch.setattr(lineage, "load_bundle", fail)
    facts = {fact.name: fact for fact in trace(root, Path("models/bundle"))}
    assert all(fact.genuine for fact in facts.values())
    assert "format is 1" in facts["files"].said
