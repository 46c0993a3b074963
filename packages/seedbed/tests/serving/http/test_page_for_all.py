"""The page at / for all who read it: by ear, in the dark, on a phone; and nobody else hears of it."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from chromium import Chromium, needs_browser
from http_server import Server, serving
from page import CONTROLS, EXPLAINED, FILLED, address
from seedbed.serving import Bundle

pytestmark = needs_browser


def test_a_screen_reader_finds_a_name_for_each_control(
    server: Server, bundle: Bundle, browser: Chromium
) -> None:
    browser.open(address(server), FILLED)
    browser.tab_to("#row-form .primary")
    browser.press("Enter")
    browser.wait(EXPLAINED)
    browser.evaluate("document.querySelector('#card').parentNode.open = true")
    found = browser.accessible()
    controls = [node for node in found if node["role"] in CONTROLS]
    assert [node for node in controls if not node["name"]] == []
    names = {node["name"] for node in controls}
    assert names >= {column.name for column in bundle.signature.columns}
    assert names >= {"Predict", "Another example", "A CSV file with the columns above, in UTF-8"}
    described = {node["name"]: node["description"] for node in controls}
    assert "80 to" in described["distance"] or "in training" in described["distance"]
    assert "America/New_York" in described["time_hour"]
    roles = [node["role"] for node in found]
    for role in ("main", "banner", "group", "status", "alert", "table"):
        assert role in roles, role
    assert browser.evaluate("document.documentElement.lang") == "en"
    levels = browser.evaluate(
        "[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => +h.tagName[1])"
    )
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
def test_all_text_is_legible_in_light_and_in_dark_and_on_a_phone(
    server: Server, browser: Chromium, tmp_path: Path, dark: bool
) -> None:
    browser.open(address(server), FILLED)
    browser.picture(tmp_path / "page.png", 390, 800, dark)
    browser.tab_to("#row-form .primary")
    browser.press("Enter")
    browser.wait(EXPLAINED)
    browser.check_legible(390, dark)
    outline = browser.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "the focus is to be seen"


@pytest.mark.slow
def test_the_token_is_asked_for_and_kept_nowhere(
    built: Callable[[str], Path], tmp_path: Path, browser: Chromium
) -> None:
    folder, secret = built("wine") / "models/bundle", "open sesame"
    with serving(folder, tmp_path / "log", "--token-env", "SECRET", SECRET=secret) as server:
        assert server.client.get("/page.json").status_code == 401
        assert "proline" not in server.client.get("/").text
        browser.open(address(server), "!document.querySelector('#token-form').hidden")
        browser.wait("document.activeElement.id === 'token'")
        browser.type_over("wrong")
        browser.press("Enter")
        browser.wait("document.querySelector('#notice').textContent.includes('token is missing')")
        assert not browser.evaluate(FILLED)
        browser.type_over(secret)
        browser.press("Enter")
        browser.wait(FILLED)
        browser.complaints.clear()  # the console lists the answers 401
        browser.tab_to("#row-form .primary")
        browser.press("Enter")
        browser.wait(EXPLAINED)
        kept = browser.evaluate("document.cookie + JSON.stringify([localStorage, sessionStorage])")
        assert kept == "[{},{}]"
        assert all("sesame" not in request for request in browser.requests)
        assert secret not in (tmp_path / "log").read_text()


@pytest.mark.slow
def test_the_policy_lets_nothing_out_of_the_page(
    server: Server, browser: Chromium, tmp_path: Path
) -> None:
    policy = server.client.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    browser.open(address(server), FILLED)
    elsewhere = f"http://localhost:{server.port}/"  # by another name it is another origin
    for attempt in (
        f"fetch('{elsewhere}').then(() => 'out', () => 'refused')",
        f"new Promise(end => {{ const image = new Image(); image.onload = () => end('out');"
        f" image.onerror = () => end('refused'); image.src = '{elsewhere}x.png'; }})",
    ):
        assert browser.evaluate(attempt) == "refused"
    assert len(browser.complaints) >= 2
    assert all("Content Security Policy" in text for text in browser.complaints)
    browser.complaints.clear()


@pytest.mark.slow
def test_the_card_is_text_whatever_is_in_it(
    server: Server, bundle: Bundle, browser: Chromium
) -> None:
    browser.open(address(server), FILLED)
    card = browser.evaluate("document.querySelector('#card').textContent")
    assert "Model card: flights" in card
    assert "**" not in card
    assert "|" not in card
    assert browser.evaluate("document.querySelectorAll('#card table').length") >= 4
    hostile = "# <img src=x onerror=alert(1)>\n\n- **<b>bold</b>** `code`\n  and more\n\n| a | b |\n| --- | --- |\n| x \\| y | <i> |"
    found = browser.evaluate(
        "(() => { const box = document.createElement('div');"
        f" box.append(...renderMarkdown({json.dumps(hostile)}));"
        " return [box.textContent, box.querySelectorAll('img, b, i').length]; })()"
    )
    assert found == ["<img src=x onerror=alert(1)><b>bold</b> code and moreabx | y<i>", 0]
