"""What the tests of the page at / share: where it is, what it waits for, what it shows."""

from chromium import Chromium
from http_server import Server
from seedbed.serving import Bundle

FILLED = "!document.querySelector('main').hidden"
ANSWERED = "document.querySelector('#status .answer')"
EXPLAINED = "document.querySelector('#why table')"
CONTROLS = {
    *("button", "textbox", "combobox", "link", "listbox", "radio", "checkbox"),
    "DisclosureTriangle",
}
"""The roles of what can be used."""


def address(server: Server) -> str:
    """Return where the page is."""
    return f"http://127.0.0.1:{server.port}/"


def field(bundle: Bundle, name: str) -> str:
    """Return the selector of a column's field."""
    return f"#field-{[column.name for column in bundle.signature.columns].index(name)}"


def score(browser: Chromium, place: int = 0) -> float:
    """Return a probability that is shown, with all its digits."""
    return float(browser.evaluate(f"document.querySelectorAll('data')[{place}].value"))
