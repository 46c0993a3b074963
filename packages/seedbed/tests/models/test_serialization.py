"""A model file gives back the same model, and a file with anything else in it makes nothing."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from seedbed.errors import UserError
from seedbed.models.features import feature_frame, feature_kinds
from seedbed.models.predicting import predict_scores
from seedbed.models.serialization import EPOCH, dump_pipeline, load_pipeline

MODELS = sorted(path.stem for path in (Path(__file__).parents[4] / "conf" / "model").glob("*.yaml"))


@pytest.mark.parametrize(
    ("name", "changes", "task"),
    [
        *((name, {}, task) for name in MODELS for task in ("binary", "multiclass", "regression")),
        *(
            ("logistic_regression", {"calibration": "isotonic"}, task)
            for task in ("binary", "multiclass")
        ),
        ("random_forest", {"calibration": "sigmoid"}, "binary"),
    ],
)
def test_a_loaded_model_says_the_same(
    name: str, task: str, changes: dict[str, str], tables, fitted_of, tmp_path: Path
) -> None:
    features = feature_frame(tables[task], feature_kinds(tables[task]))
    pipeline = fitted_of(name, task, **changes)
    dump_pipeline(pipeline, tmp_path / "pipeline.skops")
    classes = ("0", "1", "2")
    np.testing.assert_array_equal(
        predict_scores(load_pipeline(tmp_path / "pipeline.skops"), features, task, classes),
        predict_scores(pipeline, features, task, classes),
    )


def test_a_file_holds_no_date_and_no_address(fitted_of, tmp_path: Path) -> None:
    dump_pipeline(fitted_of("random_forest", "regression"), tmp_path / "a.skops")
    dump_pipeline(load_pipeline(tmp_path / "a.skops"), tmp_path / "b.skops")
    with zipfile.ZipFile(tmp_path / "a.skops") as file:
        assert {entry.date_time for entry in file.infolist()} == {EPOCH}
        assert all(len(entry.filename) < 12 for entry in file.infolist())
    assert (tmp_path / "a.skops").read_bytes() == (tmp_path / "b.skops").read_bytes()


def test_a_harmful_file_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "harmed"
    schema = {
        "__class__": "Harm",
        "__module__": "builtins",
        "__loader__": "ObjectNode",
        "__id__": 1,
        "content": {
            "__class__": "partial",
            "__module__": "functools",
            "__loader__": "PartialNode",
            "__id__": 2,
            "content": {
                "func": {
                    "__class__": "system",
                    "__module__": "os",
                    "__loader__": "FunctionNode",
                    "__id__": 3,
                    "content": "os.system",
                },
                "args": {
                    "__class__": "tuple",
                    "__module__": "builtins",
                    "__loader__": "TupleNode",
                    "__id__": 4,
                    "content": [
                        {
                            "__class__": "str",
                            "__module__": "builtins",
                            "__loader__": "JsonNode",
                            "content": json.dumps(f"touch {mark}"),
                            "is_json": True,
                        }
                    ],
                },
                "kwds": {
                    "__class__": "dict",
                    "__module__": "builtins",
                    "__loader__": "DictNode",
                    "__id__": 5,
                    "content": {},
                    "key_types": {
                        "__class__": "list",
                        "__module__": "builtins",
                        "__loader__": "ListNode",
                        "__id__": 6,
                        "content": [],
                    },
                },
                "namespace": {
                    "__class__": "dict",
                    "__module__": "builtins",
                    "__loader__": "DictNode",
                    "__id__": 7,
                    "content": {},
                    "key_types": {
                        "__class__": "list",
                        "__module__": "builtins",
                        "__loader__": "ListNode",
                        "__id__": 8,
                        "content": [],
                    },
                },
            },
        },
        "protocol": 2,
        "_skops_version": "0.16.0",
    }
    with zipfile.ZipFile(tmp_path / "bad.skops", "w") as file:
        file.writestr("schema.json", json.dumps(schema))
    with pytest.raises(
        UserError, match=r"bad\.skops.*os\.system.*not on the list of trusted types"
    ):
        load_pipeline(tmp_path / "bad.skops")
    assert not mark.exists()


def test_a_type_that_could_not_be_loaded_is_not_written(tmp_path: Path) -> None:
    from sklearn.model_selection import GridSearchCV, PredefinedSplit
    from sklearn.pipeline import Pipeline
    from sklearn.tree import DecisionTreeRegressor

    foreign = Pipeline(
        [("search", GridSearchCV(DecisionTreeRegressor(), {}, cv=PredefinedSplit([0, 1])))]
    )
    with pytest.raises(UserError, match="PredefinedSplit.*`trusted` under"):
        dump_pipeline(foreign, tmp_path / "pipeline.skops")
    assert not list(tmp_path.iterdir())


def test_a_function_that_could_not_be_found_again_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer

    double = lambda rows: rows * 2  # noqa: E731
    double.__module__ = "project.models"
    with pytest.raises(
        UserError, match=r"pipeline\.skops: the model holds project\.models\.<lambda>, "
    ):
        dump_pipeline(
            Pipeline([("double", FunctionTransformer(double))]), tmp_path / "pipeline.skops"
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"not a zip at all"])
def test_a_broken_file_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "pipeline.skops").write_bytes(content)
    with pytest.raises(UserError, match=r"pipeline\.skops: this is not a model file"):
        load_pipeline(tmp_path / "pipeline.skops")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"pipeline\.skops: there is no such model.*dvc"):
        load_pipeline(tmp_path / "pipeline.skops")
