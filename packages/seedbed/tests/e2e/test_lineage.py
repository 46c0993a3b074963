"""From a bundle back to the commit, data, parameters, code and packages that made it, hashes verified."""

from pathlib import Path

import pytest

from support import Project


def lineage(project: Project, folder: str = "models/bundle", good: bool = True) -> dict[str, str]:
    done = project.run("seedbed", "lineage", folder, check=False)
    assert "Traceback" not in done.stdout
    assert done.returncode == (0 if good else 1), done.stdout
    lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    return {name: f"{mark} {printed}" for mark, name, printed in lines}


def test_a_bundle_leads_to_its_commit_and_all_hashes_agree(project: Project) -> None:
    found = lineage(project)
    assert found["commit"].startswith(f"ok {project.git('rev-parse', '--short', 'HEAD')} of ")
    assert found["data"].startswith("ok flights: data/raw ")
    assert "model hist_gradient_boosting" in found["parameters"]
    assert "files, conf/ and requirements.lock, all as in that commit" in found["code"]
    assert "stages, each read what another made" in found["chain"]
    assert found["data"].endswith("as in the work tree")
    assert set(found) == {"bundle", "commit", "chain", "data", "parameters", "code"}


def test_a_bundle_that_is_missing_is_refused(project: Project) -> None:
    assert "Run `dvc repro package`" in project.refused("seedbed", "lineage", "models/nothing")


@pytest.mark.slow
def test_experiments_versions_and_folders_elsewhere_are_traced(
    with_experiments: Project, tmp_path: Path
) -> None:
    project = with_experiments
    project.run("seedbed", "promote")
    champion = lineage(project, "models/champion")
    assert champion["version"] == "ok model@v0.1.0"
    copied = tmp_path / "fetched"
    project.run("cp", "-r", "models/champion", str(copied))
    assert lineage(project, str(copied))["commit"] == champion["commit"]
    project.dvc("exp", "apply", "second")
    found = lineage(project)
    assert "(experiment second)" in found["commit"]
    assert "seed=2" in found["parameters"]


@pytest.mark.slow
def test_code_that_was_not_committed_is_told(project: Project) -> None:
    module = "seedbed/models/training.py"
    with (project.root / "packages/seedbed/src" / module).open("a") as file:
        file.write("\nANOTHER = 1\n")
    project.edit("conf/model/hist_gradient_boosting.yaml", "max_iter: 20", "max_iter: 19")
    project.dvc("repro")
    assert "If it is new, commit dvc.lock" in lineage(project, good=False)["commit"]
    project.git("add", "dvc.lock", "params.yaml", "code.yaml", "reports", "conf")
    project.git("commit", "--quiet", "-m", "without the code")
    found = lineage(project, good=False)
    assert found["code"] == f"WRONG {module} is not as in that commit"
