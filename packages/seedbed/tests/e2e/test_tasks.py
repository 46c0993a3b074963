"""The graph on other problems and from other sources than the default's."""

from pathlib import Path

import pandas as pd
import pytest
from omegaconf import OmegaConf

from seedbed.config.schema import Dataset, Source
from seedbed.data.sources import read_source
from seedbed.files import read_json

from support import EVERY_STAGE, Project, Served, output_hash, stages_in


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dataset", "metric", "answers"),
    [
        ("wine", "log_loss", ["prediction", "score_0", "score_1", "score_2"]),
        ("diabetes", "rmse", ["prediction"]),
    ],
)
def test_every_stage_runs_on_it_and_the_bundle_answers(
    project: Project, dataset: str, metric: str, answers: list[str]
) -> None:
    # The thresholds of the prepared repository are for flights.
    changes = (
        "-S",
        f"dataset={dataset}",
        "-S",
        "evaluation=quick",
        "-S",
        "~gate.thresholds.roc_auc",
    )
    assert stages_in(project.dvc("exp", "run", *changes)) == EVERY_STAGE
    details = read_json(project.root / "reports/evaluate/details.json")
    assert details["metric"] == metric
    assert details["test"][metric]["value"] < details["baseline"][metric]["value"]
    served = Served(project.root)
    assert list(served.bundle.predict(served.rows)) == answers
    assert len(served.rows) == len(served.recorded) == details["rows"]["test"]
    assert served.disagreements() == []


@pytest.fixture(scope="module")
def tables(prepared: Path) -> dict[str, pd.DataFrame]:
    """The tables of the default dataset as the package has them."""
    params = OmegaConf.to_container(OmegaConf.load(prepared / "params.yaml"))
    dataset = Dataset.model_validate(params["dataset"])  # type: ignore[index,call-overload]
    return {
        name: read_source(Source(kind="package"), dataset, name, {}) for name in dataset.table_names
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_same_rows_come_from_files(
    project: Project, tables: dict[str, pd.DataFrame], kind: str, tmp_path: Path
) -> None:
    folder = tmp_path / "given rows"
    folder.mkdir()
    for name, table in tables.items():
        getattr(table, f"to_{kind}")(folder / f"{name}.{kind}", index=False)
    source = ("-S", f"source={kind}", "-S", f"source.path='{folder}'")
    assert stages_in(project.dvc("exp", "run", *source, "ingest")) == ["compose", "ingest"]
    before = OmegaConf.create(project.git("show", "main:dvc.lock"))
    assert output_hash(project.root, "ingest", "data/raw") == before.stages.ingest.outs[0].md5
