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
from seedbed.serving import Bundle, load_bundle
from seedbed.serving.packaging import refuse_bundle

from support import sign_again

Built = Callable[[str], Path]
ANSWERS = {
    "flights": {"prediction": "bool", "score": "float64"},
    "wine": {"prediction": "str", **dict.fromkeys(("score_0", "score_1", "score_2"), "float64")},
    "diabetes": {"prediction": "float64"},
}
DESCRIPTION = "bundle.json"
FILES = [
    *(DESCRIPTION, "MODEL_CARD.md", "metrics.json", "pipeline.skops", "requirements.lock"),
    "seen_rows.npy",
]


def raw_test_rows(root: Path, bundle: Bundle) -> pd.DataFrame:
    """The test rows in another order."""
    raw, predictions = read_table(root / "data/raw"), read_table(root / "data/predictions")
    rows = raw.assign(_row=row_key(raw, bundle.recipe.columns)).drop_duplicates("_row")
    return rows[rows["_row"].isin(predictions["_row"])].sample(frac=1, random_state=0)


@pytest.mark.parametrize("name", ANSWERS)
def test_raw_test_rows_are_answered_as_evaluate_predicted_them(built: Built, name: str) -> None:
    bundle = load_bundle(built(name) / "models/bundle")
    rows, predictions = (
        raw_test_rows(built(name), bundle),
        read_table(built(name) / "data/predictions"),
    )
    answers = bundle.predict(rows)
    assert {column: str(dtype) for column, dtype in answers.dtypes.items()} == ANSWERS[name]
    assert len(answers) == len(predictions) > 0
    evaluated = predictions.set_index("_row").loc[rows["_row"]].set_index(rows.index)
    expected = evaluated.rename(columns=lambda column: column.removeprefix("_"))
    pd.testing.assert_frame_equal(answers, expected[list(answers)], check_exact=True)


@pytest.mark.parametrize("name", ANSWERS)
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


def test_unusual_rows_are_answered_with_a_warning(built: Built) -> None:
    root = built("flights")
    bundle = load_bundle(root / "models/bundle")
    rows = raw_test_rows(root, bundle).head(2)
    rows = rows.assign(carrier=["ZZ", " UA "], distance=[123456, 500])
    checked = bundle.check(rows)
    assert bundle.predict(checked).equals(bundle.predict(rows))
    assert bundle.warn(checked) == bundle.warn(rows)
    words = " ".join(bundle.warn(rows))
    assert "carrier has values that never were in training, in 1 rows: 'ZZ'" in words
    assert "distance is outside of" in words
    assert "'UA'" not in words, "text is stripped before it is judged"


def flip_a_bit(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("damage", [flip_a_bit, Path.unlink])
@pytest.mark.parametrize("file", FILES)
def test_a_changed_or_missing_file_is_refused_by_name(
    bundle_copy: Path, file: str, damage: Callable[[Path], None]
) -> None:
    damage(bundle_copy / file)
    with pytest.raises(UserError, match=file):
        load_bundle(bundle_copy)


def test_a_threshold_changed_by_hand_is_refused(bundle_copy: Path) -> None:
    about = json.loads((bundle_copy / DESCRIPTION).read_text())
    about["decision"]["threshold"] = 0.9
    (bundle_copy / DESCRIPTION).write_text(json.dumps(about, indent=2))
    with pytest.raises(UserError, match=r"bundle\.json is not the file that was packaged"):
        load_bundle(bundle_copy)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1', "null"])
def test_what_is_no_description_of_a_bundle_is_refused(bundle_copy: Path, text: str) -> None:
    (bundle_copy / DESCRIPTION).write_text(text)
    with pytest.raises(UserError, match=r"bundle\.json: this cannot be read"):
        load_bundle(bundle_copy)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("format", 99, "format is 99, and this version of seedbed reads 5"),
        ("cleaning", {"tidy": 1}, r"does not fit this version of seedbed \(cleaning\.tidy: extra"),
    ],
)
def test_a_bundle_of_another_version_is_refused(
    bundle_copy: Path, key: str, value: object, message: str
) -> None:
    sign_again(bundle_copy, **{key: value})
    with pytest.raises(UserError, match=message):
        load_bundle(bundle_copy)


def test_a_bundle_warns_of_other_packages_than_its_model_was_trained_with(
    built: Built, tmp_path: Path, run_stages: Callable[..., None]
) -> None:
    root = Path(shutil.copytree(built("wine"), tmp_path / "root"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_bundle(root / "models/bundle")
    trained = json.loads((root / "models/model/packages.json").read_text())
    assert trained == {name: version(name) for name in ("numpy", "pandas", "scikit-learn", "skops")}
    (root / "models/model/packages.json").write_text(json.dumps({**trained, "scikit-learn": "1.0"}))
    run_stages(root, [], ("package",))
    with pytest.warns(
        UserWarning, match=r"was trained with scikit-learn 1\.0, and .* is installed"
    ):
        load_bundle(root / "models/bundle")


def test_no_bundle_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such bundle"):
        load_bundle(tmp_path / "bundle")


def test_an_experiments_refusal_replaces_a_bundle_and_keeps_its_reason(
    bundle_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_EXP_NAME", "some-name")
    reason = "roc_auc 0.500 is below the threshold 0.65."
    refuse_bundle(bundle_copy, tmp_path / "refusal.txt", reason)
    assert [file.name for file in bundle_copy.iterdir()] == ["verdict.json"]
    with pytest.raises(UserError, match=f"the gate refused this model.*{reason}"):
        load_bundle(bundle_copy)
