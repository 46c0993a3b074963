"""Tables that are not files of this machine: of a database, a topic, or at an address."""

import glob
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from seedbed.config.sources import holds_secret
from seedbed.data.databases import without_password
from seedbed.data.source_files import ENDINGS
from seedbed.data.stores import Store, head_of, is_address
from seedbed.datasets.sniffing import Sniffed
from seedbed.errors import UserError

DATABASES = ("postgresql", "postgres", "sqlite", "mysql", "mariadb", "duckdb", "mssql", "oracle")
"""How URLs of databases begin."""


def is_database(path: str) -> bool:
    """Whether a path is a URL of a database, or the name of an environment variable with one."""
    if is_topic(path):
        return False
    if is_address(path):
        return path.partition("://")[0].partition("+")[0] in DATABASES
    return "://" in os.environ.get(path, "") and not Path(path).exists()


def is_topic(path: str) -> bool:
    """Whether a path is an address of Kafka, or the name of an environment variable with one."""
    return (path if is_address(path) else os.environ.get(path, "")).startswith("kafka://")


def refuse_options(
    path: str, tables: Sequence[str], joins: Sequence[str], query: str | None
) -> None:
    """Refuse options of `dataset add` that do not go with the path.

    Raises UserError if tables are joined to one that is elsewhere, or not one table of a database
    is named.
    """
    if is_topic(path):
        if query is not None or joins or len(tables) > 1 or any("=" in table for table in tables):
            raise UserError(
                f"{without_password(path)}: of Kafka, one topic is described: name it in "
                "the path, or with --table TOPIC, and leave --query and --join out."
            )
        return
    if not is_database(path):
        if query is not None:
            raise UserError(f"--query is asked of a database, and {path} is none. Leave it out.")
        if is_address(path) and (tables or joins):
            raise UserError(
                f"{path}: of several tables each must be a file of this machine. Fetch them, or "
                "write dataset.tables and dataset.joins into the conf/dataset file."
            )
        return
    if joins or len(tables) > 1 or any("=" in table for table in tables):
        raise UserError(
            f"{without_password(path)}: of a database, one table is described. Join others to it "
            "in --query 'SELECT ... ORDER BY ...', or write dataset.joins into the conf/dataset "
            "file."
        )
    if (query is None) == (not tables):
        raise UserError(
            f"{without_password(path)}: this is a database. Name one table of it, --table NAME, or "
            "give --query 'SELECT ... ORDER BY ...'."
        )


def sniff_elsewhere(path: str, tables: Sequence[str], query: str | None) -> Sniffed:
    """Return how a table or a query of a database, or a topic, is read."""
    if is_topic(path):
        return Sniffed("kafka", path, {"topic": tables[0]} if tables else {})
    return Sniffed("sql", path, {"table": tables[0]} if tables else {"query": query})


@contextmanager
def at_hand(path: str) -> Iterator[str]:
    """Yield where the files of a path are on this machine: of an address, where copies are.

    Errors of a copy name the address in its place.

    Raises UserError if there is nothing, or it cannot be fetched.
    """
    if is_database(path) or is_topic(path) or not is_address(path):
        yield path
        return
    if holds_secret(path):
        raise UserError(
            f"{path.partition('?')[0].rpartition('@')[2]}: the address holds a password or a key, "
            "and it is written into conf/. Leave it to the store's own files or environment "
            "variables."
        )
    with tempfile.TemporaryDirectory() as folder:
        local = _fetch(path.rstrip("/"), Path(folder))
        try:
            yield local
        except UserError as error:
            raise UserError(str(error).replace(_above(local), _above(path))) from None


def place_of(found: str, here: str, path: str) -> str:
    """Return the address of a file that was found below `here`, where `path` was fetched to."""
    return path if found == here else f"{_above(path)}{found.removeprefix(_above(here))}"


def _above(path: str) -> str:
    return path.rstrip("/").rpartition("/")[0]


def _fetch(address: str, folder: Path) -> str:
    """Fetch a file, the files of a pattern, or those of a folder; return where they are."""
    store = Store(address)
    name = Path(urlsplit(address).path or address).name
    if store.is_file(address):
        store.fetch(address, folder / name)
        return str(folder / name)
    if glob.has_magic(address):
        top, found = head_of(address), store.glob(address)
        local = f"{folder}/{address.removeprefix(top).lstrip('/')}"
    else:
        endings = tuple(ending for group in ENDINGS.values() for ending in group)
        top, local = address, f"{folder}/{name}"
        found = [file for file in store.files_in(address) if file.endswith(endings)]
    if not found:
        raise UserError(f"{address}: there is no such file, and no table below it. Check it.")
    inside = Path(local) if top == address else folder
    for file in found:
        store.fetch(file, inside / file.removeprefix(top).lstrip("/"))
    return local
