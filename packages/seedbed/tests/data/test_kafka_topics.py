"""Messages of a topic are read in the order of their offsets, all of a window, or refused in a sentence."""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro
import pandas as pd
import pytest

from kafka_broker import TOPICS, Broker, Row
from kafka_front import front
from seedbed.config.schema import ColumnLists, Dataset, Source, Table
from seedbed.data import kafka_client, kafka_topics
from seedbed.data.freshness import find_moves, pin_offsets, source_state
from seedbed.data.kafka_topics import read_kafka
from seedbed.data.sources import read_source
from seedbed.errors import UserError

SECRET = "-".join(["correct", "horse", "battery"])
VARIABLE = "ROWS_KAFKA"
DATASET = Dataset(name="d", tables=[Table(name="rows")])
SCHEMA = {
    "type": "record",
    "name": "Row",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "where", "type": ["null", {"type": "record", "name": "Where", "fields": [{"name": "city", "type": "string"}]}]},
    ],
}  # fmt: skip


@pytest.fixture
def topic(kafka: Broker, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a topic that is not there yet."""
    monkeypatch.setenv(VARIABLE, f"kafka://{kafka.servers}")
    return next(TOPICS)


def source_of(topic: str, path: str = VARIABLE, **options: Any) -> Source:
    return Source(kind="kafka", path=path, options={"topic": topic, **options})


def read(topic: str, **options: Any) -> pd.DataFrame:
    return read_source(source_of(topic, **options), DATASET, "rows", {})


def as_lists(frame: pd.DataFrame) -> dict[str, list]:
    return {
        name: [None if pd.isna(value) else value for value in frame[name]] for name in frame.columns
    }


def numbered(count: int, partitions: int = 1) -> list[Row]:
    return [
        (number % partitions, json.dumps({"id": number, "odd": number % 2}).encode())
        for number in range(count)
    ]


def test_objects_become_rows_by_partition_then_offset(
    kafka: Broker, topic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows: list[Row] = [
        (1, b'{"id": 3, "ok": true, "at": {"city": "Bern", "tags": ["a", 1]}}', {"key": b"k"}),
        (0, b'{"id": 1, "name": "007", "price": 1}', {"timestamp": 1_700_000_000_123}),
        (0, None, {"key": b"gone"}),
        (0, b'{"id": 9007199254740993, "name": null, "price": 0.5}'),
        (0, b"{}"),
    ]
    kafka.fill(topic, rows, 3)
    metadata = {"of": "partition", "place": "offset", "sent": "timestamp", "key": "key"}
    found = read(topic, metadata=metadata)
    sent = found.pop("sent")
    assert sent[0] == pd.Timestamp("2023-11-14T22:13:20.123Z")
    assert as_lists(found) == {
        "id": [1, 9007199254740993, None, 3],
        "name": ["007", None, None, None],
        "price": [1, 0.5, None, None],
        "of": [0, 0, 0, 1],
        "place": [0, 2, 3, 0],
        "key": [None, None, None, "k"],
        "ok": [None, None, None, True],
        "at.city": [None, None, None, "Bern"],
        "at.tags": [None, None, None, '["a", 1]'],
    }
    assert "1 messages without a value were left out" in capsys.readouterr().out


def test_batches_are_together_the_same_rows(
    kafka: Broker, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = (0, b'{"id": 9007199254740993, "late": "x"}')
    kafka.fill(topic, [(0, b'{"id": null}'), *numbered(20, 2), late], 2)
    whole = read(topic)
    monkeypatch.setattr(kafka_topics, "BATCH", 7)
    asked: list[list[str]] = []

    def needed(names: list[str]) -> list[str]:
        asked.append(names)
        return ["id", "late"]

    batches = list(read_kafka(source_of(topic), DATASET, "rows", {}, needed))
    assert [len(batch) for batch in batches] == [7, 7, 7, 1]
    assert asked[-1] == ["id", "odd", "late"] and "odd" not in batches[0]
    assert whole["id"].tolist()[-11:] == [9007199254740993, *range(1, 20, 2)]
    pd.testing.assert_frame_equal(read(topic), whole)


def test_a_window_of_offsets_is_read_and_read_again(kafka: Broker, topic: str) -> None:
    kafka.fill(topic, numbered(20, 2), 2)
    assert read(topic, offsets={"0": [1, 3], "1": [8, 10]})["id"].tolist() == [2, 4, 17, 19]
    lists = ColumnLists(target="id")
    source = source_of(topic)
    before = source_state(source, DATASET, lists)
    assert before["rows"]["partitions"]["1"] == {"start": 0, "end": 10, "latest": 10}
    kafka.send(topic, [(1, b'{"id": 99}')])
    assert len(read_source(source, pin_offsets(source, DATASET, before), "rows", {})) == 20
    assert len(read(topic)) == 21
    now = source_state(source, DATASET, lists)
    assert find_moves(before, now) == [
        "rows, partition 1: offsets 0 to 10, latest 10 then, offsets 0 to 11, latest 11 now"
    ]
    assert find_moves(now, source_state(source, DATASET, lists)) == []
    chosen = source_of(topic, offsets={"1": [0, 10]})
    moved = find_moves(source_state(chosen, DATASET, lists), before)
    assert moved[0].startswith("rows, partition 1: offsets 0 to 10, latest 11 then")


def avro(record: dict, schema: dict | None = SCHEMA) -> bytes:
    file = io.BytesIO()
    fastavro.schemaless_writer(file, fastavro.parse_schema(schema), record)
    return file.getvalue()


def container(*records: dict) -> bytes:
    file = io.BytesIO()
    fastavro.writer(file, fastavro.parse_schema(SCHEMA), records)
    return file.getvalue()


AVRO_ROWS = [
    {"id": 1, "price": "1.10", "at": 1_700_000_000_123, "where": {"city": "Bern"}},
    {"id": 2**60 + 1, "price": "2", "at": 0, "where": None},
]


@pytest.mark.parametrize("has_file", [True, False])
def test_avro_is_read_by_the_schema_in_the_message_or_in_a_file(
    kafka: Broker, topic: str, tmp_path: Path, has_file: bool
) -> None:
    from decimal import Decimal

    records = [{**row, "price": Decimal(row["price"])} for row in AVRO_ROWS]
    (tmp_path / "row.avsc").write_text(json.dumps(SCHEMA))
    options = {"schema_file": str(tmp_path / "row.avsc")} if has_file else {}
    values = [avro(row) for row in records] if has_file else [container(*records)]
    kafka.fill(topic, [(0, value) for value in values])
    found = read(topic, format="avro", **options)
    assert found.pop("at").tolist() == [
        pd.Timestamp("2023-11-14T22:13:20.123Z"),
        pd.Timestamp(0, tz="UTC"),
    ]
    assert as_lists(found) == {
        "id": [1, 2**60 + 1],
        "price": [1.1, 2.0],
        "where.city": ["Bern", None],
        "where": [None, None],
    }


def test_bytes_are_a_column_of_text(kafka: Broker, topic: str) -> None:
    kafka.fill(topic, [(0, "é 1".encode()), (0, b"")])
    assert read(topic, format="bytes")["value"].dropna().tolist() == ["é 1"]


ROW = b'{"id": 1}'
FILE = {"format": "avro", "schema_file": "row.avsc"}
POISON = [
    (b"no json", {}, "it is not JSON (expected ident at line 1 column 2)"),
    (b"", {}, "it is not JSON"),
    (b'{"id": 1}{"id": 2}', {}, "it is not JSON (trailing characters"),
    (b'{"id": "\xff"}', {}, "it is not JSON"),
    (b"[1, 2]", {}, "it is not an object with names and values, but [1, 2]"),
    (b"\xff", {"format": "bytes"}, "it is not UTF-8 (byte 0)"),
    (b"\x00\x00\x00\x00\x07\x02", {"format": "avro"}, "Confluent's wire format, which needs a schema registry, is not read"),
    (b"text", {"format": "avro"}, "it is no Avro container with its schema: name the schema's file"),
    (b"Obj\x01damaged", {"format": "avro"}, "its Avro cannot be read"),
    (b"\x02", FILE, "it does not fit the schema"),
    (b"\x00\x00\x00\x00\x00\x00", FILE, "it does not fit the schema"),
    (b"\x02\x02\x01\x00\x00 and more", FILE, "it does not fit the schema (9 bytes are left over)"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "options", "words"), POISON)
def test_a_poison_message_is_named_or_skipped_and_counted(
    kafka: Broker,
    topic: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    value: bytes,
    options: dict,
    words: str,
) -> None:
    from decimal import Decimal

    monkeypatch.chdir(tmp_path)
    Path("row.avsc").write_text(json.dumps(SCHEMA))
    record = {**AVRO_ROWS[0], "price": Decimal("1.10")}
    good = ROW if options.get("format") != "avro" else avro(record)
    if options == {"format": "avro"}:
        good = container(record)
    kafka.fill(topic, [(0, good), (0, value), (0, good)])
    with pytest.raises(UserError) as refused:
        read(topic, **options)
    message = str(refused.value)
    assert f"{VARIABLE}, topic {topic}, partition 0, offset 1: the message cannot be" in message
    assert words in message and "source.options.poison: skip" in message
    assert len(read(topic, poison="skip", **options)) == 2
    printed = capsys.readouterr().out
    assert "1 messages that are poison were left out, at first partition 0, offset 1: it" in printed


WRONG = [
    ({"offsets": {"0": [0, 6]}}, "of [0, 6) some are not there yet: ROWS_KAFKA, topic {topic} holds [0, 5)"),
    ({"offsets": {"3": [0, 1]}}, "source.options.offsets.3: ROWS_KAFKA, topic {topic} has the partitions 0 to 1"),
    ({"offsets": {"0": [2, 2]}}, "the window holds no message: partition 0 from 2 to 2 (latest 5)"),
    ({"start": "2100-01-01"}, "the window holds no message: partition 0 from 5 to 5 (latest 5), partition 1 from"),
    ({"topic": "{topic}s"}, "there is no such topic, or no right to see it (did you mean {topic}?)"),
    ({"path": "kafka://"}, "source.path: this is no kafka://HOST:PORT/TOPIC"),
    ({"path": "NO_SUCH_KAFKA"}, "environment variable that holds it, and there is none of this name. Set NO_SUCH_KAFKA"),
    ({"path": "ELSEWHERE"}, "ELSEWHERE: this is no kafka://HOST:PORT/TOPIC. Write it so, without a user or a password"),
    ({"secrets": {"sasl.password": "NO_SUCH_VARIABLE"}}, "source.options.secrets.sasl.password: there is no environment variable NO_SUCH"),  # pragma: allowlist secret
    ({"settings": {"fetch.no": 1}}, '(No such configuration property: "fetch.no")'),
    ({"secrets": {"debug": "SECRET"}}, 'Invalid value "***" for configuration property "debug"'),
    ({"metadata": {"id": "offset"}}, "source.options.metadata.id: the messages of ROWS_KAFKA, topic {topic} have a field"),
    ({"format": "avro", "schema_file": "no.avsc"}, "source.options.schema_file: there is no file no.avsc"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "words"), WRONG)
def test_what_cannot_be_read_is_told(
    kafka: Broker, topic: str, monkeypatch: pytest.MonkeyPatch, options: dict, words: str
) -> None:
    monkeypatch.setenv("SECRET", SECRET)
    monkeypatch.setenv("ELSEWHERE", f"kafka://me:{SECRET}@127.0.0.1:1/rows")
    kafka.fill(topic, numbered(10, 2), 2)
    wanted = {key: text.format(topic=topic) if key == "topic" else text for key, text in options.items()}  # fmt: skip
    with pytest.raises(UserError) as refused:
        read(wanted.pop("topic", topic), **wanted)
    assert words.format(topic=topic) in str(refused.value)
    assert SECRET not in str(refused.value) and "\n" not in str(refused.value)


def test_a_cluster_that_does_not_answer_is_told(
    topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_client, "ANSWER_WITHIN", 0.5)
    words = rf"127.0.0.1:1, topic {topic}: the cluster does not answer \(.*Connection refused"
    with pytest.raises(UserError, match=words):
        read(topic, path="kafka://127.0.0.1:1/rows")


@pytest.mark.parametrize(
    ("module", "options"), [("confluent_kafka", {}), ("fastavro", {"format": "avro"})]
)
def test_the_extra_that_is_not_installed_is_named(
    topic: str, monkeypatch: pytest.MonkeyPatch, module: str, options: dict
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match=r"the extra kafka, .* add seedbed\[kafka\] to"):
        read(topic, **options)


@pytest.mark.parametrize(
    ("request_kind", "error", "words"),
    [
        (3, 29, "the cluster refuses (Failed to get metadata: Broker: Topic authorization failed)"),
        (2, 29, "the cluster refuses (Failed to get watermark offsets: Broker: Topic authorization"),
        (1, 29, "the cluster refuses (Fetch from broker 1 failed: Broker: Topic authorization"),
        (1, 1, "partition 0: offset 0 is gone (fetch failed due to requested offset not available"),
    ],
)  # fmt: skip
def test_what_the_cluster_refuses_is_told(
    kafka: Broker, topic: str, request_kind: int, error: int, words: str
) -> None:
    kafka.fill(topic, numbered(3))
    kafka.refuse(request_kind, *[error] * 9)
    with pytest.raises(UserError) as refused:
        read(topic)
    kafka.refuse(request_kind)
    assert f"{VARIABLE}, topic {topic}" in str(refused.value) and words in str(refused.value)
    assert len(read(topic)) == 3


def test_a_topic_without_a_leader_is_told(kafka: Broker, topic: str) -> None:
    kafka.fill(topic, numbered(3))
    kafka.fail(topic, 5)
    with pytest.raises(UserError, match=f"topic {topic}: the cluster reports: Broker: Leader not"):
        read(topic)


def test_offsets_without_a_message_end_a_window_too(kafka: Broker, topic: str) -> None:
    kafka.fill(topic, numbered(3))
    kafka.end_transaction(topic)
    kafka.send(topic, [(0, b'{"id": 3}')])
    for _ in range(2):
        kafka.end_transaction(topic)
    found = read(topic, metadata={"place": "offset"})
    assert found["place"].tolist() == [0, 1, 2, 4]
    assert len(read(topic, offsets={"0": [0, 4]})) == 3
    with pytest.raises(UserError, match="no message of the window is a row: partition 0 from 5 to"):
        read(topic, offsets={"0": [5, 7]})


def test_offsets_that_are_gone_are_refused_with_what_is_there(kafka: Broker, topic: str) -> None:
    kafka.fill(topic, [(0, json.dumps({"x": "a" * 100_000, "id": n}).encode()) for n in range(80)])
    found = read(topic, metadata={"place": "offset"})
    low = int(found["place"].min())
    assert low > 0 and found["id"].tolist() == list(range(low, 80))
    with pytest.raises(UserError, match=rf"some are gone: .* holds \[{low}, 80\)"):
        read(topic, offsets={"0": [low - 1, 80]})


def test_several_tables_are_topics_of_their_names(kafka: Broker, topic: str) -> None:
    other = next(TOPICS)
    kafka.fill(topic, [(0, b'{"a": 1}')])
    kafka.fill(other, [(0, b'{"b": 2}')])
    dataset = Dataset(name="d", tables=[Table(name=topic), Table(name=other)])
    source = Source(kind="kafka", path=VARIABLE)
    assert [list(read_source(source, dataset, name, {})) for name in (topic, other)] == [["a"], ["b"]]  # fmt: skip
    for wrong in (source_of(topic), source_of(other, offsets={"0": [0, 1]})):
        with pytest.raises(
            UserError, match=f"those of one table, .* tables {topic}, {other}. Write"
        ):
            read_source(wrong, dataset, other, {})


FEW_AT_ONCE = {"queued.min.messages": 1, "fetch.message.max.bytes": 5000}


@pytest.mark.slow
def test_a_connection_that_breaks_off_is_taken_up_where_it_was_or_nothing_is_read(
    kafka: Broker, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka.fill(topic, numbered(3000, 2), 2)
    whole = read(topic)
    monkeypatch.setattr(kafka_topics, "BATCH", 100)
    monkeypatch.setattr(kafka_client, "AT_ONCE", 10)
    source = source_of(topic, settings=FEW_AT_ONCE)

    def batches() -> Iterator[pd.DataFrame]:
        return read_kafka(source, DATASET, "rows", {}, lambda names: names)

    reading = batches()
    found = [next(reading)]
    kafka.down()
    kafka.up()
    found += list(reading)
    assert pd.concat(found)["id"].tolist() == whole["id"].tolist()
    reading = batches()
    next(reading)
    kafka.down()
    try:
        with monkeypatch.context() as patch:
            patch.setattr(kafka_client, "SILENT_AT_MOST", 0.5)
            patch.setattr(kafka_client, "ANSWER_WITHIN", 0.5)
            words = r"no message came for 0.5 s at offset \d+ of 1500 \(.*Nothing was written"
            with pytest.raises(UserError, match=words):
                list(reading)
            with pytest.raises(UserError, match="the cluster does not answer"):
                read(topic)
    finally:
        kafka.up()
    pd.testing.assert_frame_equal(read(topic), whole)


@pytest.mark.slow
def test_a_broker_that_was_killed_and_filled_again_gives_the_same_rows(
    topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = Broker()
    rows = numbered(50, 3)
    broker.fill(topic, rows, 3)
    monkeypatch.setenv(VARIABLE, f"kafka://{broker.servers}")
    whole = read(topic)
    broker.kill()
    with monkeypatch.context() as patch:
        patch.setattr(kafka_client, "ANSWER_WITHIN", 0.5)
        with pytest.raises(UserError, match="the cluster does not answer"):
            read(topic)
    broker.start()
    broker.fill(topic, rows, 3)
    monkeypatch.setenv(VARIABLE, f"kafka://{broker.servers}")
    pd.testing.assert_frame_equal(read(topic), whole)
    broker.kill()


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2023-01-01T00:00:03Z", "2023-01-01T00:00:06Z", [4, 3, 5]),
        ("2023-01-01T00:00:02.5Z", None, [4, 6, 8, 3, 5, 7, 9]),
        ("2023-01-01T00:00:08.0000005Z", None, [9]),
        (None, "2023-01-01T01:00:02", [0, 1]),  # in the dataset's time zone
        ("2023-01-01T00:00:09Z", "2024-01-01T00:00Z", [9]),
    ],
)
def test_a_window_of_time_is_read_by_the_timestamps(
    kafka: Broker,
    topic: str,
    monkeypatch: pytest.MonkeyPatch,
    start: str | None,
    end: str | None,
    expected: list[int],
) -> None:
    first = int(pd.Timestamp("2023-01-01", tz="UTC").timestamp() * 1000)
    sent = [first + 1000 * number for number in range(10)]
    kafka.fill(
        topic,
        [(*row, {"timestamp": at}) for row, at in zip(numbered(10, 2), sent, strict=True)],  # type: ignore[misc]
        2,
    )
    dataset = DATASET.model_copy(update={"time_zone": "Europe/Zurich"})
    with front(kafka.servers, topic, {0: sent[::2], 1: sent[1::2]}) as servers:
        monkeypatch.setenv(VARIABLE, f"kafka://{servers}")
        source = source_of(topic, start=start, end=end)
        assert read_source(source, dataset, "rows", {})["id"].tolist() == expected
        with pytest.raises(UserError, match="the window holds no message: partition 0 from 5 to 5"):
            read(topic, start="2024-01-01")


@pytest.mark.slow
def test_a_wrong_password_is_told_without_it(
    kafka: Broker, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_PASSWORD", SECRET)
    settings = {
        "security.protocol": "sasl_plaintext",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "me",
    }
    secrets = {"sasl.password": "KAFKA_PASSWORD"}  # pragma: allowlist secret
    with front(kafka.servers, refuses=True) as servers:
        monkeypatch.setenv(VARIABLE, f"kafka://{servers}")
        with pytest.raises(UserError) as refused:
            read(topic, settings=settings, secrets=secrets)
    assert "the cluster refuses (" in str(refused.value)
    assert "no such user or password" in str(refused.value) and SECRET not in str(refused.value)
