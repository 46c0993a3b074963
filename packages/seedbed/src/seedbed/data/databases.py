"""Databases: where they are, without a password in any message, and what their errors say."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedbed.config.sources import SECRET, holds_secret
from seedbed.errors import UserError, one_line

if TYPE_CHECKING:
    from sqlalchemy import CursorResult, Engine

CONNECT_WITHIN = 10
"""Seconds that a server may take to answer, unless its URL says otherwise."""
FILES = ("sqlite", "duckdb")
"""The databases that are files."""


def connect(address: str) -> "Engine":
    """Return an engine for an address.

    Parameters
    ----------
    address : str
        The name of an environment variable that holds a URL, or a URL without a password.

    Raises UserError if it is neither, or the URL is not one of a database.
    """
    try:
        from sqlalchemy import create_engine
        from sqlalchemy.dialects import registry
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError, NoSuchModuleError
    except ImportError:
        raise UserError(
            "Tables of a database need the extra sql, which is not installed: add seedbed[sql] to "
            "the dependencies, then `make lock setup`."
        ) from None
    registry.register("duckdb", "seedbed.data.duckdb_files", "DuckDB")
    by_name = "://" not in address
    text = os.environ.get(address, "") if by_name else address
    if not text:
        raise UserError(
            f"{address}: for a database this must be the name of an environment variable that "
            "holds its URL, and there is none of this name. Set "
            f"{address} to an address such as postgresql://USER@HOST/DATABASE, with the password."
        )
    try:
        url = make_url(text)
        if holds_secret(text) and not by_name:
            raise UserError(
                f"{without_password(address)}: a password on the command line is seen by "
                "everybody on this machine, and one in conf/ by everybody who has the repository. "
                "Put the URL into an environment variable and give the variable's name."
            )
        if url.drivername in ("postgresql", "postgres"):
            url = url.set(drivername="postgresql+psycopg")
        elif url.drivername in ("mysql", "mariadb"):
            url = url.set(drivername=f"{url.drivername}+pymysql")
        arguments: dict[str, Any] = {}
        if url.drivername.endswith(("+psycopg", "+pymysql")) and "connect_timeout" not in url.query:
            arguments["connect_timeout"] = CONNECT_WITHIN
        if url.drivername.endswith("+pymysql"):
            arguments |= _converting()
        return create_engine(url, hide_parameters=True, connect_args=arguments)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        is_private = by_name and not isinstance(error, ImportError)
        why = type(error).__name__ if is_private else one_line(error)
        raise UserError(
            f"{without_password(address)}: this is not a URL of a database that can be reached "
            f"({why}). Write it as postgresql://USER@HOST/DATABASE or sqlite:///FILE, and install "
            "its driver."
        ) from None


def _converting() -> dict[str, Any]:
    """Return what lets PyMySQL give BIT as a number, and TIMESTAMP in UTC: it is a moment."""
    from pymysql.constants import FIELD_TYPE
    from pymysql.converters import conversions, convert_datetime

    def moment(text: str) -> Any:
        found = convert_datetime(text)
        # 0000-00-00 stays a text.
        return found.replace(tzinfo=UTC) if isinstance(found, datetime) else found

    own = {FIELD_TYPE.TIMESTAMP: moment, FIELD_TYPE.BIT: int.from_bytes}
    return {"conv": {**conversions, **own}, "init_command": "SET time_zone = '+00:00'"}


def without_password(address: str) -> str:
    """Return an address for messages and state files: without a password."""
    head, sign, tail = address.partition("?")[0].partition("://")
    user, at, host = tail.rpartition("@")
    return f"{head}{sign}{user.partition(':')[0]}{at}{host}"


def database_file(address: str | None) -> Path | None:
    """Return the file of a URL of SQLite or DuckDB; None for any other address."""
    if address is None or not address.startswith(FILES) or ":///" not in address:
        return None
    name = address.partition(":///")[2].partition("?")[0]
    return Path(name) if name and name != ":memory:" else None


def database_words(error: BaseException, address: str) -> str:
    """Return what a database's driver says, on one line, without the password of the address."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    found = getattr(error, "orig", None) or error
    # PyMySQL gives a number and a text.
    text = one_line(found.args[-1] if found.args else found)[:300].rstrip(".?")
    try:
        url = make_url(os.environ.get(address, address))
    except (ArgumentError, ValueError):
        return text
    asked = [value for name, value in url.query.items() if SECRET.search(name)]
    for secret in filter(None, [url.password, *asked]):
        text = text.replace(str(secret), "***")
    return text


@contextmanager
def streamed(engine: "Engine", statement: Any, at_once: int) -> Iterator["CursorResult"]:
    """Yield the result of a statement, whose rows come as they are fetched.

    Parameters
    ----------
    at_once : int
        Rows that are fetched at once.
    """
    with engine.connect() as connection:
        options = connection.execution_options(
            stream_results=True, max_row_buffer=at_once, postgresql_readonly=True
        )
        result = options.execute(statement)
        # Else PyMySQL would fetch the rows that are left, and complain where the server is gone.
        pymysql_result = getattr(result.cursor, "_result", None)
        try:
            yield result
        finally:
            if pymysql_result is not None:
                pymysql_result.unbuffered_active = False
            connection.invalidate()


@contextmanager
def reporting(address: str, remedy: str) -> Iterator[None]:
    """Say in a sentence that a database refused or went away, and what to do."""
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    try:
        yield
    except DBAPIError as error:
        words = database_words(error, address)
        raise UserError(
            f"{without_password(address)}: the database reports: {words}. {remedy}"
        ) from None
    except SQLAlchemyError as error:
        raise UserError(f"{without_password(address)}: {database_words(error, address)}.") from None
