"""The pages of a JSON API: which comes next, and where there are none left."""

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from seedbed.config.source_options import (
    ApiOptions,
    CursorPages,
    LinkedPages,
    NumberedPages,
    OffsetPages,
)
from seedbed.data.http_cache import fetched
from seedbed.data.http_session import HttpSession, without_query
from seedbed.data.json_files import find_records, parse_json, refuse_no_objects
from seedbed.errors import UserError


@dataclass(frozen=True)
class Page:
    """An answer of an API."""

    document: Any  # what it holds
    records: list[dict[str, Any]]
    # the number of records of all pages, if ``source.options.count`` says where it is
    count: int | None
    address: str  # where it came from in the end
    link: str | None  # the next page by its header Link
    digest: bytes


def first_address(address: str, options: ApiOptions) -> str:
    """Return the address of the first page."""
    return with_parameters(address, options.parameters | _position(options.pages, 0, 0))


def read_pages(session: HttpSession, address: str, options: ApiOptions) -> Iterator[Page]:
    """Yield one page after the other, each whole.

    Raises UserError if one cannot be read, pages never end, or fewer records came than the API
    counts.
    """
    pages, place, done = options.pages, session.place, 0
    asked = first_address(address, options)
    seen, last = {asked}, None
    for number in range(1, options.most_pages + 1):
        if pages is not None:
            session.place = f"{place}, page {number}"
        page = read_page(session, asked, options)
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


def read_page(session: HttpSession, address: str, options: ApiOptions) -> Page:
    """Read one page; of an API that has one only, what is kept is read if it is unchanged.

    Raises UserError if it cannot be fetched, is no JSON, or has no records where the options say.
    """
    if options.pages is None:
        with fetched(session, address) as (path, response):
            content = path.read_bytes()
    else:
        body = io.BytesIO()
        response = session.fetch(address, body, {}, shows_bytes=False)
        content = body.getvalue()
    link = response.links.get("next", {}).get("url")
    if link and options.pages is None:
        print(f"{session.place}: it has more pages: source.options.pages={{by: link}} reads them")
    try:
        document = parse_json(content)
    except (ValueError, RecursionError):
        raise UserError(
            f"{session.place}: the answer is no JSON; it begins with "
            f"{session.beginning(content)!r}. Correct source.path, or take another kind of source."
        ) from None
    records = find_records(document, options.records, session.place)
    refuse_no_objects(records, session.place)
    count = _count(document, options, session.place)
    return Page(document, records, count, response.url, link, hashlib.sha256(content).digest())


def _position(pages: Any, number: int, done: int) -> dict[str, Any]:
    """Return the parameters of a page by how many pages and records come before it."""
    if isinstance(pages, NumberedPages):
        return {pages.parameter: pages.first + number}
    if isinstance(pages, OffsetPages):
        return {pages.offset: done, pages.limit: pages.size}
    return {}


def _next(
    session: HttpSession, page: Page, address: str, options: ApiOptions, number: int, done: int
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
        words = f"{pages.next or 'header Link'}: {without_query(str(link))}"
        following = urljoin(page.address, str(link)) if link else None
        if following and session.is_foreign(address, following):
            raise UserError(
                f"{session.place}: its next page is at {without_query(following)}, which is "
                "another host or protocol, and credentials are for one only. Set source.path to an "
                "address there."
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


def _refuse_part(page: Page, options: ApiOptions, place: str, done: int) -> None:
    if page.count is not None and done < page.count:
        raise UserError(
            f"{place}: it is the last one, and {done:,} records came of {page.count:,} "
            f"({options.count}). Run it again; if it stays so, correct source.options.pages, or "
            "take source.options.count out."
        )


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
