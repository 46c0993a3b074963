"""Rows from a JSON API over HTTP, page by page."""

import hashlib
import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import pandas as pd

from seedbed.config.schema import Dataset, Source
from seedbed.config.sources import (
    ApiOptions,
    CursorPages,
    LinkedPages,
    NumberedPages,
    OffsetPages,
    read_options,
)
from seedbed.data.csv_files import Types
from seedbed.data.databases import label
from seedbed.data.http_cache import fetched
from seedbed.data.http_session import VALIDATORS, HttpSession, same_host
from seedbed.data.json_files import find_records, parse_json, records_frame, refuse_no_objects
from seedbed.data.parquet_files import Needed
from seedbed.errors import UserError
from seedbed.progress import RowProgress

BATCH = 20_000
"""Rows of a batch at most."""


def read_api(
    source: Source, dataset: Dataset, table: str, types: Types, needed: Needed
) -> Iterator[pd.DataFrame]:
    """Yield the rows of one table in batches, in the order in which the API gives them.

    A batch has the columns that its own records have: another one may have more, or less.

    Parameters
    ----------
    source : Source
        Its path is the address; of several tables each is at its name below it.
    dataset, table
        See :func:`~seedbed.data.sources.read_source`.
    types : mapping of str to {"number", "category", "boolean", "time", ...}
        Not used: JSON has types.
    needed : callable
        Returns which columns are needed, given all that were seen up to then.

    Yields
    ------
    DataFrame, shape (n_rows, n_columns)
        At most :data:`BATCH` rows; ``{"a": {"b": 1}}`` is a column ``a.b``.

    Raises
    ------
    UserError
        If the API cannot be reached or refuses, an answer is no JSON or has no records where the
        options say, or pages do not end.
    """
    options: ApiOptions = read_options(source)
    address = _address(source, options, dataset, table)
    names: dict[str, None] = {}
    records: list[dict[str, Any]] = []
    progress = RowProgress(None)

    def batch() -> pd.DataFrame:
        frame = records_frame(records[:BATCH], label(address))
        del records[:BATCH]
        names.update(dict.fromkeys(frame.columns))
        return frame.loc[:, frame.columns.isin(needed(list(names)))]

    try:
        with open_session(address, options) as session:
            for number, page in enumerate(_read_pages(session, address, options), 1):
                progress.total = _count(page.document, options, session.place)
                progress.add(len(page.records), f" in {number} pages")
                records += page.records
                while len(records) > BATCH:
                    yield batch()
        if records:
            yield batch()
    finally:
        progress.close()


def api_state(source: Source, dataset: Dataset, table: str) -> dict[str, Any]:
    """Return by what it is seen that an API has moved: of its first page only.

    Returns
    -------
    dict
        `rows`, if ``source.options.count`` says where an answer has their number; and under
        `files`, by the address, ETag and Last-Modified, as far as the API sends them.

    Raises
    ------
    UserError
        As :func:`read_api`.
    """
    options: ApiOptions = read_options(source)
    address = _address(source, options, dataset, table)
    first = with_parameters(address, options.parameters | _position(options.pages, 0, 0))
    with open_session(address, options) as session:
        if options.count is not None:
            return {"rows": _count(_read_page(session, first, options).document, options, address)}
        headers = session.look_up(first)
    return {"files": {label(address): {key: headers[key] for key in VALIDATORS if key in headers}}}


def open_session(address: str, options: ApiOptions) -> HttpSession:
    """Return a session with the headers whose values are in the environment.

    Raises
    ------
    UserError
        If a variable is not set, or cannot be the value of a header.
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
        remedy = f"Check the value of {variables}, and what it has a right to."
    session = HttpSession(address, private, remedy, options.timeout)
    session.headers.setdefault("Accept", "application/json")
    return session


def with_parameters(address: str, parameters: Mapping[str, Any]) -> str:
    """Return an address with parameters in its query: true and false, no null, lists repeated."""
    parts = urlsplit(address)
    query = [pair for pair in parse_qsl(parts.query, True) if pair[0] not in parameters]
    for name, value in parameters.items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                query.append((name, str(one).lower() if isinstance(one, bool) else str(one)))
    return parts._replace(query=urlencode(query), fragment="").geturl()


def value_at(document: Any, path: str) -> Any:
    """Return what is at a dotted path in what JSON holds, or None."""
    for key in path.split("."):
        document = document.get(key) if isinstance(document, dict) else None
    return document


@dataclass(frozen=True)
class _Page:
    """An answer: what it holds, where it came from in the end, and its header Link."""

    document: Any
    records: list[dict[str, Any]]
    address: str
    link: str | None
    digest: bytes


def _address(source: Source, options: ApiOptions, dataset: Dataset, table: str) -> str:
    parts = urlsplit(str(source.path))
    endpoint = options.endpoint or (table if len(dataset.tables) > 1 else None)
    if endpoint is None:
        return str(source.path)
    return parts._replace(path=f"{parts.path.rstrip('/')}/{endpoint.lstrip('/')}").geturl()


def _read_pages(session: HttpSession, address: str, options: ApiOptions) -> Iterator[_Page]:
    pages, place, done = options.pages, session.place, 0
    asked = with_parameters(address, options.parameters | _position(pages, 0, 0))
    seen, last = {asked}, None
    for number in range(1, options.most_pages + 1):
        if pages is not None:
            session.place = f"{place}, page {number}"
        page = _read_page(session, asked, options)
        if page.records and page.digest == last and isinstance(pages, NumberedPages | OffsetPages):
            raise UserError(
                f"{session.place}: it is the same as the page before. Check the names of the "
                "parameters in source.options.pages: the API seems not to know them."
            )
        done, last = done + len(page.records), page.digest
        yield page
        following, words = _next(session, page, address, options, number, done)
        if following is None:
            _refuse_part(page, options, session.place, done)
            if number == 1 and words:
                print(f"{place}: it names no next page ({words}), so this is the only one")
            return
        if following in seen:
            raise UserError(
                f"{session.place}: its next page ({words}) was read before, so that pages would "
                "never end. Correct source.options.pages, or report it to who runs the API."
            )
        seen.add(asked := following)
    raise UserError(
        f"{place}: there are more than {options.most_pages:,} pages. If that is right, raise "
        "source.options.most_pages; else correct source.options.pages."
    )


def _read_page(session: HttpSession, address: str, options: ApiOptions) -> _Page:
    """Read one page; of an API that has one only, what is kept is read if it is unchanged."""
    link, final = None, address
    if options.pages is None:
        with fetched(session, address) as path:
            content = path.read_bytes()
    else:
        body = io.BytesIO()
        response = session.fetch(address, body, {}, shows_bytes=False)
        content, final = body.getvalue(), response.url
        link = response.links.get("next", {}).get("url")
    try:
        document = parse_json(content)
    except (ValueError, RecursionError):
        raise UserError(
            f"{session.place}: the answer is no JSON; it begins with "
            f"{session.beginning(content)!r}. Correct source.path, or take another kind of source."
        ) from None
    records = find_records(document, options.records, session.place)
    refuse_no_objects(records, session.place)
    return _Page(document, records, final, link, hashlib.sha256(content).digest())


def _position(pages: Any, number: int, done: int) -> dict[str, Any]:
    """Return the parameters of a page by how many pages and records come before it."""
    if isinstance(pages, NumberedPages):
        return {pages.parameter: pages.first + number}
    if isinstance(pages, OffsetPages):
        return {pages.offset: done, pages.limit: pages.size}
    return {}


def _next(
    session: HttpSession, page: _Page, address: str, options: ApiOptions, number: int, done: int
) -> tuple[str | None, str]:
    """Return the address of the next page, or None; and what names it."""
    pages = options.pages
    if isinstance(pages, CursorPages):
        cursor = value_at(page.document, pages.next)
        if isinstance(cursor, dict | list):
            raise UserError(
                f"{session.place}: source.options.pages.next is {pages.next!r}, and there is no "
                "text or number there. Correct it."
            )
        added = {pages.parameter: cursor}
        words = f"{pages.next}: {cursor!r}"
        is_last = cursor in (None, "", False)
        return None if is_last else with_parameters(address, options.parameters | added), words
    if isinstance(pages, LinkedPages):
        link = page.link if pages.next is None else value_at(page.document, pages.next)
        words = f"{pages.next or 'header Link'}: {label(str(link))}"
        following = urljoin(page.address, str(link)) if link else None
        if following and not same_host(address, following):
            raise UserError(
                f"{session.place}: its next page is at {label(following)}, which is another host "
                "or protocol, and credentials are for one only. Set source.path to an address "
                "there."
            )
        return following, words
    if not page.records or pages is None:
        return None, ""
    own = options.parameters | _position(pages, number, done)
    return with_parameters(address, own), ""


def _count(document: Any, options: ApiOptions, place: str) -> int | None:
    if options.count is None:
        return None
    count = value_at(document, options.count)
    if isinstance(count, bool) or not str(count).isdecimal():
        raise UserError(
            f"{place}: source.options.count is {options.count!r}, and there is no number of "
            f"records there, but {str(count)[:60]!r}. Correct it, or take it out."
        )
    return int(count)


def _refuse_part(page: _Page, options: ApiOptions, place: str, done: int) -> None:
    count = _count(page.document, options, place)
    if count is not None and done < count:
        raise UserError(
            f"{place}: it is the last one, and {done:,} records came of {count:,} "
            f"({options.count}). Run it again; if it stays so, correct source.options.pages, or "
            "take source.options.count out."
        )
