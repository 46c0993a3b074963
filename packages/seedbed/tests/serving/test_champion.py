"""The champion predicts today's test rows, or the comparison says why it cannot."""

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from seedbed.config.columns import resolve_columns
from seedbed.config.params import read_params
from seedbed.data.cleaning import clean_values
from seedbed.data.roles import row_key
from seedbed.data.tables import read_table
from seedbed.errors import UserError
from seedbed.models.comparison import Comparison
from seedbed.serving import load_bundle
from seedbed.serving.champion import compare_with_champion, has_champion, raw_test_rows

from support import sign_again

Built = Callable[[str], Path]
Given = dict[str, Any]
NAMES = ["columns", "problem", "cleaning", "evaluation", "seed"]
CHAMPION = Path("models/champion")


@pytest.fixture(params=["flights", "wine", "diabetes"])
def given(
    request: pytest.FixtureRequest, built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Given:
    """What is compared, in a repository whose bundle was promoted: a problem of each kind."""
    return promote(built(request.param), tmp_path, monkeypatch)


@pytest.fixture
def flights(built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Given:
    return promote(built("flights"), tmp_path, monkeypatch)


def promote(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Given:
    root = Path(shutil.copytree(built, tmp_path / "root"))
    shutil.copytree(root / "models/bundle", root / CHAMPION)
    (root / "models/champion.dvc").touch()
    monkeypatch.chdir(root)
    tables = {name: read_table(root / "data" / name) for name in ("raw", "predictions")}
    params = read_params(NAMES, root)
    return {**tables, **params, "columns": resolve_columns(params["columns"], tables["raw"])}


def rows_to_test(given: Given) -> pd.DataFrame:
    names = ("raw", "predictions", "columns", "problem", "cleaning")
    return raw_test_rows(**{name: given[name] for name in names})


def test_the_packaged_model_is_identical_to_itself(given: Given) -> None:
    assert has_champion()
    assert compare_with_champion(**given) == Comparison(identical=True)


def test_another_model_is_measured_on_the_same_rows(given: Given) -> None:
    task, metric = given["problem"].task, given["problem"].metric
    predictions = given["predictions"]
    if task == "regression":
        predictions["_prediction"] *= 0.9
    elif task == "binary":
        predictions["_score"] **= 2
        predictions["_prediction"] = ~predictions["_prediction"]
    else:
        scores = list(predictions.filter(like="_score"))
        predictions[scores] = 1 / len(scores)
    found = compare_with_champion(**given)
    assert found.obstacle is None
    assert not found.identical
    assert found.champion.keys() == found.challenger.keys() == found.difference.keys()
    if task == "binary":
        order = found.difference["roc_auc"]["value"]
        assert order == pytest.approx(0, abs=1e-12), "the order of the scores is the same"
        assert found.difference["accuracy"]["value"] != 0
    else:
        assert found.difference[metric]["value"] < 0, "positive is better in each metric"


def test_without_a_promotion_there_is_no_champion(flights: Given) -> None:
    Path("models/champion.dvc").unlink()
    assert not has_champion()


def test_rows_come_raw_and_in_the_order_of_the_predictions(flights: Given) -> None:
    raw = flights["raw"]
    repeated = pd.concat([raw, raw.iloc[::7]], ignore_index=True)
    answers = load_bundle("models/bundle").predict(rows_to_test({**flights, "raw": repeated}))
    assert (answers["score"].to_numpy() == flights["predictions"]["_score"].to_numpy()).all()


def lack_a_column(given: Given, column: str) -> None:
    given["raw"] = rows_to_test(given).drop(columns=column)
    given["columns"] = {name: role for name, role in given["columns"].items() if name != column}
    cleaned = clean_values(given["raw"], given["columns"], given["cleaning"])
    given["predictions"] = given["predictions"].assign(_row=row_key(cleaned, given["columns"]))


def ask_another_question(given: Given) -> None:
    given["problem"] = given["problem"].model_copy(update={"above": 30.0})


def use_rows_of_its_training(given: Given) -> None:
    rows = read_table(Path("data/features"), ["_row", "_split"])
    seen = rows.loc[rows["_split"] == "train", "_row"].to_numpy()[:40]
    others = given["predictions"]["_row"].to_numpy()[40:]
    given["predictions"] = given["predictions"].assign(_row=np.concatenate([seen, others]))


def make_by_another_version(given: Given) -> None:
    sign_again(CHAMPION, format=1)


def add_to_the_recipe(given: Given) -> None:
    decision = json.loads((CHAMPION / "bundle.json").read_text())["decision"]
    sign_again(CHAMPION, decision={**decision, "cost": 2})


def write_an_unreadable_pipeline(given: Given) -> None:
    """A whole bundle whose pipeline another version of scikit-learn may have written."""
    file = CHAMPION / "pipeline.skops"
    file.write_bytes(b"written by the packages of another year")
    files = json.loads((CHAMPION / "bundle.json").read_text())["files"]
    files[file.name] = hashlib.sha256(file.read_bytes()).hexdigest()
    sign_again(CHAMPION, files=files)


@pytest.mark.parametrize(
    ("change", "obstacle"),
    [
        (lambda given: lack_a_column(given, "dest"), "lack its column dest"),  # a feature
        (lambda given: lack_a_column(given, "flight"), "lack its column flight"),  # of the key
        (ask_another_question, r"another question: its problem\.above is .*today's is 30\.0"),
        (use_rows_of_its_training, r"at least 40 of the [\d,]+ test rows.* better than it is$"),
        (make_by_another_version, "format is 1, and this version of seedbed reads 5"),
        (add_to_the_recipe, r"it does not fit this version of seedbed \(decision\.cost: "),
        (
            write_an_unreadable_pipeline,
            "not a model file that can be read.*with the versions in models/champion/requirements",
        ),
    ],
)
def test_a_champion_that_cannot_be_compared_is_an_obstacle_and_no_error(
    change: Callable[[Given], None], obstacle: str, flights: Given
) -> None:
    change(flights)
    found = compare_with_champion(**flights)
    assert found.obstacle
    assert re.search(obstacle, found.obstacle), found.obstacle
    assert not found.obstacle.endswith(".")


def test_a_pipeline_that_fails_in_the_packages_of_today_is_an_obstacle(
    flights: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise AttributeError("'SimpleImputer' object has no attribute '_fill_dtype'")

    monkeypatch.setattr("seedbed.serving.bundle.predict_scores", fail)
    obstacle = compare_with_champion(**flights).obstacle
    assert obstacle
    assert "installed now it cannot score a row (AttributeError: 'SimpleImputer'" in obstacle


def test_a_champion_whose_files_are_missing_or_changed_stops_the_gate(flights: Given) -> None:
    (CHAMPION / "metrics.json").write_text("{}")
    with pytest.raises(UserError, match=r"metrics\.json is not the file that was packaged"):
        compare_with_champion(**flights)
    shutil.rmtree(CHAMPION)
    with pytest.raises(UserError, match="models/champion: there is no such bundle.*dvc pull"):
        compare_with_champion(**flights)


def test_a_bundle_has_seen_train_and_validation_rows_alone(flights: Given) -> None:
    rows = read_table(Path("data/features"), ["_row", "_split"])
    seen = load_bundle("models/bundle").seen
    for part, group in rows.groupby("_split")["_row"]:
        assert seen.count(group.to_numpy()) == (0 if part == "test" else len(group)), part
