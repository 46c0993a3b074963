"""`seedbed dataset add`: reads a table, decides what each column is, and writes its files."""

import filecmp
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from seedbed.config.compose import check_composed, compose_anew
from seedbed.config.composition import MAIN, compose_conf
from seedbed.config.overrides import read_overrides
from seedbed.data.leaks import find_leaks
from seedbed.data.repeats import find_repeats
from seedbed.datasets.guesses import Guess, read_as
from seedbed.datasets.inferring import infer_columns
from seedbed.datasets.problem import infer_problem, infer_split
from seedbed.datasets.sniffing import Sniffed, read_as_text, sniff
from seedbed.datasets.tables import Related, plan_tables, relate_tables, sniff_tables
from seedbed.datasets.tables_file import table_lines
from seedbed.datasets.trends import find_trends, parts_to_use
from seedbed.datasets.writing import LISTS, Description, comment, dataset_file, expectations_file
from seedbed.errors import UserError, some_of
from seedbed.files import replacing, write_text

WATCHED = "data/source"
CHOICE = re.compile(r"^(\s*- dataset:\s*)(\S+)", re.MULTILINE)
"""The line of conf/config.yaml that chooses the dataset."""


@dataclass(frozen=True)
class Added:
    """What was found in a table, and the files that were written."""

    description: Description
    files: list[str]
    warnings: list[str]


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
    use: bool = False,
    force: bool = False,
) -> Added:
    """Describe a table in conf/ and put it below data/source.

    Parameters
    ----------
    root : Path
        Of the repository.
    path : str
        A file, a glob, or a folder of Parquet files.
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
        :func:`~seedbed.datasets.tables.relate_tables`.
    use : bool, default=False
        Whether it becomes the dataset of conf/config.yaml.
    force : bool, default=False
        Whether files of the dataset that exist are replaced.

    Raises
    ------
    UserError
        If the file cannot be read, the target is no target, or files exist already.
    """
    name = name or _name_of(path)
    files = {key: root / f"conf/{key}/{name}.yaml" for key in ("dataset", "expectations")}
    if not force and (there := [file for file in files.values() if file.exists()]):
        raise UserError(
            f"{there[0].relative_to(root)} exists, and nothing was written. Choose another name "
            "with --name, or replace it with --force."
        )
    if use:
        _refuse_overrides(root)
    sniffed = sniff(path)
    place, copies = _plan_copies(root, sniffed, name)
    if beside := sniff_tables(name, tables):
        place, copies = plan_tables(root, name, {name: sniffed, **beside})
    if not force:
        _refuse_others(root, copies)
    frame = read_as_text(sniffed)
    own, related = list(frame), None
    if beside or joins:
        related = relate_tables(name, frame, beside, joins, target, time, group)
        frame = related.rows
    found, warnings = describe_table(frame, name, target, time, group, positive, related)
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
    for key, text in texts.items():
        write_text(files[key], text)
    check_composed(compose_conf(root, [f"dataset={name}"]).values, root)
    for file, copy in copies.items():
        _copy(file, copy)
    if use:
        main = root / MAIN
        write_text(main, CHOICE.sub(rf"\g<1>{name}", main.read_text(encoding="utf-8"), count=1))
        compose_anew(root)
    written = [*(file.relative_to(root).as_posix() for file in files.values()), place]
    return Added(found, written, [*sniffed.notes, *warnings])


def describe_table(
    frame: pd.DataFrame,
    name: str,
    target: str,
    time: str | None = None,
    group: str | None = None,
    positive: str | None = None,
    related: Related | None = None,
) -> tuple[Description, list[str]]:
    """Return what is found in a table, and what a person should know before anything runs.

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
        As :func:`~seedbed.datasets.sniffing.read_as_text` returns it. Its columns are taken out.
    name, target, time, group, positive : str
        See :func:`add_dataset`.
    related : Related, optional
        How columns of other tables came into it.

    Raises
    ------
    UserError
        If a column is not there, or the target is no target.
    """
    guesses = infer_columns(frame, target, time, group)
    problem = infer_problem(frame, guesses, target, positive)
    split = related.split if related else infer_split(frame, guesses, time, group)
    count = len(frame)
    classes = _classes(frame[target], guesses)
    typed = _read_typed(frame, guesses)
    others = [
        column
        for column, guess in guesses.items()
        if column not in (target, split.column)
        and guess.kind not in ("constant", "empty", "duplicate")
    ]
    # Classes by their own names, so that a reason names them.
    answers = typed[target] if problem.task == "regression" else classes
    leaks = {leak.column: leak for leak in find_leaks(typed, answers, problem.task, others)}
    features = [
        column for column in others if column not in leaks and guesses[column].kind != "identifier"
    ]
    trends: dict[str, float] = {}
    time_parts = None
    warnings = [*problem.warnings, *split.notes, *(related.warnings if related else [])]
    if split.kind == "time":
        numbers = [column for column in features if guesses[column].kind == "number"]
        trends = find_trends(typed, str(split.column), numbers)
        time_parts = parts_to_use(typed[split.column])
    elif split.kind == "random" and (repeats := find_repeats(typed, features, answers)):
        warnings.append(str(repeats))
    found = Description(
        name,
        target,
        count,
        guesses,
        problem,
        split,
        leaks,
        trends,
        time_parts,
        frozenset(related.keys if related else ()),
    )
    return found, warnings


def _read_typed(frame: pd.DataFrame, guesses: Mapping[str, Guess]) -> pd.DataFrame:
    """Return the columns as they were guessed; `frame` loses its own, which take much memory."""
    texts = dict(frame.items())
    frame.drop(columns=frame.columns, inplace=True)
    typed = {name: read_as(texts.pop(name), guesses[name]) for name in list(texts)}
    return pd.DataFrame(typed, copy=False)


def _classes(values: pd.Series, guesses: dict[str, Guess]) -> pd.Series:
    """Return the classes as text, missing where the file has a text that stands for that."""
    return values.mask(values.isin(guesses[str(values.name)].missing_texts)).astype("str")


def _name_of(path: str) -> str:
    """Return a dataset's name made of a file's name, such as `rents_2024` of Rents 2024.csv.gz."""
    stem = Path(path).name.split(".")[0]
    name = re.sub(r"\W+", "_", stem.casefold(), flags=re.ASCII).strip("_")
    if not name:
        raise UserError(f"{path}: no name can be made of this file's name. Give one with --name.")
    return name


def _options(sniffed: Sniffed, guesses: Mapping[str, Guess]) -> dict[str, Any]:
    """Return how the file is read: what its text looks like, and how its columns are written."""
    formats = {name: guess.form for name, guess in guesses.items() if guess.form}
    missing = sorted({text for guess in guesses.values() for text in guess.missing_texts})
    found = {**sniffed.options, "formats": formats, "missing": missing}
    return {key: value for key, value in found.items() if value not in ([], {}, None)}


def _plan_copies(root: Path, sniffed: Sniffed, name: str) -> tuple[str, dict[Path, Path]]:
    """Return where the table lies below data/source, and which files are copied there."""
    given = Path(sniffed.path).expanduser().absolute()
    watched = root / WATCHED
    if given.is_relative_to(watched):
        return given.relative_to(root).as_posix(), {}
    if given.is_file():
        place = watched / f"{name}{''.join(given.suffixes)}"
        return place.relative_to(root).as_posix(), {given: place}
    top = given if given.is_dir() else given.parent
    files = given.rglob("*") if given.is_dir() else top.glob(given.name)
    copies = {file: watched / name / file.relative_to(top) for file in files if file.is_file()}
    place = watched / name if given.is_dir() else watched / name / given.name
    return place.relative_to(root).as_posix(), copies


def _refuse_others(root: Path, copies: dict[Path, Path]) -> None:
    for file, target in copies.items():
        if target.exists() and not filecmp.cmp(file, target, shallow=False):
            raise UserError(
                f"{target.relative_to(root)} exists, and is another file than {file}; nothing was "
                "written. Choose another name with --name, or replace it with --force."
            )


def _copy(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as beside:
        shutil.copyfile(file, beside)


def _refuse_overrides(root: Path) -> None:
    if overrides := read_overrides(root):
        raise UserError(
            f"params.yaml holds values that conf/ does not: {overrides}. --use composes it anew, "
            "which would drop them. Write them into conf/ with `seedbed adopt NAME`, or drop them "
            "with `seedbed compose --reset`, and start again."
        )
