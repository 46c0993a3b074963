"""A plain Hydra multirun that trains as the graph does, with nothing versioned.

python benchmarks/plain_sweep.py -m hydra/launcher=joblib 'seed=range(20)', from the repository's
root, where data/features is.
"""

from functools import cache
from pathlib import Path
from typing import Any

import hydra
import pandas as pd
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from seedbed.config.params import check_params
from seedbed.data.tables import read_table
from seedbed.models.reports import write_model, write_report
from seedbed.models.training import train_model

ROOT = Path.cwd()


@cache
def rows() -> pd.DataFrame:
    """Read the table once for all jobs of a worker."""
    return read_table(ROOT / "data/features")


def job(config: DictConfig) -> float:
    """Train, and write what the stage writes into the job's folder."""
    values: Any = OmegaConf.to_container(config, resolve=True)
    params = check_params(values, ROOT)
    trained = train_model(
        rows(),
        params.problem,
        params.split,
        params.model,
        params.evaluation,
        params.seed,
        params.features,
    )
    out = Path(HydraConfig.get().runtime.output_dir)
    write_model(trained.pipeline, trained.decision, out / "model")
    write_report(trained, params.model.name, out / "report")
    return float(trained.headline["cv"][trained.details["metric"]])


if __name__ == "__main__":
    # Workers import the task by its module's name.
    from plain_sweep import job as importable

    hydra.main(version_base=None, config_path=str(ROOT / "conf"), config_name="config")(
        importable
    )()
