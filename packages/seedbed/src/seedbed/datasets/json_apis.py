"""Addresses whose answer is JSON: where its records are, and how the next page is named."""

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from seedbed.config.schema import Source
from seedbed.config.source_options import ApiOptions
from seedbed.config.sources import holds_secret, read_options
from seedbed.data.source_files import ENDINGS
from seedbed.data.store_errors import HTTP
from seedbed.datasets.json_records import choose_records
from seedbed.datasets.sniffing import Sniffed
from seedbed.errors import some_of

ADDRESS = re.compile(r"https?://|/|\?")
"""How an address in an answer begins."""
PAGING = re.compile(r"next|cursor|page|offset|total|more", re.IGNORECASE)
"""What keys are called that may mean that there are more pages."""


def sniff_api(address: str, given: Mapping[str, Any]) -> Sniffed | None:
    """Return how a JSON API is read; None for a file, and for what is no address of HTTP.

    Pages are read if the header Link, or an address at a key `next`, names the next one.

    Parameters
    ----------
    given : mapping of str to Any
        Options that are not to be found out, such as `headers` and `pages`.

    Raises UserError if the server cannot be reached or refuses, or there are no records in the
    answer.
    """
    endings = tuple(ending for group in ENDINGS.values() for ending in group)
    is_file = urlsplit(address).path.endswith(endings)
    if not address.startswith(HTTP) or is_file or holds_secret(address):
        return None
    from seedbed.data.api_pages import first_address
    from seedbed.data.json_api import open_session
    from seedbed.data.json_files import parse_json

    of_api = {name: given[name] for name in ApiOptions.model_fields.keys() & given.keys()}
    asked: ApiOptions = read_options(Source(kind="api", path=address, options=of_api))
    first = first_address(address, asked)
    with open_session(address, asked) as session:
        if "json" not in session.look_up(first).get("Content-Type", ""):
            return None
        body = io.BytesIO()
        response = session.fetch(first, body, {})
    try:
        document = parse_json(body.getvalue())
    except (ValueError, RecursionError):
        return None
    options, notes = ({}, []) if asked.records else choose_records(document, session.place)
    if asked.pages:
        return Sniffed("api", address, options, notes)
    keys = dict(_find_keys(document))
    found = [
        key
        for key, value in keys.items()
        if "next" in key.rpartition(".")[2].casefold() and ADDRESS.match(str(value))
    ]
    if response.links.get("next"):
        options["pages"] = {"by": "link"}
    elif found:
        options["pages"] = {"by": "link", "next": found[0]}
    elif keys:
        notes.append(
            f"the answer has {some_of(list(keys), 5)}: if there are more pages, all that was "
            "decided here is of the first one. Say how the others are asked for, as in "
            "--option 'pages={by: number, parameter: page}'"
        )
    return Sniffed("api", address, options, notes)


def _find_keys(value: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted paths of keys that may be about pages, and what is there."""
    for key, part in value.items() if isinstance(value, dict) else ():
        path = f"{above}.{key}" if above else key
        if isinstance(part, dict):
            yield from _find_keys(part, path)
        elif not isinstance(part, list) and "." not in key and PAGING.search(key):
            yield path, part
