"""Two machines share the real project through a Git remote and a place for data: a directory, S3 and SSH."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from remotes_support import Machine
from servers import SSHD, Place, place_of

from support import Project, outputs

PLACES = [
    "directory",
    "s3",
    pytest.param("ssh", marks=pytest.mark.skipif(SSHD is None, reason="sshd is not installed")),
]


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A place for data, with its server."""
    with place_of(request.param, tmp_path / "place") as found:
        yield found


@pytest.mark.slow
def test_what_one_machine_made_the_other_takes_up_and_gives_back(
    with_experiments: Project, place: Place, tmp_path: Path
) -> None:
    first = Machine(with_experiments.root)
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(tmp_path / "git")], check=True)
    first.git("remote", "add", "origin", str(tmp_path / "git"))
    first.set_up(place)
    said = first.seedbed("push")
    assert "2 experiments (linear, second) to origin" in said

    second = first.cloned(tmp_path / "second")
    said = second.seedbed("pull")
    assert "2 experiments (linear, second) from origin" in said
    assert second.stages_run() == []
    assert outputs(second.root) == outputs(first.root)
    assert second.git("status", "--porcelain") == ""

    second.dvc("exp", "run", "--name", "theirs", "-S", "model=logistic_regression")
    assert "1 experiment (theirs) to origin" in second.seedbed("push")

    assert "1 experiment (theirs) from origin" in first.seedbed("pull")
    table = first.seedbed("compare", "main", "theirs", "--markdown").splitlines()
    figures = next(line for line in table if "test.roc_auc" in line)
    for ref in ("main", first.experiments()["theirs"]):
        recorded = json.loads(first.git("show", f"{ref}:reports/evaluate/metrics.json"))["test"][
            "roc_auc"
        ]
        assert f" {recorded:.4g} " in figures
    assert "| model.name | hist_gradient_boosting | logistic_regression |" in table
    assert "theirs" in first.dvc("exp", "show", "--csv")
    first.dvc("exp", "apply", "theirs")
    assert first.stages_run() == []
    assert outputs(first.root) == outputs(second.root)


@pytest.mark.slow
def test_the_experiments_of_a_sweep_go_from_machine_to_machine_without_a_warning(
    project: Project, tmp_path: Path
) -> None:
    first = Machine(project.root)
    first.run("python", "-m", "seedbed.sweep", "-m", "model=logistic_regression,dummy")
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(tmp_path / "git")], check=True)
    first.git("remote", "add", "origin", str(tmp_path / "git"))
    first.set_up(Place(str(tmp_path / "store")))
    said = first.seedbed("push").splitlines()
    assert [line.split(":")[0] for line in said] == ["data", "git"]
    second = first.cloned(tmp_path / "second")
    said = second.seedbed("pull").splitlines()
    assert [line.split(":")[0] for line in said] == ["git", "data", "work tree"]
    best = next(name for name in second.experiments() if name.startswith("logistic"))
    second.dvc("exp", "apply", best)
    assert second.stages_run() == ["evaluate", "gate", "package"]
