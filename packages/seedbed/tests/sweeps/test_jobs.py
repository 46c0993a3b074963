"""A job's name tells what it is and depends on all that decides its result; what became of it is recorded."""

import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from seedbed.config.compose import compose_text
from seedbed.sweeps.jobs import digest_of, experiment_name, params_of
from seedbed.sweeps.snapshot import Sweep

from support import REPOSITORY

SWEEP = Sweep("/somewhere", "b" * 40, "s" * 40, "t" * 40, "sweep", ("cv.roc_auc",))
DIGEST = digest_of("params", SWEEP)


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], ""),
        (["model=mlp", "seed=1"], "mlp-seed1-"),
        (["model.arguments.C=0.5"], "C0.5-"),
        (["model.arguments.C=1e-3"], "C1e-3-"),
        (["model=-mlp"], "mlp-"),
        (["+model/extra=x"], "x-"),
        (["~gate.thresholds"], "thresholds-"),
        (["model.arguments.hidden_layer_sizes=[32,16]"], "hidden_layer_sizes32_16-"),
        (["problem.question='Will it?'"], "questionWill_it-"),
        (["dataset.tables.a.path=../x..y.lock"], "pathx.y.lock-"),
        (["a.b=ü"], "b-"),
        (["model.arguments.rate=0.012345678"], "rate0.01235-"),
        (["a.b=" + "x" * 57 + "1", "c.d=1"], "b" + "x" * 57 + "1-"),
    ],
)
def test_an_experiment_is_named_by_its_overrides(overrides: list[str], expected: str) -> None:
    assert experiment_name(overrides, DIGEST) == expected + DIGEST


@pytest.mark.parametrize("overrides", [["a.b=" + "x" * 300], ["a=v" + "." * 80], [f"k.k{n}={n}.{n}" for n in range(40)], ["a.b=~^:?*[\\ @{"], ["x.y=a.lock"], ["s=-"], ["s='..'"]])  # fmt: skip
def test_git_allows_every_name_and_it_is_not_too_long(overrides: list[str]) -> None:
    name = experiment_name(overrides, DIGEST)
    assert len(name) <= 71
    assert "/" not in name
    subprocess.run(["git", "check-ref-format", f"refs/exps/aa/bb/{name}"], check=True)


PRINTING = """
import subprocess, sys
from pathlib import Path
from seedbed.sweeps.jobs import output_to

print("before")
for number in (1, 2):
    with output_to(Path(sys.argv[1])):
        print(f"python {number}")
        print("error", file=sys.stderr)
        subprocess.run(["sh", "-c", "echo child; echo failed >&2"], check=True)
print("after")
"""


def test_all_that_is_printed_goes_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "logs/job.log"
    command = [sys.executable, "-c", PRINTING, log]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("before\nafter\n", "")
    lines = sorted(log.read_text().splitlines())
    assert lines == sorted(["python 1", "python 2", *["error", "child", "failed"] * 2])


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["model=mlp", "seed=3"],
        ["dataset=diabetes", "model=random_forest", "+experiment=debug"],
        ["~gate.thresholds", "+model.arguments.extra='a: ü'"],
    ],
)
def test_a_job_has_the_parameters_that_dvc_would_compose(overrides: list[str]) -> None:
    with initialize_config_dir(str(REPOSITORY / "conf"), version_base=None):
        composed = compose("sweep", [*overrides, "sweep.objective=validation"])
    before = composed.copy()
    assert params_of(composed, REPOSITORY) == compose_text(REPOSITORY, overrides)
    assert composed == before
