"""A repository works in a long path with spaces and letters beyond ASCII, under LC_ALL=C, and with such names in it."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from support import Project, copy_repository, stages_in

FOLDER = Path("jürgen projekt", "ein langer Ordner " * 8, "noch ein längerer " * 8, "déjà vu")
GROUP = "# Constant answers: dvc exp run -S \"model='größe'\"\n"
AS_C = {"LC_ALL": "C", "LANG": "C"}
"""Stages and commands start on their own, so that each reads the locale for itself."""


def run(project: Project, *command: str) -> str:
    return project.run(*command, unaided=True, **AS_C).stdout


@pytest.mark.slow
def test_the_graph_experiments_and_adopt(tmp_path: Path) -> None:
    root = tmp_path / FOLDER / "repo"
    root.mkdir(parents=True)
    project = copy_repository(root)
    project.git("config", "user.name", "Jürgen Größe")
    project.edit("conf/config.yaml", "dataset: flights", "dataset: wine")
    text = (project.root / "conf/model/dummy.yaml").read_text(encoding="utf-8")
    (project.root / "conf/model/größe.yaml").write_text(
        GROUP + text.replace("name: dummy", "name: größe"), encoding="utf-8"
    )
    assert stages_in(run(project, "dvc", "repro"))[-1] == "package"
    project.commit("größe")
    assert "are in step" in run(project, "seedbed", "check")
    assert "up to date" in run(project, "seedbed", "status")

    question = "problem.question='Wie groß ist Jürgens Wein?'"
    choices = ["-S", "model='größe'", "-S", question]
    run(project, "dvc", "exp", "run", *choices, "--name", "größe", "train")
    assert "größe" in run(project, "dvc", "exp", "list", "--name-only")
    printed = run(project, "seedbed", "adopt", "groesse")
    assert f"model='größe', {question}" in printed
    assert stages_in(run(project, "dvc", "repro", "train")) == ["compose"]
    assert OmegaConf.load(project.root / "params.yaml").model.name == "größe"

    for target in ("restore", "show", "gc"):
        run(project, "make", "-o", ".venv/.installed", target)
    assert "nothing to mend" in run(project, "seedbed", "doctor")
