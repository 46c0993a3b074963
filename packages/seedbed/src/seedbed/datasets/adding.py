"""`seedbed dataset add`: reads a table, decides what each column is, and writes its files."""

import re
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pandas as pd

from seedbed.config.columns import is_glob
from seedbed.config.compose import check_composed, compose_anew
from seedbed.config.composition import MAIN, compose_conf
from seedbed.config.overrides import read_overrides
from seedbed.data.stores import is_address
from seedbed.datasets.describing import describe_table
from seedbed.datasets.description import LISTS, Description
from seedbed.datasets.elsewhere import (
    at_hand,
    is_database,
    is_topic,
    place_of,
    refuse_options,
    sniff_elsewhere,
)
from seedbed.datasets.guesses import Guess, check_column
from seedbed.datasets.json_apis import sniff_api
from seedbed.datasets.names import RESERVED
from seedbed.datasets.placing import (
    choose_name,
    copy_file,
    plan_copies,
    plan_tables,
    refuse_others,
    too_large_for_git,
)
from seedbed.datasets.sniffing import Sniffed, read_as_text, sniff, with_options
from seedbed.datasets.tables import relate_tables, sniff_tables
from seedbed.datasets.tables_file import table_lines
from seedbed.datasets.writing import comment, dataset_file, expectations_file
from seedbed.errors import UserError, some_of
from seedbed.files import write_text

CHOICE = re.compile(r"^(\s*- dataset:\s*)(\S+)", re.MULTILINE)
"""The line of conf/config.yaml that chooses the dataset."""


@dataclass(frozen=True)
class Added:
    """What was found in a table, and the files that were written."""

    description: Description
    files: list[str]
    warnings: list[str]
    large: str  # the file or folder below data/source that is too large for Git, or ""


def add_dataset(
    root: Path,
    path: str,
    target: str,
    *,
    time: str | None = None,
    group: str | None = None,
    name: str | None = None,
    positive: str | None = None,
    tables: Sequence[str] = (),
    joins: Sequence[str] = (),
    query: str | None = None,
    options: Mapping[str, Any] | None = None,
    use: bool = False,
    force: bool = False,
) -> Added:
    """Describe a table in conf/ and put it below data/source.

    A table of a database, a topic, files at an address, and the records of a JSON API stay where
    they are.

    Parameters
    ----------
    root : Path
        Of the repository.
    path : str
        A file, a glob, or a folder of Parquet files, here or at an address such as s3://; the
        address of a JSON API; or a database or a topic of Kafka: its URL, or the name of an
        environment variable that holds it.
    target : str
        The column to predict.
    time, group : str, optional
        The column that orders the rows; the one whose values are never parted by a split.
    name : str, optional
        Of the dataset; the file's name if it is not given.
    positive : str, optional
        The value of the target that is asked for, where it has two.
    tables, joins : sequence of str
        Tables beside this one as NAME=PATH, and how they join as child.key=parent.key; see
        :func:`~seedbed.datasets.tables.relate_tables`. Of a database or of Kafka, `tables` has the
        one name.
    query : str, optional
        Of a database, in the place of a table.
    options : mapping of str to Any, optional
        What stands under ``source.options`` and is not to be found out.
    use : bool, default=False
        Whether it becomes the dataset of conf/config.yaml.
    force : bool, default=False
        Whether files of the dataset that exist are replaced.

    Raises UserError if the file cannot be read, the target is no target, or files exist already.
    """
    is_asked = is_database(path) or is_topic(path)
    named = [path, *tables][-1].rpartition(".")[2] if is_asked else path
    name = choose_name(named, name)
    files = {key: root / f"conf/{key}/{name}.yaml" for key in ("dataset", "expectations")}
    if not force and (there := [file for file in files.values() if file.exists()]):
        raise UserError(
            f"{there[0].relative_to(root)} exists, and nothing was written. Choose another name "
            "with --name, or replace it with --force."
        )
    if use:
        _refuse_overrides(root)
    elsewhere = is_asked or is_address(path)
    refuse_options(path, tables, joins, query)
    asked = sniff_elsewhere(path, tables, query) if is_asked else sniff_api(path, options or {})
    with nullcontext(path) if asked else at_hand(path) as here:
        sniffed = with_options(asked or sniff(here, target, options), options or {})
        frame = read_as_text(sniffed)
    copies: dict[Path, Path] = {}
    place = place_of(sniffed.path, here, path)
    if not elsewhere:
        place, copies = plan_copies(root, sniffed, name)
    if beside := {} if elsewhere else sniff_tables(name, tables):
        place, copies = plan_tables(root, name, {name: sniffed, **beside})
    if not force:
        refuse_others(root, copies)
    own, related = list(frame), None
    if beside or joins:
        related = relate_tables(name, frame, beside, joins, target, time, group)
        frame = related.rows
    else:
        _refuse_columns(frame, sniffed.notes, target, time, group)
    parts = compose_conf(root).values["features"].get("time_parts", [])
    found, warnings = describe_table(frame, name, target, time, group, positive, related, parts)
    if not any(found.columns_of(role) for role in LISTS):
        others = [
            f"{column} ({comment(found, column)})" for column in found.guesses if column != target
        ]
        raise UserError(
            f"{path}: no column is left that a model could learn from, beside the target {target}: "
            f"{some_of(others, 10) or 'there is no other'}. Give a table with more columns."
        )
    guesses = {column: found.guesses[column] for column in own}
    source = {"kind": sniffed.kind, "path": place, "options": _options(sniffed, guesses)}
    joined = None
    if related:
        options = {other: _options(beside[other], related.guesses[other]) for other in beside}
        joined = table_lines(name, source, beside, options, related)
    texts = {
        "dataset": dataset_file(found, source, joined),
        "expectations": expectations_file(found),
    }
    _write_checked(root, name, {files[key]: text for key, text in texts.items()})
    for file, copy in copies.items():
        copy_file(file, copy)
    if use:
        main = root / MAIN
        write_text(main, CHOICE.sub(rf"\g<1>{name}", main.read_text(encoding="utf-8"), count=1))
        compose_anew(root)
    written = [file.relative_to(root).as_posix() for file in files.values()]
    return Added(
        found,
        [*written, *([place] if copies else [])],
        [*sniffed.notes, *warnings],
        "" if elsewhere else too_large_for_git(root, place),
    )


def _refuse_columns(
    frame: pd.DataFrame, notes: list[str], target: str, time: str | None, group: str | None
) -> None:
    """Refuse columns that are named but not there, cannot be used, or are named twice."""
    named: dict[str, str] = {}
    for option, column in (("--target", target), ("--time", time), ("--group", group)):
        if column is None:
            continue
        check_column(frame, column, option, notes)
        if column in named:
            raise UserError(
                f"{option} {column}: this is {named[column]} already. Name another column, or "
                "leave the option out."
            )
        if column.startswith(RESERVED):
            raise UserError(
                f"{option} {column}: a name must not begin with _ or !, which have a meaning in "
                "conf/. Rename the column in the file."
            )
        taken = [name for name in frame if name != column and fnmatchcase(name, column)]
        if is_glob(column) and taken:
            raise UserError(
                f"{option} {column}: this name is a pattern too, which takes {some_of(taken, 3)}. "
                "Rename the column in the file."
            )
        named[column] = option


def _write_checked(root: Path, name: str, texts: Mapping[Path, str]) -> None:
    """Write the files of conf/, or leave all as it was if they do not compose."""
    before = {file: file.read_text(encoding="utf-8") for file in texts if file.exists()}
    for file, text in texts.items():
        write_text(file, text)
    try:
        check_composed(compose_conf(root, [f"dataset={name}"]).values, root)
    except BaseException:
        for file in texts:
            if file in before:
                write_text(file, before[file])
            else:
                file.unlink()
        raise


def _options(sniffed: Sniffed, guesses: Mapping[str, Guess]) -> dict[str, Any]:
    """Return how the file is read: what its text looks like, and how its columns are written."""
    given = sniffed.options
    found = {name: guess.form for name, guess in guesses.items() if guess.form}
    formats = {**found, **given.get("formats", {})}
    texts = {text for guess in guesses.values() for text in guess.missing_texts}
    missing = sorted(texts.union(given.get("missing", ())))
    written = {"formats": formats, "missing": missing}
    # A sniffed option may be null: `header: null` is no header.
    return {**given, **{key: value for key, value in written.items() if value}}


def _refuse_overrides(root: Path) -> None:
    if overrides := read_overrides(root):
        raise UserError(f"--use composes params.yaml anew, and {overrides.explain()}")
