"""`seedbed dataset add`: reads a table, decides what each column is, and writes its files."""

import filecmp
import re
import shutil
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
from seedbed.datasets.writing import Description, dataset_file, expectations_file
from seedbed.errors import UserError
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
    frame = read_as_text(sniffed)
    guesses = infer_columns(frame, target, time, group)
    problem = infer_problem(frame, guesses, target, positive)
    split = infer_split(frame, guesses, time, group)
    typed = pd.DataFrame({column: read_as(frame[column], guesses[column]) for column in frame})
    features = [
        column
        for column, guess in guesses.items()
        if column not in (target, split.column)
        and guess.kind not in ("constant", "empty", "duplicate")
    ]
    # Classes by their own names, so that a reason names them.
    answers = typed[target] if problem.task == "regression" else _classes(frame[target], guesses)
    leaks = {leak.column: leak for leak in find_leaks(typed, answers, problem.task, features)}
    honest = [
        column
        for column in features
        if column not in leaks and guesses[column].kind != "identifier"
    ]
    repeats = find_repeats(typed, honest, answers) if split.kind == "random" else None
    source = {
        "kind": sniffed.kind,
        "path": _place(root, sniffed, name, force),
        "options": _options(sniffed, guesses),
    }
    if not source["options"]:
        del source["options"]
    found = Description(name, source, target, len(frame), guesses, problem, split, leaks)
    write_text(files["dataset"], dataset_file(found))
    write_text(files["expectations"], expectations_file(found))
    check_composed(compose_conf(root, [f"dataset={name}"]).values, root)
    if use:
        main = root / MAIN
        write_text(main, CHOICE.sub(rf"\g<1>{name}", main.read_text(encoding="utf-8"), count=1))
        compose_anew(root)
    warnings = [
        *sniffed.notes,
        *problem.warnings,
        *split.notes,
        *([str(repeats)] if repeats else []),
    ]
    return Added(found, [file.relative_to(root).as_posix() for file in files.values()], warnings)


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


def _options(sniffed: Sniffed, guesses: dict[str, Guess]) -> dict[str, Any]:
    """Return how the file is read: what its text looks like, and how its columns are written."""
    formats = {name: guess.form for name, guess in guesses.items() if guess.form}
    missing = sorted({text for guess in guesses.values() for text in guess.missing_texts})
    found = {**sniffed.options, "formats": formats, "missing": missing}
    return {key: value for key, value in found.items() if value not in ([], {}, None)}


def _place(root: Path, sniffed: Sniffed, name: str, force: bool) -> str:
    """Copy the table below data/source, where stage ingest sees it change; return its place."""
    given = Path(sniffed.path).expanduser()
    watched = root / WATCHED
    if given.absolute().is_relative_to(watched):
        return given.absolute().relative_to(root).as_posix()
    if given.is_file():
        return _copy(given, watched / f"{name}{''.join(given.suffixes)}", root, force)
    folder = watched / name
    files = sorted(given.rglob("*") if given.is_dir() else given.parent.glob(given.name))
    for file in files:
        if file.is_file():
            inside = file.relative_to(given if given.is_dir() else given.parent)
            _copy(file, folder / inside, root, force)
    return (folder if given.is_dir() else folder / given.name).relative_to(root).as_posix()


def _copy(file: Path, target: Path, root: Path, force: bool) -> str:
    place = target.relative_to(root).as_posix()
    if target.exists() and not force and not filecmp.cmp(file, target, shallow=False):
        raise UserError(
            f"{place} exists, and is another file than {file}; nothing was written. Choose another "
            "name with --name, or replace it with --force."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as beside:
        shutil.copyfile(file, beside)
    return place


def _refuse_overrides(root: Path) -> None:
    if overrides := read_overrides(root):
        raise UserError(
            f"params.yaml holds values that conf/ does not: {overrides}. --use composes it anew, "
            "which would drop them. Write them into conf/ with `seedbed adopt NAME`, or drop them "
            "with `seedbed compose --reset`, and start again."
        )
