"""Databases: where they are, without a password in any message, and what their errors say."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from seedbed.errors import UserError, one_line

if TYPE_CHECKING:
    from sqlalchemy import Engine

AGAIN = "What was answered until then is kept: type the same command again to go on."


def connect(address: str) -> "Engine":
    """Return an engine for an address.

    Parameters
    ----------
    address : str
        The name of an environment variable that holds a URL, or a URL without a password.

    Raises
    ------
    UserError
        If it is neither, or the URL is not one of a database.
    """
    try:
        from sqlalchemy import create_engine
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError, NoSuchModuleError
    except ImportError:
        raise UserError(
            "Tables of a database need the extra sql, which is not installed: add seedbed[sql] to "
            "the dependencies, then `make lock setup`."
        ) from None
    by_name = "://" not in address
    text = os.environ.get(address, "") if by_name else address
    if not text:
        raise UserError(
            f"{address}: with --table, --query or --to-table this must be the name of an "
            "environment variable that holds the database's URL, and there is none of this name. "
            f"Set {address} to an address such as postgresql://USER@HOST/DATABASE, with the "
            "password."
        )
    try:
        url = make_url(text)
        if url.password and not by_name:
            raise UserError(
                f"{label(address)}: a password on the command line is seen by everybody on this "
                "machine. Put the URL into an environment variable and give the variable's name."
            )
        if url.drivername in ("postgresql", "postgres"):
            url = url.set(drivername="postgresql+psycopg")
        return create_engine(url, hide_parameters=True)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        why = one_line(error) if not by_name else type(error).__name__
        raise UserError(
            f"{label(address)}: this is not a URL of a database that can be reached ({why}). "
            "Write it as postgresql://USER@HOST/DATABASE or sqlite:///FILE, and install its driver."
        ) from None


def label(address: str) -> str:
    """Return an address for messages and state files: without a password."""
    head, sign, tail = address.partition("://")
    user, at, host = tail.rpartition("@")
    return f"{head}{sign}{user.partition(':')[0]}{at}{host}"


@contextmanager
def reporting(address: str) -> Iterator[None]:
    """Say in a sentence that a database refused or went away."""
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    try:
        yield
    except DBAPIError as error:
        raise UserError(
            f"{label(address)}: the database reports: {one_line(error.orig)[:300]}. {AGAIN}"
        ) from None
    except SQLAlchemyError as error:
        raise UserError(f"{label(address)}: {one_line(error)[:300]}.") from None
