"""A job's name tells what it is and depends on all that decides its result; what it prints goes to its log."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from seedbed.config.compose import compose_text
from seedbed.errors import UserError
from seedbed.sweeps.jobs import at_work_in, digest_of, experiment_name, output_to, params_of
from seedbed.sweeps.pin import Pin

from support import REPOSITORY

PIN = Pin("/somewhere", "b" * 40, "s" * 40, "t" * 40, "sweep")
DIGEST = digest_of("params", PIN)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["model=mlp"], "mlp"),
        (["model=mlp", "seed=1"], "mlp-seed1"),
        (["model.arguments.C=0.5"], "C0.5"),
        (["model.arguments.C=1e-3"], "C1e-3"),
        (["model.arguments.C=-1"], "C-1"),
        (["model=-mlp"], "mlp"),
        (["+model/extra=x"], "x"),
        (["~gate.thresholds"], "thresholds"),
        (["model.arguments.hidden_layer_sizes=[32,16]"], "hidden_layer_sizes32_16"),
        (["problem.question='Will it?'"], "questionWill_it"),
        (["dataset.tables.a.path=../x..y.lock"], "pathx.y.lock"),
        (["a.b=ü"], "b"),
        (
            ["model.C=0.7151893663724195", "a.b=2.5e-05", "c.d=0.00012345678"],
            "C0.7152-b2.5e-05-d0.0001235",
        ),
    ],
)
def test_a_name_can_be_read(overrides: list[str], words: str) -> None:
    assert experiment_name(overrides, DIGEST).rpartition("-")[0] == words


def test_a_name_that_is_cut_does_not_end_in_the_middle_of_a_sign() -> None:
    words = experiment_name(["a.b=" + "x" * 57 + "1", "c.d=1"], DIGEST).rpartition("-")[0]
    assert words == "b" + "x" * 57 + "1"


def test_without_overrides_the_name_is_the_hash_alone() -> None:
    assert re.fullmatch("[0-9a-f]{10}", experiment_name([], DIGEST))


@pytest.mark.parametrize("overrides", [["a.b=" + "x" * 300], ["a=v" + "." * 80], [f"k.k{n}={n}.{n}" for n in range(40)], ["a.b=~^:?*[\\ @{"], ["x.y=a.lock"], ["s=-"], ["s='..'"]])  # fmt: skip
def test_git_allows_every_name_and_it_is_not_too_long(overrides: list[str]) -> None:
    name = experiment_name(overrides, DIGEST)
    assert len(name) <= 71
    assert (
        subprocess.run(
            ["git", "check-ref-format", f"refs/exps/aa/bb/{name}"], check=False
        ).returncode
        == 0
    ), name
    assert "/" not in name


def test_a_job_is_found_again_by_what_decides_its_result() -> None:
    assert experiment_name(["seed=1"], DIGEST) == f"seed1-{DIGEST}"
    elsewhere = replace(PIN, root="/elsewhere", snapshot="x" * 40, name="other")
    assert digest_of("params", elsewhere) == DIGEST, "a sweep goes on where another one was"
    others = [
        ("other", PIN),
        ("params", replace(PIN, baseline="c" * 40)),
        ("params", replace(PIN, tree="u" * 40)),
    ]
    assert len({DIGEST, *(digest_of(text, pin) for text, pin in others)}) == 4


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
    done = subprocess.run(
        [sys.executable, "-c", PRINTING, log], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("before\nafter\n", "")
    told = log.read_text().splitlines()
    one, two = told[:4], told[4:]
    assert sorted(one) == sorted(["python 1", "error", "child", "failed"])
    assert sorted(two) == sorted(["python 2", "error", "child", "failed"]), (
        "a log is added to, not begun anew"
    )


def test_after_an_error_the_output_is_where_it_was(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    opened = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0  # noqa: PTH208
    with pytest.raises(ValueError, match="no"), output_to(tmp_path / "job.log"):
        raise ValueError("no")
    subprocess.run(["echo", "here"], check=True)
    assert capfd.readouterr().out == "here\n"
    if sys.platform == "linux":
        assert len(os.listdir("/proc/self/fd")) == opened, "a descriptor stays open for each job"  # noqa: PTH208


def test_folder_and_environment_are_those_of_the_slot_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEPT", "before")
    monkeypatch.setenv("REMOVED", "before")
    before, here = dict(os.environ), Path.cwd()
    with (
        pytest.raises(ValueError, match="no"),
        at_work_in(tmp_path, {"KEPT": "slot", "SEEDBED_SLOT": "x"}),
    ):
        assert Path.cwd() == tmp_path
        assert (os.environ["KEPT"], os.environ["SEEDBED_SLOT"]) == ("slot", "x")
        os.environ["MADE_BY_A_STAGE"] = "1"
        del os.environ["REMOVED"]
        raise ValueError("no")
    assert Path.cwd() == here
    assert dict(os.environ) == before


def composed_for_a_job(*overrides: str) -> DictConfig:
    with initialize_config_dir(str(REPOSITORY / "conf"), version_base=None):
        return compose("sweep", list(overrides))


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["model=mlp", "seed=3"],
        ["dataset=diabetes", "model=random_forest", "+experiment=debug"],
        ["~gate.thresholds", "+model.arguments.extra='a: b'"],
    ],
)
def test_a_job_has_the_parameters_that_dvc_would_compose(overrides: list[str]) -> None:
    found = params_of(composed_for_a_job(*overrides, "sweep.objective=validation"), REPOSITORY)
    assert found == compose_text(REPOSITORY, overrides)


def test_what_hydra_composed_stays_as_it_was() -> None:
    composed = composed_for_a_job()
    before = OmegaConf.to_yaml(composed)
    params_of(composed, REPOSITORY)
    assert OmegaConf.to_yaml(composed) == before


def test_a_value_that_stands_for_nothing_is_named() -> None:
    with pytest.raises(UserError, match=r"seed is '\$\{nowhere\}'"):
        params_of(composed_for_a_job("seed=${nowhere}"), REPOSITORY)
