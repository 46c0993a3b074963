"""The lines of conf/dataset/NAME.yaml on several tables and their joins."""

from collections.abc import Iterable, Mapping
from typing import Any

from seedbed.config.joins import Join
from seedbed.datasets.sniffing import Sniffed
from seedbed.datasets.tables import Related
from seedbed.datasets.yaml_text import commented, inline, wrapped


def table_lines(
    base: str,
    source: Mapping[str, Any],
    others: Mapping[str, Sniffed],
    options: Mapping[str, Mapping[str, Any]],
    related: Related,
) -> Iterable[str]:
    """Yield `tables` and `joins` of the section `dataset`.

    Parameters
    ----------
    base : str
        The name of the first table, which is read as `source` says.
    source : mapping
        Its kind and options.
    others : mapping of str to Sniffed
        The other tables; one that is read in another way says so.
    options : mapping of str to mapping
        By which each of them is read.
    """
    yield commented("  tables:", "the first is the one whose rows are asked about")
    yield f"    - {inline({'name': base})}"
    for name, sniffed in others.items():
        entry: dict[str, Any] = {"name": name}
        if sniffed.kind != source["kind"]:
            entry["kind"] = sniffed.kind
        if options[name] != ({} if "kind" in entry else source["options"]):
            entry["options"] = options[name]
        entries = [_entry(key, value) for key, value in entry.items()]
        yield wrapped("    - ", entries, "{}")
    yield "  joins:"
    for join, reason in zip(related.joins, related.reasons, strict=True):
        yield from _join(join, reason)


def _join(join: Join, reason: str) -> Iterable[str]:
    yield commented(f"    - table: {inline(join.table)}", reason)
    yield f"      keys: {inline(join.pairs)}"
    if join.columns:
        yield wrapped("      columns: ", [inline(name) for name in join.columns])
    if join.rename:
        yield f"      rename: {inline(join.rename)}"
    if join.time:
        yield commented(
            f"      time: {inline(join.time)}", "only rows before columns.time of the row count"
        )
    if join.aggregate:
        yield commented("      aggregate:", "each adds a column, such as " + join.added[-1])
        for name, aggregates in join.aggregate.items():
            yield f"        {_entry(name, aggregates)}"


def _entry(key: str, value: Any) -> str:
    return inline({key: value})[1:-1]
