"""Servers that most tests share, and the rows that they are asked about."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chromium import Chromium
from http_server import Server, serving
from seedbed.serving import Bundle, load_bundle


@pytest.fixture(scope="session")
def bundle(built: Callable[[str], Path]) -> Bundle:
    """The bundle of flights."""
    return load_bundle(built("flights") / "models/bundle")


@pytest.fixture(scope="session")
def server(
    built: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server of flights that takes at most half a megabyte and 3,000 rows."""
    log = tmp_path_factory.mktemp("server") / "log"
    options = ["--max-megabytes", "0.5", "--max-rows", "3000"]
    with serving(built("flights") / "models/bundle", log, *options) as server:
        yield server


@pytest.fixture
def row(bundle: Bundle) -> dict[str, Any]:
    """A row as a request sends it."""
    return dict(bundle.samples.rows[0])


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chromium]:
    """A browser, in which nothing may go wrong that nobody looks at."""
    with Chromium(tmp_path / "profile") as browser:
        yield browser
        assert browser.complaints == []
