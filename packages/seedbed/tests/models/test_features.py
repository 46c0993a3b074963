"""A model sees numbers and text under fixed names, and nothing that begins with an underscore."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from seedbed.data.tables import TEXT_KINDS, read_table, write_table
from seedbed.errors import UserError
from seedbed.models.features import feature_frame, feature_kinds, mark_high_cardinality


def rows() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "whole": [1, 2],
            "flag": pd.array([True, None], dtype="boolean"),
            "truth": [True, False],
            "text": pd.Series(["a", None], dtype="str"),
            "kind": pd.Categorical(["x", "y"]),
            "_target": [0, 1],
        }
    )


def test_kinds_follow_types_and_meta_columns_left_out() -> None:
    assert feature_kinds(rows()) == {
        "whole": "number",
        "flag": "number",
        "truth": "number",
        "text": "category",
        "kind": "category",
    }


def test_what_is_text_is_known_from_the_written_table(tmp_path: Path) -> None:
    table = rows()
    table.attrs[TEXT_KINDS] = {"text": "text"}
    write_table(table, tmp_path / "features")
    kinds = feature_kinds(read_table(tmp_path / "features"))
    assert (kinds["text"], kinds["kind"]) == ("text", "category")


@pytest.mark.parametrize(
    ("limit", "expected"), [(2, "high_cardinality"), (3, "category"), (None, "category")]
)
def test_a_category_of_more_values_than_the_limit_is_marked(
    limit: int | None, expected: str
) -> None:
    train = pd.DataFrame({"c": pd.Series(["x", "y", "z", None], dtype="str"), "t": ["a b"] * 4})
    found = mark_high_cardinality({"c": "category", "t": "text"}, train, limit)
    assert found == {"c": expected, "t": "text"}


def test_features_come_in_two_types_and_in_the_order_of_the_model() -> None:
    kinds = feature_kinds(rows())
    found = feature_frame(rows()[["kind", "text", "truth", "flag", "whole"]], kinds)
    assert list(found.columns) == list(kinds)
    assert [str(dtype) for dtype in found.dtypes] == ["float64"] * 3 + ["str"] * 2
    np.testing.assert_array_equal(found["flag"], [1.0, np.nan])
    assert found["text"].isna().tolist() == [False, True]


def test_numbers_that_arrive_as_objects_are_read() -> None:
    found = feature_frame(
        pd.DataFrame({"x": pd.Series([1, None, 2.5], dtype="object")}), {"x": "number"}
    )
    np.testing.assert_array_equal(found["x"], [1.0, np.nan, 2.5])


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (
            pd.DataFrame({"at": pd.to_datetime(["2024-01-01"])}),
            "column at has type datetime64.*List a time under columns.date",
        ),
        (pd.DataFrame({"_target": [1]}), "data/features has no feature column"),
    ],
)
def test_a_table_that_no_model_takes_is_an_error(frame: pd.DataFrame, words: str) -> None:
    with pytest.raises(UserError, match=words):
        feature_kinds(frame)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pd.DataFrame({"x": [1.0]}), "needs the feature columns y, which the rows do not have"),
        (pd.DataFrame({"x": ["far"], "y": [1]}), "Feature column x is a number for the model.*far"),
    ],
)
def test_rows_that_do_not_fit_the_model_are_an_error(frame: pd.DataFrame, words: str) -> None:
    with pytest.raises(UserError, match=words):
        feature_frame(frame, {"x": "number", "y": "number"})
