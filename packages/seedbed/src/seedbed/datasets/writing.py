"""The files of conf/ that describe a table: what was found, with a comment on each guess."""

import glob
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from seedbed.config.columns import is_glob
from seedbed.datasets.description import LISTS, Description
from seedbed.datasets.names import RESERVED
from seedbed.datasets.yaml_text import comment_line, commented, inline, inline_key, wrapped

COMMENTED = 60
"""Lists of more columns are written without a comment on each."""


def dataset_file(
    found: Description, source: Mapping[str, Any], tables: Iterable[str] | None = None
) -> str:
    """Return conf/dataset/NAME.yaml.

    Parameters
    ----------
    source : mapping
        Kind, path and options of the source.
    tables : iterable of str, optional
        The lines on several tables and their joins.
    """
    problem, split = found.problem, found.split
    choices = {"source": source["kind"], "split": split.kind, "expectations": found.name}
    lines = [
        "# @package _global_",
        comment_line(
            f"{_question(found)} From {source['path']}: dvc exp run -S dataset={found.name}"
        ),
        "defaults:",
        *(commented(f"  - override /{group}: {choice}") for group, choice in choices.items()),
        "",
        "source:",
        f"  path: {inline(source['path'])}",
        *_options(source["options"]),
        "",
        "dataset:",
        f"  name: {inline(found.name)}",
        *(tables or [f"  tables: [{{name: {inline(found.name)}}}]"]),
        "  window: {start: null, end: null}",
        "  sample: null",
        *(["", f"split: {{repeats: {split.repeats}}}"] if split.repeats > 1 else []),
        "",
        "problem:",
        f"  question: {inline(_question(found))}",
        commented(f"  task: {problem.task}", problem.reason),
        *(
            [commented(f"  positive: {inline(problem.positive)}", problem.positive_reason)]
            if problem.task == "binary"
            else []
        ),
        f"  metric: {problem.metric}",
        f"  threshold: {problem.threshold}",
        "",
        comment_line(f"The split is {split.kind}: {split.reason}."),
        "columns:",
        f"  target: {inline(found.target)}",
        *(
            f"  {role}: {inline(name)}"
            for role in ("time", "group")
            for name in found.columns_of(role)
        ),
        *_lists(found),
        *_types(found),
        *_left_out(found),
        *_time_parts(found),
    ]
    return "\n".join(lines) + "\n"


def expectations_file(found: Description) -> str:
    """Return conf/expectations/NAME.yaml: what holds of the table as it is, and has to hold on."""
    expected = [
        _expectation(
            "ExpectTableRowCountToBeBetween", "critical", min_value=max(found.rows // 2, 1)
        )
    ]
    if not found.guesses[found.target].missing:
        expected.append(
            _expectation("ExpectColumnValuesToNotBeNull", "critical", column=found.target)
        )
    for name in found.columns_of("time"):
        expected.append(_expectation("ExpectColumnValuesToNotBeNull", "critical", column=name))
    for name in found.columns_of("key"):
        expected.append(_expectation("ExpectColumnValuesToBeUnique", "warning", column=name))
    return "\n".join(
        [
            f"# What must hold of {found.name}: add what you know. There were {found.rows:,} rows.",
            f"# dvc exp run -S dataset={found.name}",
            "suite:",
            *(f"  - {entry}" for entry in expected),
            "",
        ]
    )


def _expectation(kind: str, severity: str, **arguments: Any) -> str:
    return inline({"type": kind, "severity": severity, "arguments": arguments})


def _question(found: Description) -> str:
    if found.problem.task == "binary":
        positive = found.problem.positive
        return f"Is {found.target} {'true' if positive is True else positive}?"
    return f"What is {found.target}?"


def _options(options: Mapping[str, Any]) -> Iterable[str]:
    if options:
        yield "  options:"
    for key, value in options.items():
        if isinstance(value, dict):
            entries = [f"{inline_key(name)}: {inline(part)}" for name, part in value.items()]
            yield wrapped(f"    {key}: ", entries, "{}")
        else:
            yield f"    {key}: {inline(value)}"


def _lists(found: Description) -> Iterable[str]:
    for role in ("key", *LISTS, "known_after_outcome"):
        names = found.columns_of(role)
        if not names:
            continue
        excluded = list(_taken_by_globs(found, names))
        if len(names) > COMMENTED:
            entries = [*names, *(f"!{glob.escape(name)}" for name in excluded)]
            yield wrapped(f"  {role}: ", [inline(entry) for entry in entries])
            continue
        yield f"  {role}:"
        for name in names:
            yield commented(f"    - {inline(name)}", comment(found, name))
        for name in excluded:
            yield commented(
                f"    - {inline(f'!{glob.escape(name)}')}", "else a name above takes it"
            )


def _taken_by_globs(found: Description, names: Iterable[str]) -> Iterable[str]:
    """Yield the columns left out that a name such as `*`, which is a pattern too, would take."""
    globs = [name for name in names if is_glob(name)]
    for name in found.guesses if globs else ():
        if found.role(name) is None and any(fnmatchcase(name, pattern) for pattern in globs):
            yield name


def _types(found: Description) -> Iterable[str]:
    """Yield the types of columns that are no features, where they are no numbers."""
    types = {}
    for role in ("target", "group", "key", "known_after_outcome"):
        for name in found.columns_of(role):
            kind: str = found.guesses[name].kind
            if role == "target":
                kind = found.problem.target_type
            elif role in ("key", "group"):
                kind = "category"
            if kind != "number" or name in found.join_keys:
                types[name] = {"boolean": "boolean", "date": "time"}.get(kind, "category")
    # Else a key that is no feature would be a number in one file, and text in another.
    types |= {name: "category" for name in found.join_keys if found.role(name) is None}
    if types:
        yield wrapped(
            "  types: ", [f"{inline_key(name)}: {kind}" for name, kind in types.items()], "{}"
        )


def _left_out(found: Description) -> Iterable[str]:
    names = [name for name in found.guesses if found.role(name) is None]
    for name in names[:COMMENTED]:
        kind = found.guesses[name].kind
        yield f"  {comment_line(f'left out: {inline(name)} ({kind}): {comment(found, name)}')}"
    if len(names) > COMMENTED:
        yield f"  # and {len(names) - COMMENTED:,} more, which `ingest` names"


def _time_parts(found: Description) -> Iterable[str]:
    if found.time_parts is not None:
        yield ""
        yield "features:"
        yield commented(
            f"  time_parts: {inline(found.time_parts)}",
            "the others do not come again: later rows have values that training has not seen",
        )


def comment(found: Description, name: str) -> str:
    """Return why a column is what it is, with what a person should look at."""
    guess, leak = found.guesses[name], found.leaks.get(name)
    if name.startswith(RESERVED):
        return f"a name must not begin with {name[0]}: give it another with source.options.names"
    if name in found.join_keys and guess.kind == "number":
        return f"a key of a join, {guess.reason}"
    if name in found.trends:
        return (
            f"it grows with {found.split.column} (rank correlation {found.trends[name]:.2f}), so "
            "later rows have values that training has not seen"
        )
    return "; ".join(filter(None, (leak.reason if leak else guess.reason, guess.note)))
