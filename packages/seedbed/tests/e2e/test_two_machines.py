"""Two machines share the real project through a Git remote and a directory, S3 or SSH."""

from pathlib import Path

import pytest

from remotes_support import Machine
from servers import SSHD, Place, place_of

from support import Project, outputs

needs_sshd = pytest.mark.skipif(SSHD is None, reason="sshd is not installed")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["directory", "s3", pytest.param("ssh", marks=needs_sshd)])
def test_a_second_machine_runs_nothing_and_its_experiment_comes_back(
    kind: str, with_experiments: Project, tmp_path: Path
) -> None:
    first = Machine(with_experiments.root).with_git_remote(tmp_path / "git")
    with place_of(kind, tmp_path / kind) as place:
        first.set_up(place)
        assert "experiments linear, second to origin" in first.seedbed("push")

        second = first.cloned(tmp_path / "second")
        assert "experiments linear, second from origin" in second.seedbed("pull")
        assert second.stages_run() == []
        assert outputs(second.root) == outputs(first.root)
        assert "in step" in second.seedbed("check")
        assert second.git("status", "--porcelain") == ""

        second.dvc("exp", "run", "--name", "theirs", "-S", "model=logistic_regression")
        assert "experiments theirs to origin" in second.seedbed("push")
        assert "experiments theirs from origin" in first.seedbed("pull")
        assert "theirs" in first.dvc("exp", "show", "--csv")
        first.dvc("exp", "apply", "theirs")
        assert first.stages_run() == []
        assert outputs(first.root) == outputs(second.root)


@pytest.mark.slow
def test_the_experiments_of_a_sweep_go_from_machine_to_machine(
    project: Project, tmp_path: Path
) -> None:
    first = Machine(project.root).with_git_remote(tmp_path / "git")
    first.run("python", "-m", "seedbed.sweep", "-m", "model=logistic_regression,dummy")
    first.set_up(Place(str(tmp_path / "store")))
    first.seedbed("push")
    second = first.cloned(tmp_path / "second")
    second.seedbed("pull")
    best = next(name for name in second.experiments() if name.startswith("logistic"))
    second.dvc("exp", "apply", best)
    assert second.stages_run() == ["evaluate", "gate", "package"]
