"""Records of messages come together in columns of one type; a schema that is none is refused."""

import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from seedbed.config.source_options import KafkaOptions
from seedbed.data.batches import stack_batches, with_all_columns
from seedbed.data.messages import PoisonError, decoder_of, to_frame
from seedbed.errors import UserError

BIG = 2**53 + 1


@pytest.mark.parametrize(
    ("batches", "expected"),
    [
        ([[{"a": BIG}], [{"a": None}]], [BIG, None]),
        ([[{"a": None}], [{"a": BIG}, {}]], [None, BIG, None]),
        ([[{"b": 1}], [{"a": BIG}]], [None, BIG]),
        ([[{"a": 1}], [{"a": 0.5}]], [1, 0.5]),
        ([[{"a": 0.5}, {"a": BIG}], [{"a": None}]], [0.5, BIG, None]),
        ([[{"a": True}, {}], [{"a": False}]], [True, None, False]),
        ([[{"a": True}], [{"a": 2}]], [True, 2]),
        ([[{"a": "x"}, {"a": 1}], [{"a": None}]], ["x", 1, None]),
        ([[{"a": 2**64}], [{"a": 1}]], [2**64, 1]),
        ([[{"a": None}], [{"a": None}]], [None, None]),
    ],
)
def test_no_value_is_changed_by_where_batches_end(batches: list, expected: list) -> None:
    records = [record for batch in batches for record in batch]
    whole = to_frame(records, ["a"], {}, 0)["a"]
    first = len(batches[0])
    frames = [
        to_frame(batch, list(dict.fromkeys(name for record in batch for name in record)), {}, start)
        for batch, start in zip(batches, (0, first), strict=True)
    ]
    for found in (whole, stack_batches(with_all_columns(frames))["a"]):
        assert [None if pd.isna(value) else value for value in found] == expected


DAY, AT = datetime.date(2024, 1, 1), datetime.datetime(2024, 1, 2, 3, 4)


@pytest.mark.parametrize(
    "values",
    [
        [1, True],
        [0.5, True],
        [0.5, BIG],
        [DAY, AT],
        [AT, AT.replace(tzinfo=datetime.UTC)],
        [1, "x"],
    ],
)
def test_a_value_is_not_changed_by_those_of_other_types_before_it(values: list) -> None:
    for order in (values, values[::-1]):
        found = to_frame([{"a": value} for value in order], ["a"], {}, 0)["a"]
        assert list(map(repr, found)) == list(map(repr, order))


@pytest.mark.parametrize(
    "schema",
    [
        *("no json", "5", "[1]", "null", "{}", '{"type": "recrd"}'),
        '{"type": "record", "name": "a", "fields": 5}',
        '{"type": "record", "name": "a", "fields": [{"type": "int"}]}',
    ],
)
def test_a_file_that_is_no_schema_is_refused(tmp_path: Path, schema: str) -> None:
    file = tmp_path / "row.avsc"
    file.write_text(schema)
    with pytest.raises(
        UserError, match=r"row.avsc \(source.options.schema_file\): this is no schema"
    ):
        decoder_of(KafkaOptions(format="avro", schema_file=str(file)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b'{"a": {"b": {"c": 1}, "d": []}, "e": {}}', {"a.b.c": 1, "a.d": "[]"}),
        ('{"a": ["é", {"b": null}]}'.encode(), {"a": '["é", {"b": null}]'}),
        (b'{"a": 123456789012345678901234567890}', {"a": 123456789012345678901234567890}),
        (b'{"a": "\\ud83d"}', None),
        (b'{"a":' * 3000 + b"1" + b"}" * 3000, None),
        (b'{"a": {"b": 1}, "a.b": 2}', "it has two fields that would be the column a.b"),
    ],
)
def test_objects_are_made_flat(value: bytes, expected: dict[str, Any] | str | None) -> None:
    decode = decoder_of(KafkaOptions())
    if not isinstance(expected, dict):
        with pytest.raises(PoisonError, match=expected or "it is not JSON"):
            decode(value)
    else:
        assert decode(value) == [expected]
