"""How a dataset is called, and where its files lie."""

import filecmp
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from seedbed.data.source_files import ENDINGS
from seedbed.data.sources import WATCHED
from seedbed.datasets.sniffing import Sniffed
from seedbed.datasets.yaml_text import NOT_TEXT
from seedbed.errors import UserError
from seedbed.files import replacing

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
"""What is a file's name in conf/ and, on a command line, no number."""
LARGEST_IN_GIT = 500 * 1024
"""Bytes of a file that hooks and `make lint` let into Git."""


def choose_name(path: str, named: str | None) -> str:
    """Return a dataset's name: what a person named, else `rents_2024` of Rents 2024.csv.gz.

    A glob such as ``rents/*.csv`` takes the name of its folder.

    Raises UserError if no name can be made of it, or the one that is named cannot be one.
    """
    if named is not None:
        if not NAME.fullmatch(named) or named.lower() in NOT_TEXT:
            raise UserError(
                f"--name {named}: a dataset is named by letters from a to z, digits, _ and -, of "
                "which the first is a letter, and by no word such as null or true. Choose another "
                "name."
            )
        return named
    place = Path(path).expanduser().absolute()
    for part in (place.name.split(".")[0], place.parent.name):
        name = re.sub(r"\W+", "_", part.casefold(), flags=re.ASCII).strip("_")
        if name:
            return name if NAME.fullmatch(name) and name not in NOT_TEXT else f"data_{name}"
        if "*" not in part:
            break
    raise UserError(f"{path}: no name can be made of this file's name. Give one with --name.")


def plan_copies(root: Path, sniffed: Sniffed, name: str) -> tuple[str, dict[Path, Path]]:
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


def plan_tables(
    root: Path, base: str, tables: Mapping[str, Sniffed]
) -> tuple[str, dict[Path, Path]]:
    """Return the folder below data/source that holds a file for each table, and what is copied.

    Raises UserError if a table is no single file or that of another, or its ending does not say
    what it is.
    """
    folder, copies = WATCHED / base, {}
    for name, sniffed in tables.items():
        file = Path(sniffed.path).expanduser().absolute()
        endings = ENDINGS[sniffed.kind]
        if not file.is_file():
            raise UserError(
                f"{sniffed.path}: of several tables each must be one file. Write the files of "
                f"table {name} into one."
            )
        if file in copies:
            raise UserError(
                f"--table {name}: {sniffed.path} is another table already. To join a table to its "
                "own earlier rows, write the join into the conf/dataset file."
            )
        ending = next((ending for ending in endings if file.name.endswith(ending)), None)
        if ending is None:
            raise UserError(
                f"{sniffed.path}: it is of kind {sniffed.kind}, and its name does not say so. Let "
                f"it end in {' or '.join(endings[:3])}."
            )
        copy = root / folder / f"{name}{ending}"
        if file != copy:
            copies[file] = copy
    return folder.as_posix(), copies


def refuse_others(root: Path, copies: dict[Path, Path]) -> None:
    """Refuse to replace a file of another content.

    Raises UserError if there is one.
    """
    for file, target in copies.items():
        if target.exists() and not filecmp.cmp(file, target, shallow=False):
            raise UserError(
                f"{target.relative_to(root)} exists, and is another file than {file}; nothing was "
                "written. Choose another name with --name, or replace it with --force."
            )


def too_large_for_git(root: Path, place: str) -> str:
    """Return the file or folder of a table below data/source that should be DVC's, or ""."""
    places = sorted(root.glob(place))
    files = [file for found in places for file in (found.rglob("*") if found.is_dir() else [found])]
    large = [file for file in files if file.stat().st_size > LARGEST_IN_GIT]
    if not large:
        return ""
    top = places[0] if len(places) == 1 else places[0].parent
    top = large[0] if top == root / WATCHED else top
    return "" if Path(f"{top}.dvc").exists() else top.relative_to(root).as_posix()


def copy_file(file: Path, target: Path) -> None:
    """Copy a file, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as beside:
        shutil.copyfile(file, beside)
