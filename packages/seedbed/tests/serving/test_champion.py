"""The champion is asked about today's test rows, or says why it cannot be."""

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
from seedbed.models.champion import Comparison
from seedbed.serving import champion as module
from seedbed.serving.champion import compare_with_champion, has_champion, raw_test_rows

from support import sign_again

Built = Callable[[str], Path]
NAMES = ["columns", "problem", "cleaning", "evaluation", "seed"]


@pytest.fixture(params=["flights", "wine", "diabetes"])
def root(
    request: pytest.FixtureRequest, built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A repository whose bundle was promoted: a binary, a multiclass and a regression problem."""
    return promoted(built(request.param), tmp_path, monkeypatch)


@pytest.fixture
def flights(built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return promoted(built("flights"), tmp_path, monkeypatch)


def promoted(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = Path(shutil.copytree(built, tmp_path / "root"))
    shutil.copytree(root / "models/bundle", root / "models/champion")
    (root / "models/champion.dvc").touch()
    monkeypatch.chdir(root)
    return root


def inputs(root: Path) -> dict[str, Any]:
    tables = {
        "raw": read_table(root / "data/raw"),
        "predictions": read_table(root / "data/predictions"),
    }
    params = read_params(NAMES, root)
    return {**tables, **params, "columns": resolve_columns(params["columns"], tables["raw"])}


def test_the_packaged_model_is_identical_to_itself(root: Path) -> None:
    assert has_champion()
    assert compare_with_champion(**inputs(root)) == Comparison({}, {}, {}, {}, identical=True)


def test_another_model_is_measured_on_the_same_rows(root: Path) -> None:
    given = inputs(root)
    task, metric = given["problem"].task, given["problem"].metric
    said = given["predictions"]
    if task == "regression":
        said["_prediction"] = said["_prediction"] * 0.9
    else:
        scores = [name for name in said if name.startswith("_score")]
        said[scores] = said[scores] ** 2 if task == "binary" else 1 / len(scores)
        said["_prediction"] = ~said["_prediction"] if task == "binary" else said["_prediction"]
    found = compare_with_champion(**given)
    assert found.obstacle is None
    assert not found.identical
    assert found.champion.keys() == found.challenger.keys() == found.difference.keys()
    if task == "binary":
        assert found.difference["roc_auc"]["value"] == pytest.approx(0, abs=1e-12), (
            "the order of the scores is the same"
        )
        assert found.difference["accuracy"]["value"] != 0
    else:
        assert found.difference[metric]["value"] < 0, (
            "positive is better, whichever way the metric goes"
        )


def test_without_a_promotion_there_is_no_champion(flights: Path) -> None:
    Path("models/champion.dvc").unlink()
    assert not has_champion()


def test_rows_come_raw_and_in_the_order_of_the_predictions(flights: Path) -> None:
    given = inputs(flights)
    repeated = pd.concat([given["raw"], given["raw"].iloc[::7]], ignore_index=True)
    rows = raw_test_rows(
        repeated, given["predictions"], given["columns"], given["problem"], given["cleaning"]
    )
    answers = module.load_bundle("models/bundle").predict(rows)
    assert (answers["score"].to_numpy() == given["predictions"]["_score"].to_numpy()).all()


@pytest.mark.parametrize("column", ["dest", "flight"])
def test_a_champion_that_cannot_score_todays_columns_is_told(flights: Path, column: str) -> None:
    """One column is a feature, the other only a part of the key by which a row is known."""
    given = inputs(flights)
    tests = raw_test_rows(
        **{name: given[name] for name in ("raw", "predictions", "columns", "problem", "cleaning")}
    )
    given["raw"] = tests.drop(columns=column)
    given["columns"] = {name: role for name, role in given["columns"].items() if name != column}
    keys = row_key(
        clean_values(given["raw"], given["columns"], given["cleaning"]), given["columns"]
    )
    given["predictions"] = given["predictions"].assign(_row=keys)
    found = compare_with_champion(**given)
    assert found.obstacle
    assert f"lack its column {column}" in found.obstacle


def test_a_champion_that_answers_another_question_is_told(flights: Path) -> None:
    given = inputs(flights)
    found = compare_with_champion(
        **{**given, "problem": given["problem"].model_copy(update={"above": 30.0})}
    )
    assert found.obstacle
    assert "another question" in found.obstacle
    assert "30.0" in found.obstacle


def test_a_champion_that_was_trained_on_rows_that_are_now_test_rows_is_told(flights: Path) -> None:
    given = inputs(flights)
    bundle = module.load_bundle("models/champion")
    seen = read_table(flights / "data/features", ["_row", "_split"])
    trained_on = seen.loc[seen["_split"] == "train", "_row"].to_numpy()[:40]
    assert bundle.seen.count(trained_on) == 40
    given["predictions"] = given["predictions"].assign(
        _row=np.concatenate([trained_on, given["predictions"]["_row"].to_numpy()[40:]])
    )
    found = compare_with_champion(**given)
    assert found.obstacle == (
        f"it was trained or chosen on at least 40 of the {len(given['predictions']):,} test rows, and would look better than it is"
    )


def test_a_champion_whose_files_are_missing_or_changed_stops_the_gate(flights: Path) -> None:
    given = inputs(flights)
    (flights / "models/champion/metrics.json").write_text("{}")
    with pytest.raises(UserError, match=r"metrics\.json is not the file that was packaged"):
        compare_with_champion(**given)
    shutil.rmtree(flights / "models/champion")
    with pytest.raises(UserError, match="models/champion: there is no such bundle.*dvc pull"):
        compare_with_champion(**given)


def test_a_champion_that_another_version_made_is_told(flights: Path) -> None:
    sign_again(flights / "models/champion", format=1)
    found = compare_with_champion(**inputs(flights))
    assert found.obstacle
    assert "format is 1, and this version of seedbed reads 3" in found.obstacle


def unreadable_pipeline(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole bundle whose pipeline is none to what is installed: as another version of scikit-learn may write it."""
    folder = root / "models/champion"
    (folder / "pipeline.skops").write_bytes(b"written by the packages of another year")
    files = json.loads((folder / "bundle.json").read_text())["files"]
    files["pipeline.skops"] = hashlib.sha256((folder / "pipeline.skops").read_bytes()).hexdigest()
    sign_again(folder, files=files)


def unscorable_pipeline(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AttributeError("'SimpleImputer' object has no attribute '_fill_dtype'")

    monkeypatch.setattr("seedbed.serving.bundle.predict_scores", fail)


def unknown_recipe(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decision = json.loads((root / "models/champion/bundle.json").read_text())["decision"]
    sign_again(root / "models/champion", decision={**decision, "cost": 2})


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        (unreadable_pipeline, "this is not a model file that can be read.*with the versions in models/champion/requirements.lock"),
        (unscorable_pipeline, "with the packages that are installed now it cannot score a row \\(AttributeError: 'SimpleImputer'"),
        (unknown_recipe, "it does not fit this version of seedbed .*cost"),
    ],
)  # fmt: skip
def test_a_champion_that_the_packages_of_today_cannot_ask_is_a_verdict(
    break_it: Callable[[Path, pytest.MonkeyPatch], None],
    told: str,
    flights: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    break_it(flights, monkeypatch)
    found = compare_with_champion(**inputs(flights))
    assert found.obstacle
    assert re.search(told, found.obstacle), found.obstacle
    assert not found.obstacle.endswith(".")


def test_the_bundle_has_seen_train_and_validation_rows_alone(flights: Path) -> None:
    sides = read_table(flights / "data/features", ["_row", "_split"])
    seen = module.load_bundle("models/bundle").seen
    for side, expected in (("train", 1), ("validation", 1), ("test", 0)):
        rows = sides.loc[sides["_split"] == side, "_row"].to_numpy()
        assert seen.count(rows) == expected * len(rows)
