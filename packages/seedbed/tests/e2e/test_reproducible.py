"""Two runs in two folders give the same bytes, whatever the surroundings, and a trap looks better than it is."""

import json
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from seedbed.files import read_json

from support import LONG, Project, Served, copy_repository, outputs

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
def test_the_flights_twice(tmp_path: Path) -> None:
    """Of a sixth of the flights, of all with LONG=1."""
    found = []
    for folder, surroundings in (("first", {}), ("another place, höher", OTHERWISE)):
        (tmp_path / folder).mkdir()
        project = copy_repository(tmp_path / folder)
        if not LONG:
            project.edit("conf/dataset/flights.yaml", "sample: null", "sample: 50000")
        project.run("seedbed", "compose", "--reset")
        # Stages that are forks of a warm process make what those make that import all themselves.
        cold = bool(surroundings)
        assert len(project.stages_run("--force", unaided=cold, **surroundings)) == 11
        found.append((recorded(project), outputs(project.root)))
        served = Served(project.root)
        assert len(served.rows) == len(served.recorded) > (40_000 if LONG else 6_000)
        assert served.disagreements() == []
    first, second = found
    assert len(first[0]) > 15
    assert first == second
    traps_look_better_than_they_are(project)


def traps_look_better_than_they_are(project: Project) -> None:
    """What shuffles time, or knows the outcome, has better figures than the honest model."""
    trained = read_json(project.root / "reports/train/metrics.json")
    for name, trap, gain in (
        ("shuffled", "split=random", 0.02),
        ("leaking", "+columns.move.dep_delay=number", 0.1),
    ):
        project.dvc("exp", "run", "--name", name, "-S", trap, "-S", "evaluation=quick", "train")
        trapped = json.loads(project.experiment_file(name, "reports/train/metrics.json"))
        for part in ("cv", "validation"):
            assert trapped[part]["roc_auc"] > trained[part]["roc_auc"] + gain, (name, part)
