"""The compiled form of a bundle answers as the fitted Pipeline does, to the last bit."""

import json
import math
import shutil
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.errors import UserError
from seedbed.serving import Bundle, load_bundle
from seedbed.serving.compiled import UnusualRowError
from seedbed.serving.compiled.encoders import take_steps_apart
from seedbed.serving.samples import json_value

BundleOf = Callable[..., Bundle]
Row = dict[str, Any]
BOOSTING = "hist_gradient_boosting"
MODELS = (
    *("dummy", BOOSTING, "linear_svm", "logistic_regression", "mlp", "random_forest", "stacking"),
)
DATASETS = ("flights", "wine", "diabetes")
VARIANTS: dict[str, tuple[str, ...]] = {
    "ordinal": ("flights", "random_forest", "model.preprocessing.min_frequency=1"),
    "few rare values": ("flights", "random_forest", "model.preprocessing.min_frequency=300"),
    "sparse": ("flights", "logistic_regression", "model.preprocessing.min_frequency=2"),
    "sparse network": ("flights", "mlp", "model.preprocessing.min_frequency=2"),
    "sparse machine": ("flights", "linear_svm", "model.preprocessing.min_frequency=2"),
    "mean target": ("flights", "logistic_regression", "features=target_encoded"),
    "mean target, boosting": ("flights", BOOSTING, "features=target_encoded"),
    "cycles": ("flights", "logistic_regression", "features=cyclic"),
    "wide": ("flights", BOOSTING, "features=wide"),
    "wide, one hot": ("flights", "logistic_regression", "features=wide"),
    "robust": ("flights", BOOSTING, "features=robust"),
    "robust, one hot": ("flights", "logistic_regression", "features=robust"),
    "selected": ("wine", "logistic_regression", "features=selected", "features.selected=5"),
    "basic": ("flights", BOOSTING, "features=basic"),
    "calibrated": ("flights", BOOSTING, "model.calibration=isotonic"),
    "calibrated forest": ("wine", "random_forest", "model.calibration=sigmoid"),
    "calibrated classes": ("wine", "linear_svm", "model.calibration=isotonic"),
    "balanced": ("flights", "logistic_regression", "model.class_weight=balanced"),
    "log": ("diabetes", "logistic_regression", "+model.target_transform=log"),
    "quantile": ("diabetes", "stacking", "+model.target_transform=quantile"),
    "poisson": ("diabetes", BOOSTING, "+model.regression.loss=poisson"),
    "tanh": ("wine", "mlp", "+model.arguments.activation=tanh"),
    "deep": ("diabetes", "mlp", "model.arguments.hidden_layer_sizes=[33,17]"),
    "text as it is": ("flights", BOOSTING, "+cleaning.strip_text=false"),
}
CASES = {f"{data} {model}": (data, model) for data in DATASETS for model in MODELS} | VARIANTS


def slow(bundle: Bundle, rows: list[Row]) -> list[Row]:
    """What the fitted Pipeline answers."""
    return replace(bundle, compiled=None).answer(rows).rows


@pytest.mark.parametrize(
    "chosen",
    [
        pytest.param(case, id=name, marks=[pytest.mark.slow] if "stacking" in name else [])
        for name, case in CASES.items()
    ],
)
def test_rows_are_answered_as_the_pipeline_does(
    chosen: tuple[str, ...], bundle_of: BundleOf, sent_rows: Callable[..., list[Row]]
) -> None:
    bundle = bundle_of(*chosen)
    assert bundle.compiled is not None, bundle.why_not_compiled
    rows = sent_rows(chosen[0], 150)
    gaps = [{**row, name: None} for row, name in zip(rows, rows[0], strict=False)]
    texts = [name for name, value in rows[0].items() if isinstance(value, str) and "T" not in value]
    unseen = [{**rows[0], name: "never seen"} for name in texts]
    asked = [*rows, *gaps, *unseen, dict.fromkeys(rows[0])]
    expected = [json.dumps(answer) for answer in slow(bundle, asked)]
    found = [json.dumps(bundle.compiled.answer([row])[0][0]) for row in asked]
    assert found == expected
    together = bundle.predict(asked).to_dict(orient="records")
    assert [
        json.dumps({name: json_value(value) for name, value in row.items()}) for row in together
    ] == expected


@pytest.mark.parametrize("name", [name for name in VARIANTS if name.startswith("sparse")])
def test_the_sparse_variants_are_sparse(name: str, bundle_of: BundleOf) -> None:
    assert take_steps_apart(bundle_of(*VARIANTS[name]).pipeline).sparse


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_all_rows_of_flights_are_answered_as_the_pipeline_does(
    model: str, bundle_of: BundleOf, sent_rows: Callable[..., list[Row]]
) -> None:
    bundle = bundle_of("flights", model)
    rows = sent_rows("flights", 3000)
    assert bundle.compiled is not None
    found = [bundle.compiled.answer([row])[0][0] for row in rows]
    assert json.dumps(found) == json.dumps(slow(bundle, rows))


NUMBERS = st.one_of(
    st.none(), st.floats(), st.integers(), st.integers(-5, 3000), st.floats(-50, 3000),
    st.sampled_from([0, -0.0, 1e300, -3.5e38, 3.4e38, 5e-324, math.nan, math.inf, "7", True]),
)  # fmt: skip
TEXTS = st.one_of(
    st.none(), st.text(max_size=6), st.sampled_from(["UA", " UA ", "NA", "", "\u00a0UA", "JFK\t"]),
    st.sampled_from(["EWR", "\x1cEWR", "\u200bEWR", "Ünseen", "\ud800", 7, 7.0, True, math.nan]),
)  # fmt: skip
TIMES = st.one_of(
    st.none(),
    st.datetimes().map(str),
    st.datetimes().map(lambda time: time.isoformat() + "Z"),
    st.datetimes(timezones=st.timezones()).map(lambda time: time.isoformat()),
    st.sampled_from([
        "2013-03-10T02:30:00", "2013-11-03T01:30:00", "2013-11-03T01:30:00-04:00", "2013-07-04",
        "2013-07-04T10", "2013-07-04 10:00", "2013-07-04T10:00+0530", "now", "", "20130704T101112",
        "2013-07-04T10:00:00.123456789Z", "2013-07-04T24:00:00", "1883-11-18T12:03:58Z", 5, True,
        "2013-02-30T10:00", "2013-07-04T10:00:00.5-04", "2013-07-04T10:00:60Z", "٢013-07-04T10:00",
    ]),
)  # fmt: skip
OF_TYPE = {"number": NUMBERS, "category": TEXTS, "time": TIMES}


@pytest.mark.parametrize(
    "chosen",
    [("flights", BOOSTING), pytest.param(VARIANTS["wide, one hot"], marks=pytest.mark.slow)],
    ids=str,
)
def test_any_row_is_answered_or_refused_as_the_slow_path_does(
    chosen: tuple[str, ...], bundle_of: BundleOf, sent_rows: Callable[..., list[Row]]
) -> None:
    bundle = bundle_of(*chosen)
    without = replace(bundle, compiled=None)
    base = {c.name: sent_rows("flights", 1)[0][c.name] for c in bundle.signature.columns}
    changes = st.fixed_dictionaries(
        {}, optional={c.name: OF_TYPE[c.type] for c in bundle.signature.columns}
    )

    @settings(derandomize=True)
    @given(st.lists(changes, min_size=1, max_size=2))
    def check(found: list[Row]) -> None:
        rows = [base | change for change in found]
        assert outcome(bundle, rows) == outcome(without, rows)

    check()


def outcome(bundle: Bundle, rows: list[Row]) -> str:
    """What a bundle answers, or by which error it refuses."""
    try:
        answers = bundle.answer(rows)
    except UserError as error:
        return str(error)
    return json.dumps([answers.rows, answers.warnings])


@pytest.mark.parametrize(
    "change",
    [
        {"carrier": "ZZ"}, {"carrier": None}, {"distance": 1e6}, {"distance": -1, "dest": "ZZZ"},
        {"distance": None}, {"time_hour": None}, {"sched_dep_time": None, "origin": " JFK "}, {},
    ],
    ids=str,
)  # fmt: skip
def test_the_warnings_are_those_of_the_slow_path(
    change: Row, bundle_of: BundleOf, sent_rows: Callable[..., list[Row]]
) -> None:
    bundle = bundle_of("flights", BOOSTING)
    assert bundle.compiled is not None
    rows = sent_rows("flights", 3)
    asked = [{**rows[0], **change}, {**rows[1], **change, "carrier": "YY"}, rows[2]]
    assert bundle.compiled.answer(asked)[1] == bundle.warn(asked)


@pytest.mark.parametrize(
    "rows",
    [[], [{}], [{"carrier": "UA"}], ["a row"], [{"distance": "far"}], [{"distance": math.inf}]],
    ids=str,
)
def test_what_the_compiled_form_does_not_read_is_refused_by_the_slow_path(
    rows: list[Any], bundle_of: BundleOf, sent_rows: Callable[..., list[Row]]
) -> None:
    bundle = bundle_of("flights", BOOSTING)
    base = sent_rows("flights", 1)[0]
    asked = [
        base | row if row and isinstance(row, dict) and "distance" in row else row for row in rows
    ]
    assert bundle.compiled is not None
    with pytest.raises(UnusualRowError):
        bundle.compiled.answer(asked)
    with pytest.raises(UserError):
        bundle.answer(asked)


def test_what_has_no_compiled_form_is_named_and_answered_by_the_pipeline(
    bundle_of: BundleOf, sent_rows: Callable[..., list[Row]]
) -> None:
    bundle = bundle_of("wine", "stacking", "+model.arguments.passthrough=true")
    assert bundle.compiled is None
    assert bundle.why_not_compiled == "There is no compiled form of stacking with passthrough."
    rows = sent_rows("wine", 3)
    assert bundle.answer(rows).rows == slow(bundle, rows)


PROMISE = ", elementwise=True)"
LIE = "return (clock"


@pytest.mark.parametrize(
    ("old", "new", "reason", "warned"),
    [
        (PROMISE, ")", "its kind clock_minutes is not registered with elementwise=True", False),
        (
            LIE,
            'return ((clock + 100 * (not hasattr(clock, "iloc")))',
            "is not used: its feature scheduled_departure_minute is",
            True,
        ),
    ],
    ids=["no promise", "a promise that is not kept"],
)
def test_an_own_kind_of_feature_is_trusted_no_further_than_the_sample_rows(
    old: str, new: str, reason: str, warned: bool, built: Any, tmp_path: Path, run_stages: Any
) -> None:
    root = Path(shutil.copytree(built("flights"), tmp_path / "root"))
    source = root / "src/project/features.py"
    text = source.read_text()
    assert old in text
    source.write_text(text.replace(old, new))
    run_stages(root, [], ("package",))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        bundle = load_bundle(root / "models/bundle")
    assert bundle.compiled is None
    assert reason in bundle.why_not_compiled
    assert any(reason in str(found.message) for found in caught) == warned
    expected = load_bundle(built("flights") / "models/bundle")
    rows = [dict(row) for row in bundle.samples.rows[:5]]
    assert bundle.answer(rows) == expected.answer(rows)


def test_threads_that_ask_at_once_get_the_answers_of_one(
    bundle_of: BundleOf, sent_rows: Callable[..., list[Row]]
) -> None:
    bundle = bundle_of("wine", "mlp")
    rows = sent_rows("wine", 60)
    expected = [bundle.answer([row]) for row in rows]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            assert list(pool.map(lambda row: bundle.answer([row]), rows)) == expected


@pytest.mark.parametrize("model", ["stacking", "random_forest", "mlp", BOOSTING])
def test_huge_numbers_are_answered(
    model: str, bundle_of: BundleOf, sent_rows: Callable[..., list[Row]]
) -> None:
    bundle = bundle_of("wine", model)
    row = dict.fromkeys(sent_rows("wine", 1)[0], 3.4e38)
    [answer] = bundle.answer([row]).rows
    assert answer == slow(bundle, [row])[0]
    assert 0 <= answer["score_1"] <= 1


def test_half_a_surrogate_pair_is_refused_by_its_column(
    bundle_of: BundleOf, sent_rows: Callable[..., list[Row]]
) -> None:
    row = sent_rows("flights", 1)[0]
    with pytest.raises(UserError, match=r"column carrier.*Send valid Unicode"):
        bundle_of("flights", BOOSTING).answer([{**row, "carrier": "\ud800"}])
