"""What is asked of a target, how rows are split, and what a person is warned of."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.config.metrics import why_not
from seedbed.datasets.inferring import infer_columns
from seedbed.datasets.problem import ProblemGuess, infer_problem
from seedbed.datasets.splitting import SplitGuess, infer_split, stratify_rare
from seedbed.errors import UserError

RANDOM = np.random.default_rng(0)


def as_texts(values: Any) -> pd.Series:
    return pd.Series(["" if value is None else str(value) for value in values], dtype="str")


def problem(values: Any, positive: str | None = None) -> ProblemGuess:
    column = values if isinstance(values, pd.Series) else as_texts(values)
    frame = pd.DataFrame({"target": column, "x": np.arange(len(column)) / 7})
    return infer_problem(frame, infer_columns(frame, "target", None, None), "target", positive)


def split(columns: dict[str, Any], time: str | None = None, group: str | None = None) -> SplitGuess:
    frame = pd.DataFrame({name: as_texts(values) for name, values in columns.items()})
    return infer_split(frame, infer_columns(frame, "y", time, group), time, group)


@pytest.mark.parametrize(
    ("values", "named", "positive", "kind", "why"),
    [
        (["Yes"] * 60 + ["No"] * 40, None, True, "boolean", "it says yes"),
        (["Yes"] * 60 + ["No"] * 40, "no", False, "boolean", "named by --positive"),
        (["ja"] * 60 + ["nein"] * 40, None, True, "boolean", "it says ja"),
        ([1] * 60 + [0] * 40, None, True, "boolean", "it says 1"),
        (["M"] * 60 + ["B"] * 40, None, "B", "category", "the rarer one, 40.0% of the rows"),
        (["M"] * 60 + ["B"] * 40, "M", "M", "category", "named by --positive"),
        (["M"] * 60 + ["B"] * 40, " m", "M", "category", "named by --positive"),
        ([1] * 60 + [2] * 40, None, 2, "number", "the rarer one"),
        ([1] * 60 + [2] * 40, "1", 1, "number", "named by --positive"),
        ([-1] * 40 + [1] * 60, None, 1, "number", "1 of -1 and 1"),
        ([0.5] * 60 + [1.5] * 40, None, "1.5", "category", "the rarer one"),
        (["b"] * 50 + ["a"] * 50, None, "b", "category", "equally many"),
        (pd.Series([True, False] * 50), None, True, "boolean", "it says true"),
        (pd.Series([1.0, 2.0, 2.0] * 40), None, 1, "number", "the rarer one"),
    ],
)
def test_two_values_are_a_binary_problem_with_a_positive_class(
    values: Any, named: str | None, positive: Any, kind: str, why: str
) -> None:
    found = problem(values, named)
    assert (found.task, found.target_type, found.metric) == ("binary", kind, "roc_auc")
    assert found.positive == positive
    assert type(found.positive) is type(positive)
    assert why in str(found.positive_reason)


@pytest.mark.parametrize(
    ("values", "task", "kind", "metric", "reason"),
    [
        (["a", "b", "c"] * 40, "multiclass", "category", "log_loss", "3 classes in 120 rows"),
        ([0, 1, 2] * 40, "multiclass", "category", "log_loss", "3 classes in 120 rows"),
        ([0.5, 1.5, 2.5] * 40, "regression", "number", "rmse", "3 numbers in 120 rows"),
        ([0, 1, 2] * 40 + [3], "regression", "number", "rmse", "4 numbers in 121 rows"),
        (range(120), "regression", "number", "rmse", "120 numbers in 120 rows"),
        ([f"1.{n},5 €" for n in range(100, 220)], "regression", "number", "rmse", "from 1100.5"),
        (RANDOM.normal(size=120), "regression", "number", "rmse", "120 numbers"),
    ],
)
def test_few_values_are_classes_and_many_numbers_are_not(
    values: Any, task: str, kind: str, metric: str, reason: str
) -> None:
    found = problem(values)
    assert (found.task, found.target_type, found.metric) == (task, kind, metric)
    assert reason in found.reason
    assert why_not(found.metric, found.task) is None


@pytest.mark.parametrize(
    ("values", "warning"),
    [
        ([1] * 12 + [0] * 988, "'1' is rare: 12 of 1,000 rows (1.20%)"),
        (["a", "b", None] * 60, "60 of 180 rows have no target: they are left out"),
        (["n/a", *RANDOM.normal(size=99)], "1 of 100 rows have no target"),
        (np.exp(3 * RANDOM.normal(size=500)), "it is skewed"),
        ([0, 1, 2] * 40, "regression may be better"),
        (["no", "Yes", "yes"] * 40, "'Yes' and 'yes' differ only in case or spaces"),
        (range(120), "it looks like an identifier"),
        ([f"c{n % 60}" for n in range(600)], "60 classes are many"),
    ],
)
def test_what_a_person_should_know_is_warned_of(values: Any, warning: str) -> None:
    assert any(warning in found for found in problem(values).warnings), problem(values)


def test_a_rare_class_is_measured_by_precision_and_decided_by_f1() -> None:
    found = problem([1] * 12 + [0] * 988)
    assert (found.metric, found.threshold) == ("average_precision", "f1")
    assert problem([1, 0] * 50).threshold == "half"


@pytest.mark.parametrize(
    ("values", "positive", "message"),
    [
        (["x"] * 50, None, "the value is 'x' in all 50 rows"),
        (["x", None] * 50, None, "the value is 'x' in all 50 rows"),
        ([""] * 50, None, "no value in 50 rows"),
        (["NA"] * 50, None, "only 'NA' in 50 rows"),
        ([f"mail{n}@x.org" for n in range(50)], None, "50 different texts in 50 rows"),
        ([f"2024-01-{n:02d}" for n in range(1, 29)], None, "a time is no target"),
        ([1], None, "the file has 1 row,"),
        ([], None, "the file has 0 rows,"),
        ([1] + [0] * 399, None, "'1' stands in 1 of 400 rows"),
        (["a"] * 50 + ["b", "c"], None, "only 1 of 3 classes has 5 rows or more"),
        (["yes", "no"] * 50, "yess", r"'yes' or 'no' \(did you mean yes\?\)"),
        (["a", "b", "c"] * 50, "a", "3 different values, and only a target of two classes"),
        (RANDOM.normal(size=50), "1", "only a target of two classes has a positive one"),
    ],
)
def test_a_target_that_nothing_can_be_learned_of_is_refused(
    values: Any, positive: str | None, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        problem(values, positive)


def test_an_unknown_target_is_refused_with_the_nearest_name() -> None:
    frame = pd.DataFrame({"price": [1, 2], "size": [1, 2]})
    guesses = infer_columns(frame, "prize", None, None)
    with pytest.raises(UserError, match=r"--target prize: .*did you mean price\?.*has price, size"):
        infer_problem(frame, guesses, "prize", None)


ROWS = 300
Y = RANDOM.normal(size=ROWS)
HOURS = pd.date_range("2024-01-01", periods=ROWS, freq="h")
ORDERED, SHUFFLED = HOURS.astype("str"), HOURS[RANDOM.permutation(ROWS)].astype("str")
BIRTHS = pd.date_range("1950-01-01", periods=ROWS, freq="50D").astype("str")
CUSTOMERS = RANDOM.integers(0, 90, ROWS)
TWO_DAYS = np.repeat(["2024-01-01", "2024-01-02"], ROWS // 2)


@pytest.mark.parametrize(
    ("columns", "time", "group", "kind", "column", "reason"),
    [
        ({"y": Y}, None, None, "random", None, "no time orders the rows"),
        ({"y": Y, "when": ORDERED}, None, None, "time", "when", "stand in the order of when"),
        ({"y": Y, "when": ORDERED[::-1]}, None, None, "time", "when", "stand in the order of when"),
        ({"y": Y, "order_date": SHUFFLED}, None, None, "time", "order_date", "by its name"),
        ({"y": Y, "built": SHUFFLED}, None, None, "random", None, "no time"),
        ({"y": Y, "x": SHUFFLED}, None, None, "random", None, "no time"),
        ({"y": Y, "birth_date": BIRTHS}, None, None, "random", None, "no time"),
        ({"y": Y, "date_of_birth": BIRTHS, "date": ORDERED}, None, None, "time", "date", "order"),
        ({"y": Y, "end_date": ORDERED}, None, None, "random", None, "no time"),
        ({"y": Y, "date": ["", *ORDERED[1:]]}, None, None, "random", None, "no time"),
        (
            {"y": Y, "date": ["2024-01-01", "2024-01-02"] * 150},
            None,
            None,
            "random",
            None,
            "no time",
        ),
        ({"y": Y, "x": SHUFFLED}, "x", None, "time", "x", "named by --time"),
        ({"y": Y, "customer_id": CUSTOMERS}, None, None, "group", "customer_id", "rows each"),
        (
            {"y": Y, "patient": [f"P{n:03d}" for n in CUSTOMERS]},
            None,
            None,
            "group",
            "patient",
            "repeat",
        ),
        ({"y": Y, "city": [f"C{n}" for n in CUSTOMERS]}, None, None, "random", None, "no entity"),
        ({"y": Y, "id": range(ROWS)}, None, None, "random", None, "no entity"),
        (
            {"y": Y, "city": [f"C{n}" for n in CUSTOMERS]},
            None,
            "city",
            "group",
            "city",
            "named by --group",
        ),
        ({"y": Y, "when": ORDERED, "customer_id": CUSTOMERS}, None, None, "time", "when", "order"),
        (
            {"y": Y, "when": ORDERED, "customer_id": CUSTOMERS},
            None,
            "customer_id",
            "group",
            "customer_id",
            "--group",
        ),
        (
            {"y": Y, "when": ORDERED, "customer_id": CUSTOMERS},
            "when",
            "customer_id",
            "time",
            "when",
            "--time",
        ),
    ],
)
def test_rows_are_split_by_time_else_by_group_else_at_random(
    columns: dict, time: str | None, group: str | None, kind: str, column: str | None, reason: str
) -> None:
    found = split(columns, time, group)
    assert (found.kind, found.column) == (kind, column), found
    assert reason in found.reason


@pytest.mark.parametrize(
    ("columns", "note"),
    [
        (
            {"y": Y, "birth_date": BIRTHS},
            "birth_date is a time, but not that of the row: by its name",
        ),
        ({"y": Y, "x": SHUFFLED}, "it does not order the rows"),
        ({"y": Y, "date": ["", *ORDERED[1:]]}, "1 rows have none"),
        (
            {"y": Y, "when": ORDERED, "customer_id": CUSTOMERS},
            "to measure on new ones, split by group",
        ),
        ({"y": Y, "when": ORDERED, "date": ORDERED[::-1]}, "other columns could be the time"),
        ({"y": Y}, "300 rows are few: a share measured on a fifth of them is known to ±0.13"),
    ],
)
def test_what_the_split_does_not_follow_is_noted(columns: dict, note: str) -> None:
    assert any(note in found for found in split(columns).notes), split(columns)


def test_only_small_data_are_cross_validated_repeatedly() -> None:
    assert split({"y": Y}).repeats == 5
    assert split({"y": Y, "when": ORDERED}).repeats == 1
    assert split({"y": RANDOM.normal(size=1_000)}).repeats == 1
    assert not split({"y": RANDOM.normal(size=1_000)}).notes


@pytest.mark.parametrize(
    ("time", "group", "message"),
    [
        ("x", None, "--time x: the column is no time, but of kind number"),
        ("Whem", None, r"--time Whem: there is no such column \(did you mean when\?\)"),
        (None, "z", "--group z: there is no such column"),
        ("late", None, "--time late: it has 2 different values"),
    ],
)
def test_a_column_that_cannot_split_is_refused(
    time: str | None, group: str | None, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        split({"y": Y, "x": Y, "when": ORDERED, "late": TWO_DAYS}, time, group)


@given(
    st.lists(
        st.sampled_from(["", "NA", "yes", "no", "1", "2", "3.5", "a b", "2024-01-01", "1e400"]),
        max_size=40,
    ),
    st.sampled_from([None, "yes", "1", "2.0"]),
)
def test_any_target_is_a_problem_or_one_paragraph(values: list[str], positive: str | None) -> None:
    try:
        found = problem(values, positive)
    except UserError as error:
        assert "\n" not in str(error)
    else:
        assert why_not(found.metric, found.task) is None
        assert (found.positive is None) == (found.task != "binary")


@pytest.mark.parametrize(("rarest", "kind"), [(29, "stratified"), (30, "random")])
def test_a_class_of_few_rows_is_spread_evenly(rarest: int, kind: str) -> None:
    classes = pd.Series(["common"] * 1_000 + ["rare"] * rarest + [None] * 5)
    found = stratify_rare(split({"y": Y}), classes)
    assert found.kind == kind
    assert ("'rare' there are 29 rows only" in found.reason) == (kind == "stratified")


def test_time_stays_time_however_rare_a_class_is() -> None:
    found = split({"y": Y, "date": ORDERED})
    assert stratify_rare(found, pd.Series(["a", "b"])) == found
