"""On a "no" of the gate, package stops `dvc repro` and records a refusal in an experiment."""

from pathlib import Path

import pytest
import yaml

from project.stages.package import package
from seedbed.config.params import read_params
from seedbed.errors import UserError
from seedbed.models.gate import Verdict, read_refusal, write_refusal
from seedbed.serving import load_bundle

NO = Verdict(False, "roc_auc 0.500 is below the threshold 0.65.")
NAMES = ["dataset", "columns", "problem", "cleaning", "features", "split", "model"]
REPOSITORY = Path(__file__).parents[4]


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
    """A folder in which the gate said no; returns what package is called with."""
    params = read_params(NAMES, REPOSITORY)
    monkeypatch.chdir(tmp_path)
    for name in ("DVC_EXP_NAME", "SEEDBED_SLOT"):
        monkeypatch.delenv(name, raising=False)
    write_refusal(Path("reports/refusal.txt"), NO)
    return params


def test_repro_stops_with_the_reason_and_nothing_is_written(refused: dict) -> None:
    with pytest.raises(
        UserError,
        match=r"the gate refused this model.*roc_auc 0\.500 is below the threshold 0\.65\.",
    ):
        package(**refused)
    assert not Path("models").exists()


@pytest.mark.parametrize("variable", ["DVC_EXP_NAME", "SEEDBED_SLOT"])
def test_an_experiment_records_a_bundle_that_every_loader_refuses(
    refused: dict, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "some-name")
    before = Path("reports/refusal.txt").read_bytes()
    package(**refused)
    assert [file.name for file in Path("models/bundle").iterdir()] == ["verdict.json"]
    with pytest.raises(UserError, match=r"roc_auc 0\.500 is below the threshold 0\.65\."):
        load_bundle("models/bundle")
    after = Path("reports/refusal.txt").read_bytes()
    assert read_refusal(Path("reports/refusal.txt")) == NO.reason
    assert after != before, "other bytes, so that a later dvc repro runs gate and package again"


def test_a_missing_verdict_is_never_a_yes(refused: dict) -> None:
    Path("reports/refusal.txt").unlink()
    with pytest.raises(
        UserError, match=r"reports/refusal\.txt: there is no verdict.*dvc repro gate"
    ):
        package(**refused)


def test_dvc_yaml_names_the_refusal_as_a_dependency() -> None:
    graph = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text(encoding="utf-8"))
    assert {"reports/refusal.txt", "data/features"} <= set(graph["stages"]["package"]["deps"])
