"""A bundle answers as evaluate did, and refuses to load when a byte of it was changed."""

import io
import json
import shutil
import warnings
from collections.abc import Callable
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from seedbed.data.roles import row_key
from seedbed.data.tables import read_table
from seedbed.errors import UserError
from seedbed.models.gate import Verdict
from seedbed.serving import Bundle, load_bundle
from seedbed.serving.packaging import write_refused_bundle

from support import sign_again

Built = Callable[[str], Path]
FILES = [
    "MODEL_CARD.md",
    "bundle.json",
    "metrics.json",
    "pipeline.skops",
    "requirements.lock",
    "seen_rows.npy",
]


def raw_test_rows(root: Path, bundle: Bundle) -> pd.DataFrame:
    raw, predictions = read_table(root / "data/raw"), read_table(root / "data/predictions")
    rows = raw.assign(_row=row_key(raw, bundle.recipe.columns))
    return (
        rows[rows["_row"].isin(predictions["_row"])]
        .drop_duplicates("_row")
        .sample(frac=1, random_state=0)
    )


def differing_predictions(root: Path) -> int:
    """Score all test rows, raw and in another order, and count those that evaluate answered otherwise."""
    bundle = load_bundle(root / "models/bundle")
    predictions = read_table(root / "data/predictions")
    rows = raw_test_rows(root, bundle)
    answers = bundle.predict(rows)
    assert answers.index.equals(rows.index)
    assert len(answers) == len(predictions) > 0
    evaluated = predictions.set_index("_row").loc[rows["_row"]].set_index(rows.index)
    wrong = pd.Series(False, index=rows.index)
    for name in answers:
        wrong |= answers[name] != evaluated[f"_{name}"]
    return int(wrong.sum())


@pytest.mark.parametrize("name", ["flights", "wine", "diabetes"])
def test_not_one_prediction_on_raw_test_rows_differs_from_evaluates(
    built: Built, name: str
) -> None:
    assert differing_predictions(built(name)) == 0


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("flights", ["prediction", "score"]),
        ("wine", ["prediction", "score_0", "score_1", "score_2"]),
        ("diabetes", ["prediction"]),
    ],
)
def test_an_answer_holds_decision_and_scores(built: Built, name: str, columns: list[str]) -> None:
    bundle = load_bundle(built(name) / "models/bundle")
    answers = bundle.predict(raw_test_rows(built(name), bundle))
    assert answers.columns.tolist() == columns
    assert (
        answers["prediction"].dtype
        == {"flights": "bool", "wine": "str", "diabetes": "float64"}[name]
    )


@pytest.mark.parametrize("name", ["flights", "wine", "diabetes"])
def test_a_bundle_is_the_same_to_the_byte_when_packaged_elsewhere(
    built: Built, name: str, tmp_path: Path, run_stages: Callable[..., None]
) -> None:
    root = built(name)
    shutil.copytree(root, tmp_path / "elsewhere", ignore=shutil.ignore_patterns("bundle"))
    run_stages(tmp_path / "elsewhere", [], ("package",))
    first, again = root / "models/bundle", tmp_path / "elsewhere/models/bundle"
    files = sorted(file.relative_to(again) for file in again.rglob("*") if file.is_file())
    assert {str(file) for file in files} >= {*FILES, "code/project/features.py"}
    for file in files:
        assert (first / file).read_bytes() == (again / file).read_bytes(), file
    assert (again / "pipeline.skops").read_bytes() == (
        root / "models/model/pipeline.skops"
    ).read_bytes()


STORAGES: dict[str, Callable[[pd.DataFrame], Any]] = {
    "nullable": lambda rows: rows.convert_dtypes(dtype_backend="numpy_nullable"),
    "Arrow": lambda rows: rows.convert_dtypes(dtype_backend="pyarrow"),
    "objects": lambda rows: rows.astype(object),
    "Parquet": lambda rows: pd.read_parquet(io.BytesIO(rows.to_parquet())),
    "Parquet, Arrow": lambda rows: pd.read_parquet(
        io.BytesIO(rows.to_parquet()), dtype_backend="pyarrow"
    ),
    "categories": lambda rows: rows.astype(dict.fromkeys(rows.select_dtypes("str"), "category")),
    "decimals": lambda rows: rows.assign(
        **{
            name: rows[name]
            .map(lambda value: Decimal(str(value)), na_action="ignore")
            .astype(object)
            for name in rows.select_dtypes("number")
        }
    ),
    "local times": lambda rows: rows.assign(
        **{name: rows[name].dt.tz_localize(None) for name in rows.select_dtypes("datetimetz")}
    ),
    "other zone": lambda rows: rows.assign(
        **{
            name: rows[name].dt.tz_convert("Asia/Tokyo")
            for name in rows.select_dtypes("datetimetz")
        }
    ),
    "JSON": lambda rows: json.loads(rows.to_json(orient="records", date_format="iso")),
    "dicts": lambda rows: rows.to_dict(orient="records"),
    "other index": lambda rows: rows.set_index(pd.Index(["a"] * len(rows))),
}
"""How the same rows may be held by who asks."""


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("name", ["flights", "wine"])
def test_rows_are_answered_alike_however_they_are_held(
    built: Built, name: str, storage: str
) -> None:
    bundle = load_bundle(str(built(name) / "models/bundle"))
    rows = raw_test_rows(built(name), bundle).head(50).reset_index(drop=True)
    rows = rows[[column.name for column in bundle.signature.columns]]
    expected = bundle.predict(rows)
    held = STORAGES[storage](rows)
    assert bundle.predict(held).reset_index(drop=True).equals(expected)
    one = held.iloc[[7]] if isinstance(held, pd.DataFrame) else held[7]
    assert (
        bundle.predict(one).reset_index(drop=True).equals(expected.iloc[[7]].reset_index(drop=True))
    )


def test_rows_that_are_checked_once_can_be_judged_and_answered(built: Built) -> None:
    bundle = load_bundle(built("flights") / "models/bundle")
    rows = raw_test_rows(built("flights"), bundle).head(5)
    checked = bundle.check(rows)
    assert bundle.predict(checked).equals(bundle.predict(rows))
    assert bundle.warn(checked) == bundle.warn(rows)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            "a row",
            "The rows are a str. Send a pandas DataFrame, a dict for one row, or a list of dicts",
        ),
        ([1, 2], "The rows are a list"),
        (None, "The rows are a NoneType"),
        ([], "There are no rows to predict for"),
        ({}, "Row 0 lacks the columns .*carrier"),
        ([{"carrier": "UA"}], "Row 0 lacks the columns .*Among those sent are carrier"),
    ],
)
def test_what_is_no_rows_is_refused(built: Built, rows: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_bundle(built("flights") / "models/bundle").predict(rows)


def test_the_target_and_what_is_known_later_are_not_needed(built: Built) -> None:
    root = built("flights")
    bundle = load_bundle(root / "models/bundle")
    needed = {column.name for column in bundle.signature.columns}
    assert {"carrier", "time_hour", "sched_dep_time"} <= needed
    assert needed.isdisjoint({"arr_delay", "dep_delay", "dep_time", "air_time", "flight", "year"})
    rows = raw_test_rows(root, bundle)
    assert bundle.predict(rows[sorted(needed)]).equals(bundle.predict(rows))


def test_the_threshold_in_the_bundle_decides(built: Built) -> None:
    root = built("flights")
    bundle = load_bundle(root / "models/bundle")
    answers = bundle.predict(raw_test_rows(root, bundle))
    threshold = json.loads((root / "models/model/decision.json").read_text())["threshold"]
    assert (answers["prediction"] == (answers["score"] >= threshold)).all()
    assert answers["prediction"].nunique() == 2


def test_unusual_rows_are_answered_and_told_of(built: Built) -> None:
    root = built("flights")
    bundle = load_bundle(root / "models/bundle")
    rows = (
        raw_test_rows(root, bundle).head(2).assign(carrier=["ZZ", " UA "], distance=[123456, 500])
    )
    assert len(bundle.predict(rows)) == 2
    told = " ".join(bundle.warn(rows))
    assert "carrier has values that never were in training, in 1 rows: 'ZZ'" in told
    assert "distance is outside of" in told
    assert "'UA'" not in told, "text is stripped before it is judged"


@pytest.mark.parametrize("file", FILES)
def test_a_changed_file_is_refused_by_name(bundle_copy: Path, file: str) -> None:
    content = bytearray((bundle_copy / file).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle_copy / file).write_bytes(content)
    with pytest.raises(UserError, match=file):
        load_bundle(bundle_copy)


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_is_refused_by_name(bundle_copy: Path, file: str) -> None:
    (bundle_copy / file).unlink()
    with pytest.raises(UserError, match=file):
        load_bundle(bundle_copy)


def test_a_threshold_changed_by_hand_is_refused(bundle_copy: Path) -> None:
    about = json.loads((bundle_copy / "bundle.json").read_text())
    about["decision"]["threshold"] = 0.9
    (bundle_copy / "bundle.json").write_text(json.dumps(about, indent=2))
    with pytest.raises(UserError, match=r"bundle\.json is not the file that was packaged"):
        load_bundle(bundle_copy)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("format", 99, "format is 99, and this version of seedbed reads 4"),
        ("cleaning", {"tidy": 1}, "does not fit this version"),
    ],
)
def test_a_bundle_of_another_version_is_refused(
    bundle_copy: Path, key: str, value: object, message: str
) -> None:
    sign_again(bundle_copy, **{key: value})
    with pytest.raises(UserError, match=message):
        load_bundle(bundle_copy)


def test_another_version_of_a_package_is_a_warning(bundle_copy: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_bundle(bundle_copy)
    sign_again(bundle_copy, packages={"scikit-learn": "0.1"})
    with pytest.warns(UserWarning, match=r"scikit-learn 0\.1"):
        load_bundle(bundle_copy)


def test_a_bundle_names_the_packages_its_model_was_trained_with(
    built: Built, tmp_path: Path, run_stages: Callable[..., None]
) -> None:
    root = Path(shutil.copytree(built("wine"), tmp_path / "root"))
    trained = json.loads((root / "models/model/packages.json").read_text())
    assert trained == {name: version(name) for name in ("numpy", "pandas", "scikit-learn", "skops")}
    (root / "models/model/packages.json").write_text(json.dumps({**trained, "scikit-learn": "1.0"}))
    run_stages(root, [], ("package",))
    with pytest.warns(
        UserWarning, match=r"was trained with scikit-learn 1\.0, and .* is installed"
    ):
        load_bundle(root / "models/bundle")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1', "null"])
def test_what_is_no_description_of_a_bundle_is_refused(bundle_copy: Path, text: str) -> None:
    (bundle_copy / "bundle.json").write_text(text)
    with pytest.raises(UserError, match=r"bundle\.json: this cannot be read"):
        load_bundle(bundle_copy)


def test_no_bundle_at_all_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such bundle"):
        load_bundle(tmp_path / "bundle")


def test_a_refusal_replaces_a_bundle_and_is_told_with_its_reason(bundle_copy: Path) -> None:
    write_refused_bundle(bundle_copy, Verdict(False, "roc_auc 0.500 is below the threshold 0.65."))
    assert [file.name for file in bundle_copy.iterdir()] == ["verdict.json"]
    with pytest.raises(
        UserError,
        match=r"the gate refused this model.*roc_auc 0\.500 is below the threshold 0\.65\.",
    ):
        load_bundle(bundle_copy)
