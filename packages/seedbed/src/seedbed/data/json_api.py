"""Rows from a JSON API over HTTP, page by page."""

import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from seedbed.config.schema import Dataset, Source
from seedbed.config.source_options import ApiOptions
from seedbed.config.sources import read_options
from seedbed.data.api_pages import first_address, read_page, read_pages
from seedbed.data.batches import with_all_columns
from seedbed.data.csv_files import Needed, Types
from seedbed.data.http_session import VALIDATORS, HttpSession, without_query
from seedbed.data.json_files import records_frame
from seedbed.errors import UserError
from seedbed.progress import RowProgress

BATCH = 20_000
"""Rows of a batch at most."""


def read_api(
    source: Source, dataset: Dataset, table: str, types: Types, needed: Needed
) -> Iterator[pd.DataFrame]:
    """Yield the rows of one table in batches, in the order in which the API gives them.

    All pages are fetched before the first batch, which then has the fields of all records: one
    that a record lacks is missing there. Until then, batches lie in a temporary folder.

    Parameters
    ----------
    source : Source
        Its path is the address; of several tables each is at its name below it.
    dataset, table
        See :func:`~seedbed.data.sources.read_source`.
    types : mapping of str to {"number", "category", "boolean", "time", ...}
        Not used: JSON has types.
    needed : callable
        Returns which columns are needed, given all of them.

    Yields
    ------
    DataFrame, shape (n_rows, n_columns)
        At most :data:`BATCH` rows, and the same columns in each; ``{"a": {"b": 1}}`` is a column
        ``a.b``.

    Raises UserError if the API cannot be reached or refuses, an answer is no JSON or has no records
    where the options say, or pages do not end.
    """
    options: ApiOptions = read_options(source)
    address = _address(source, options, dataset, table)
    frames = (
        records_frame(records, without_query(address)) for records in _batches(address, options)
    )
    kept: list[str] | None = None
    for batch in with_all_columns(frames):
        kept = needed(list(batch.columns)) if kept is None else kept
        yield batch[[name for name in batch.columns if name in kept]]


def _batches(address: str, options: ApiOptions) -> Iterator[list[dict[str, Any]]]:
    """Yield the records of pages, at most :data:`BATCH` at once."""
    progress = RowProgress(None)
    records: list[dict[str, Any]] = []
    try:
        with open_session(address, options) as session:
            for number, page in enumerate(read_pages(session, address, options), 1):
                progress.total = page.count
                progress.add(len(page.records), f" in {number} pages")
                records += page.records
                while len(records) >= BATCH:
                    yield records[:BATCH]
                    del records[:BATCH]
        if records:
            yield records
    finally:
        progress.close()


def api_state(source: Source, dataset: Dataset, table: str) -> dict[str, Any]:
    """Return by what it is seen that an API has moved: of its first page only.

    Returns
    -------
    dict
        `rows`, if ``source.options.count`` says where an answer has their number; and under
        `files`, by the address, ETag and Last-Modified, as far as the API sends them.

    Raises UserError as :func:`read_api`.
    """
    options: ApiOptions = read_options(source)
    address = _address(source, options, dataset, table)
    first = first_address(address, options)
    with open_session(address, options) as session:
        if options.count is not None:
            return {"rows": read_page(session, first, options).count}
        headers = session.look_up(first)
    return {
        "files": {
            without_query(address): {key: headers[key] for key in VALIDATORS if key in headers}
        }
    }


def open_session(address: str, options: ApiOptions) -> HttpSession:
    """Return a session with the headers whose values are in the environment.

    Raises UserError if a variable is not set, or cannot be the value of a header.
    """
    private = {}
    for header, variable in options.headers.items():
        value = os.environ.get(variable, "")
        if not value or value != value.strip() or not (value.isascii() and value.isprintable()):
            why = "has spaces around it, or letters that no header has" if value else "is not set"
            raise UserError(
                f"source.options.headers.{header}: the environment variable {variable} {why}. "
                'Set it to the value of the header, such as "Bearer TOKEN".'
            )
        private[header] = value
    remedy = (
        "Name an environment variable with the credentials in source.options.headers, such as "
        "{Authorization: API_TOKEN}."
    )
    if private:
        variables = ", ".join(f"${variable}" for variable in options.headers.values())
        remedy = f"Check the value of {variables} and its rights."
    session = HttpSession(address, private, remedy, options.timeout)
    session.headers.update({"Accept": "application/json", **private})
    return session


def _address(source: Source, options: ApiOptions, dataset: Dataset, table: str) -> str:
    parts = urlsplit(str(source.path))
    endpoint = options.endpoint or (table if len(dataset.tables) > 1 else None)
    if endpoint is None:
        return str(source.path)
    return parts._replace(path=f"{parts.path.rstrip('/')}/{endpoint.lstrip('/')}").geturl()
