"""Two runs in two folders give the same bytes, whatever the surroundings, and the figures that the README tells of."""

import json
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from seedbed.files import read_json

from support import Project, Served, copy_repository, outputs

OTHERWISE = {
    "PYTHONHASHSEED": "4321",
    "TZ": "Pacific/Auckland",
    "LC_ALL": "C",
    "LANG": "C",
    "OMP_NUM_THREADS": "1",
    "COLUMNS": "40",
    "HOME": "/nonexistent",
    "SEEDBED_COLD": "1",
}


def recorded(project: Project) -> dict[str, str]:
    """Return the hash of every output in dvc.lock."""
    stages = OmegaConf.load(project.root / "dvc.lock").stages
    return {out.path: out.md5 for stage in stages.values() for out in stage.get("outs", [])}


@pytest.mark.slow
def test_all_flights_twice(tmp_path: Path) -> None:
    found = []
    for folder, surroundings in (("first", {}), ("another place, höher", OTHERWISE)):
        (tmp_path / folder).mkdir()
        project = copy_repository(tmp_path / folder)
        project.run("seedbed", "compose", "--reset")
        assert len(project.stages_run("--force", unaided=True, **surroundings)) == 11
        found.append((recorded(project), outputs(project.root)))
        served = Served(project.root)
        assert len(served.rows) == len(served.recorded) > 40_000
        assert served.disagreements() == []
    first, second = found
    assert len(first[0]) > 15
    assert first == second
    the_figures_are_what_the_readme_says(project)


def the_figures_are_what_the_readme_says(project: Project) -> None:
    """The default model is as good as asked, and each trap looks better than it is."""
    trained, evaluated = (
        read_json(project.root / f"reports/{stage}/metrics.json") for stage in ("train", "evaluate")
    )
    assert evaluated["test"]["roc_auc"] >= 0.67
    for name, trap, gain in (
        ("shuffled", "split=random", 0.02),
        ("leaking", "+columns.move.dep_delay=number", 0.1),
    ):
        project.dvc("exp", "run", "--name", name, "-S", trap, "-S", "evaluation=quick", "train")
        trapped = json.loads(project.experiment_file(name, "reports/train/metrics.json"))
        for part in ("cv", "validation"):
            assert trapped[part]["roc_auc"] > trained[part]["roc_auc"] + gain, (name, part)
