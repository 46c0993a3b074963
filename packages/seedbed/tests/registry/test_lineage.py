"""What made a bundle is compared with every hash; a project's stages may have other names."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import pytest
from dvc.cli import main as dvc_main

from seedbed.registry.lineage import trace

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
    params: [dataset, model.rate, {code.yaml: [fetch]}]
    outs: [data/raw]
  count:
    cmd: wc -l < data/raw/rows.txt > count.txt
    deps: [data/raw]
    outs: [count.txt]
  package:
    cmd: mkdir -p models/bundle && cat data/raw/rows.txt > models/bundle/model && cp requirements.lock models/bundle
    deps: [data/raw]
    outs: [models/bundle]
"""
CODE = b"print(1)\n"
FILES = {
    "dvc.yaml": GRAPH,
    "conf/a.yaml": "conf_hash: c1\ndataset: {name: rows, window: {start: null, end: '2013-11-01'}}\nmodel: {name: mean, rate: 1}\n",
    "source.txt": "1\n2\n",
    "requirements.lock": "a==1\n",
    "src/project/fetch.py": CODE.decode(),
    "code.yaml": f"fetch: f1\nparts:\n  a: '1'\n  project/fetch.py: {hashlib.sha256(CODE.strip()).hexdigest()[:12]}\n",
}


def git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def root(shared_folder: Path, tmp_path: Path) -> Path:
    """A repository whose graph was run and committed; its bundle is any folder."""

    def make(root: Path) -> None:
        for name, text in FILES.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
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
    ("change", "wrong", "text"),
    [
        (None, None, "rows, the beginning to 2013-11-01: data/raw"),
        (None, None, "1 files, conf/ and requirements.lock, all as in that commit"),
        (other_rows, None, "not in the work tree"),
        (broken_chain, "chain", f"package read data/raw {'0' * 32}"),
        (edited("conf/a.yaml", "mean", "median"), "code", "conf is not as in that commit"),
        (edited("source.txt", "1", "3"), "code", "source.txt is not as in that commit"),
        (edited("src/project/fetch.py", "1", "2"), "code", "project/fetch.py is not as in that commit"),
        (edited("requirements.lock", "a==1", "a==2"), "code", "requirements.lock is not as in that commit"),
        (edited("params.yaml", "rate: 1", "rate: 2"), "parameters", "params.yaml has another model.rate"),
        (edited("params.yaml", "model", "<<<<<<< HEAD\nmodel"), "parameters", "another dataset"),
        (edited("code.yaml", "fetch: f1", "fetch: f2"), "parameters", "code.yaml has another fetch"),
        (conflict, None, "as in the work tree"),
    ],
)  # fmt: skip
def test_each_part_is_compared_with_its_hash(
    change: Callable[[Path], None] | None, wrong: str | None, text: str, root: Path
) -> None:
    if change:
        change(root)
    facts = trace(root, Path("models/bundle"))
    assert {fact.name for fact in facts if not fact.genuine} == ({wrong} if wrong else set()), facts
    assert any(text in fact.text for fact in facts if wrong in (None, fact.name)), facts
