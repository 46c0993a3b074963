"""A message names the one file of conf/ that a value comes from."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from seedbed.config.compose import compose_text
from seedbed.config.homes import home_of

DEBUG = "conf/experiment/debug.yaml"


@pytest.mark.parametrize(
    ("overrides", "key", "home"),
    [
        ([], "seed", "conf/config.yaml"),
        ([], "split.folds", "conf/split/time.yaml"),
        (["split=random"], "split.folds", "conf/split/random.yaml"),
        (["dataset=wine"], "split.folds", "conf/split/random.yaml"),
        (["dataset=wine"], "problem.metric", "conf/dataset/wine.yaml"),
        (["dataset=wine"], "gate.thresholds", "conf/gate/wine.yaml"),
        (["model=mlp"], "model.calibration", "conf/model/mlp.yaml"),
        (["problem.metric=rmse"], "problem.metric", "conf/dataset/flights.yaml"),
        ([], "dataset.sample", "conf/dataset/flights.yaml"),
        (["+experiment=debug"], "dataset.sample", f"conf/dataset/flights.yaml or {DEBUG}"),
        ([], "expectations.suite.2.severity", "conf/expectations/flights.yaml"),
        ([], "features.derived.new.kind", "conf/dataset/flights.yaml"),
        ([], "nothing.of.the.kind", "conf/config.yaml"),
    ],
)
def test_the_home_of_a_key(root: Path, overrides: list[str], key: str, home: str) -> None:
    values = OmegaConf.to_container(OmegaConf.create(compose_text(root, overrides)))
    assert home_of(key, root, values) == home  # type: ignore[arg-type]
