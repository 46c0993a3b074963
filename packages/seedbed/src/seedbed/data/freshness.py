"""Whether a source has moved since it was read: by figures of it that are cheap to ask for."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from seedbed.config.schema import ColumnLists, Dataset, Source
from seedbed.data.parquet_files import parquet_files_in
from seedbed.data.source_files import ENDINGS, find_files
from seedbed.data.sources import find_unwatched
from seedbed.data.stores import Store, is_address
from seedbed.errors import some_of

STATE = Path("reports/source.json")
"""Where stage ingest records the state of its source."""
SHOWN = 5
"""How many files a sentence names."""
State = Mapping[str, Mapping[str, Any]]
"""By table: `rows` and `max` of a database, `files`, each with what changes when it does, or
`partitions` of a topic."""


def source_state(source: Source, dataset: Dataset, lists: ColumnLists) -> dict[str, Any]:
    """Return the state of the tables whose changes DVC does not see.

    Parameters
    ----------
    source : Source
    dataset : Dataset
    lists : ColumnLists

    Returns
    -------
    dict
        By table. Of a database, the number of rows, and the largest value of the time column (for a
        table that is joined, that of the join), else of a primary key of one column. Of files, the
        ETag and size, or the size and the time of change; of an API, the number of rows, or ETag
        and time of the first page. Of a topic, the offsets that are read of each partition, and the
        latest. The state is that of the whole table, whatever ``dataset.window`` is. Nothing of it
        is secret. Empty for packages, for sources of the project's own, and for files that stage
        ingest depends on.

    Raises
    ------
    UserError
        If the source cannot be reached or refuses, or a table is missing.
    """
    times = {dataset.base: lists.time} | {join.table: join.time for join in dataset.joins}
    states = {}
    for table in dataset.table_names:
        own = source.of(dataset.table(table))
        if find_unwatched(own) is None or own.kind not in (*ENDINGS, "sql", "api", "kafka"):
            continue
        if own.kind == "sql":
            from seedbed.data.sql_tables import sql_state

            states[table] = sql_state(own, dataset, table, times.get(table))
        elif own.kind == "api":
            from seedbed.data.json_api import api_state

            states[table] = api_state(own, dataset, table)
        elif own.kind == "kafka":
            from seedbed.data.kafka_topics import kafka_state

            states[table] = kafka_state(own, dataset, table)
        else:
            states[table] = {"files": dict(_files_of(own, dataset, table))}
    return states


def pin_offsets(source: Source, dataset: Dataset, state: State) -> Dataset:
    """Return the dataset whose topics are read from and to the offsets in `state`.

    So what is recorded is what is read, whatever arrives in between.
    """
    tables = []
    for table in dataset.tables:
        options = table.options
        if partitions := state.get(table.name, {}).get("partitions"):
            own = {**source.of(table).options, "start": None, "end": None}
            offsets = {number: [span["start"], span["end"]] for number, span in partitions.items()}
            options = {**own, "offsets": offsets}
        tables.append(table.model_copy(update={"options": options}))
    return dataset.model_copy(update={"tables": tables})


def _files_of(source: Source, dataset: Dataset, table: str) -> Iterator[tuple[str, Any]]:
    store = Store(str(source.path)) if is_address(source.path) else None
    for path in find_files(source, dataset, table, store):
        if store:
            for file in [path] if store.is_file(path) else store.parquet_in(path):
                yield file, store.state_of(file)
            continue
        place = Path(path)
        for local in parquet_files_in(place) if place.is_dir() else [place]:
            about = local.stat()
            yield str(local), {"size": str(about.st_size), "mtime": str(about.st_mtime_ns)}


def find_unknown(state: State) -> list[str]:
    """Return a sentence for each file that says nothing by which a change of it is seen."""
    return [
        f"{table}: {name} sends neither ETag nor Last-Modified, so that only reading it tells "
        "whether it has moved"
        for table, own in state.items()
        for name, about in own.get("files", {}).items()
        if not about
    ]


def find_moves(before: State, now: State) -> list[str]:
    """Return a sentence for each difference of two states."""
    return [
        sentence
        for table in dict.fromkeys([*before, *now])
        for sentence in _moves_of(table, before.get(table), now.get(table))
    ]


def _moves_of(
    table: str, before: Mapping[str, Any] | None, now: Mapping[str, Any] | None
) -> Iterator[str]:
    if before is None or now is None or _kind_of(before) != _kind_of(now):
        yield f"{table}: the source is another one than at the last ingest"
    elif "files" in now:
        yield from _moved_files(table, before["files"], now["files"])
    elif "partitions" in now:
        was, spans = before["partitions"], now["partitions"]
        for number in {**was, **spans}:
            before_it, now_it = _span_words(was.get(number)), _span_words(spans.get(number))
            if before_it != now_it:
                yield f"{table}, partition {number}: {before_it} then, {now_it} now"
    else:
        if before["rows"] != now["rows"]:
            yield f"{table}: {before['rows']:,} rows then, {now['rows']:,} now"
        was, largest = before.get("max", {}), now.get("max", {})
        for column in dict.fromkeys([*was, *largest]):
            if was.get(column) != largest.get(column):
                yield (
                    f"{table}: the largest {column} was {was.get(column)}, and is "
                    f"{largest.get(column)}"
                )


def _kind_of(state: Mapping[str, Any]) -> str:
    return next((key for key in ("files", "partitions") if key in state), "rows")


def _span_words(span: Mapping[str, int] | None) -> str:
    if span is None:
        return "not read"
    return "offsets {start} to {end}, latest {latest}".format(**span)


def _moved_files(table: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    both = before.keys() & now.keys()
    for words, names in (
        ("new", now.keys() - both),
        ("gone", before.keys() - both),
        ("changed", {name for name in both if before[name] != now[name]}),
    ):
        if names:
            yield f"{table}: {words}: {some_of(sorted(names), SHOWN)}"
