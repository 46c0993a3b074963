"""Topics of Kafka as tables: a bounded window of messages, a row each, in batches."""

import os
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import pandas as pd

from seedbed.config.schema import Dataset, Source
from seedbed.config.source_options import KafkaOptions
from seedbed.config.sources import holds_secret, read_options
from seedbed.data.batches import read_ahead
from seedbed.data.csv_files import Needed, Types
from seedbed.data.kafka_client import EPOCH, Topic
from seedbed.data.kafka_windows import Window, find_window, window_words
from seedbed.data.messages import Decoder, PoisonError, Record, decoder_of, text_of, to_frame
from seedbed.errors import UserError
from seedbed.progress import RowProgress

if TYPE_CHECKING:
    from confluent_kafka import Message

BATCH = 20_000
"""Rows of a batch."""


def read_kafka(
    source: Source, dataset: Dataset, table: str, types: Types, needed: Needed
) -> Iterator[pd.DataFrame]:
    """Yield the messages of a topic's window as rows, by partition, then by offset.

    Partitions are assigned: no group of consumers is joined, and no offset is committed. A
    connection that breaks off is taken up where it was. Messages without a value, which mark a key
    as deleted, are left out, and counted.

    Parameters
    ----------
    source : Source
        Its path is ``kafka://HOST:PORT[,HOST:PORT]/TOPIC``, or the name of an environment variable
        that holds it; its options are :class:`~seedbed.config.sources.KafkaOptions`.
    dataset, table
        See :func:`~seedbed.data.sources.read_source`.
    types : mapping of str to {"number", "category", "boolean", "time", ...}
    needed : callable
        Returns which columns are needed, given all that were found so far.

    Yields
    ------
    DataFrame, shape (at most about BATCH, n_columns)
        The index counts on from batch to batch. A batch has the columns of its own messages.

    Raises UserError if the cluster cannot be reached, refuses, or stops answering; if there is no
    such topic, or the window is empty or reaches beyond what the topic holds; if a message cannot
    be decoded.
    """
    options = read_options(source)
    decode = decoder_of(options)
    with _opened(source, dataset, table, options) as topic:
        window = find_window(topic, options, dataset.time_zone)
        total = sum(max(0, span.end - span.start) for span in window.values())
        if not total:
            raise UserError(
                f"{topic.place}: the window holds no message: {window_words(window)}. Widen "
                "source.options.offsets, or start and end."
            )
        left_out = _LeftOut()
        names: dict[str, None] = {}
        done, progress = 0, RowProgress(total)
        records = _records(topic, window, options, decode, left_out)
        with closing(progress), closing(records):
            while batch := list(islice(records, BATCH)):
                own = dict.fromkeys(chain.from_iterable(batch))
                names.update(own)
                kept = [name for name in needed(list(names)) if name in own]
                yield to_frame(batch, kept, types, done)
                done += len(batch)
                progress.add(len(batch))
    for sentence in left_out.sentences():
        print(f"{topic.place}: {sentence}")
    if not done:
        raise UserError(
            f"{topic.place}: no message of the window is a row: {window_words(window)}. Widen it, "
            "or correct source.options.format."
        )


def kafka_state(source: Source, dataset: Dataset, table: str) -> dict[str, Any]:
    """Return the window that is read now, without reading it, and the latest offsets.

    Returns
    -------
    dict
        ``{"partitions": {"0": {"start": ..., "end": ..., "latest": ...}}}``

    Raises UserError as :func:`read_kafka`.
    """
    options = read_options(source)
    with _opened(source, dataset, table, options) as topic:
        window = find_window(topic, options, dataset.time_zone)
    return {"partitions": {str(partition): asdict(span) for partition, span in window.items()}}


@contextmanager
def _opened(source: Source, dataset: Dataset, table: str, options: KafkaOptions) -> Iterator[Topic]:
    """Yield the topic that is a table.

    Raises UserError if its address is missing or wrong; see :class:`Topic`.
    """
    path = source.path
    if path is None:
        raise UserError(
            "source.path is not set, and source kafka needs kafka://HOST:PORT/TOPIC, or the name "
            "of an environment variable that holds it: -S source.path=KAFKA."
        )
    by_name = "://" not in path
    text = os.environ.get(path, "") if by_name else path
    if not text:
        raise UserError(
            f"{path}: for Kafka this must be kafka://HOST:PORT/TOPIC, or the name of an "
            f"environment variable that holds it, and there is none of this name. Set {path}."
        )
    kind, _, rest = text.partition("://")
    servers, _, in_path = rest.partition("/")
    if kind != "kafka" or not servers or "@" in servers or holds_secret(text):
        raise UserError(
            f"{path if by_name else 'source.path'}: this is no kafka://HOST:PORT/TOPIC. Write it "
            "so, without a user or a password, which stand under source.options.settings and "
            "secrets."
        )
    name = options.topic or in_path or table
    is_shared = len(dataset.tables) > 1 and dataset.table(table).options is None
    if is_shared and (name != table or options.offsets):
        raise UserError(
            "source.path or source.options: a topic and its offsets are those of one table, and "
            f"dataset {dataset.name} has the tables {', '.join(dataset.table_names)}. Write them "
            "under dataset.tables, as {name: " + table + ", options: {topic: ..., offsets: ...}}."
        )
    topic = Topic(servers, name, f"{path if by_name else servers}, topic {name}", options)
    try:
        yield topic
    finally:
        topic.close()


@dataclass
class _LeftOut:
    """Messages that are no rows."""

    tombstones: int = 0
    poison: int = 0
    first: str = ""

    def sentences(self) -> Iterator[str]:
        if self.tombstones:
            yield f"{self.tombstones:,} messages without a value were left out"
        if self.poison:
            yield f"{self.poison:,} messages that are poison were left out, at first {self.first}"


def _records(
    topic: Topic, window: Window, options: KafkaOptions, decode: Decoder, left_out: _LeftOut
) -> Generator[Record]:
    """Yield what the messages of a window hold, by partition, then by offset."""

    def fetch() -> Iterator[list["Message"]]:
        for partition, span in window.items():
            yield from topic.messages(partition, span.start, span.end)

    with read_ahead(fetch) as fetched:
        for message in chain.from_iterable(fetched):
            value = message.value()
            if value is None:
                left_out.tombstones += 1
                continue
            try:
                found, metadata = decode(value), _metadata(message, options)
            except PoisonError as error:
                place = f"partition {message.partition()}, offset {message.offset()}"
                if options.poison == "raise":
                    raise UserError(
                        f"{topic.place}, {place}: the message cannot be read: {error}. Correct "
                        "source.options.format, or leave such messages out with "
                        "source.options.poison: skip."
                    ) from None
                left_out.poison += 1
                left_out.first = left_out.first or f"{place}: {error}"
                continue
            for record in found:
                if twice := [name for name in metadata if name in record]:
                    raise UserError(
                        f"source.options.metadata.{twice[0]}: the messages of {topic.place} have a "
                        "field of this name too. Choose another name."
                    )
                yield record | metadata if metadata else record


def _metadata(message: "Message", chosen: KafkaOptions) -> Record:
    """Return what stands beside a message, by the names that it is to have.

    Raises PoisonError if its key is wanted, and is no text.
    """
    found: Record = {}
    for name, what in chosen.metadata.items():
        if what == "timestamp":
            kind, milliseconds = message.timestamp()
            found[name] = EPOCH + timedelta(milliseconds=milliseconds) if kind else None
        elif what == "key":
            key = message.key()
            found[name] = None if key is None else text_of(key)
        else:
            found[name] = getattr(message, what)()
    return found
