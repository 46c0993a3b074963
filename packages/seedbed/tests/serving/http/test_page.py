"""The page at / in a real browser: filled in by keyboard, read as a screen reader does."""

import csv
import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from chromium import Chromium, needs_browser
from http_server import Server, serving, wait_until
from seedbed.serving import Bundle, load_bundle

pytestmark = needs_browser
FILLED = "!document.querySelector('main').hidden"
ANSWERED = "document.querySelector('#status .answer')"
EXPLAINED = "document.querySelector('#why table')"
CONTROLS = {
    "button",
    "textbox",
    "combobox",
    "link",
    "listbox",
    "radio",
    "checkbox",
    "DisclosureTriangle",
}


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chromium]:
    """A browser, in which nothing may go wrong that nobody looks at."""
    with Chromium(tmp_path / "profile") as browser:
        yield browser
        assert browser.complaints == []


def address(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}/"


def field(bundle: Bundle, name: str) -> str:
    return f"#field-{[column.name for column in bundle.signature.columns].index(name)}"


def score(browser: Chromium, place: int = 0) -> float:
    return float(browser.evaluate(f"document.querySelectorAll('data')[{place}].value"))


def test_a_row_is_filled_in_by_keyboard_and_predicted(
    server: Server, bundle: Bundle, row: dict[str, Any], browser: Chromium
) -> None:
    browser.open(address(server), FILLED)
    assert (
        browser.text("h1") == browser.evaluate("document.title") == bundle.recipe.problem.question
    )
    assert bundle.version in browser.text("#model")
    carriers = next(c.categories for c in bundle.signature.columns if c.name == "carrier")
    assert carriers is not None
    place = 0 if row["carrier"] == carriers[-1] else carriers.index(row["carrier"]) + 1
    browser.tab_to(field(bundle, "carrier"))
    for _ in range(len(carriers)) if place == 0 else [0]:
        browser.press("ArrowUp" if place == 0 else "ArrowDown")
    browser.tab_to(field(bundle, "dest"))
    browser.type_over("BOS")
    browser.tab_to(field(bundle, "distance"))
    browser.type_over("1.875e2")
    browser.tab_to(field(bundle, "temp"))
    browser.type_over("")
    browser.tab_to("#row-form .primary")
    browser.press("Enter")
    browser.wait(EXPLAINED)
    changed = {"carrier": carriers[place], "dest": "BOS", "distance": 187.5, "temp": None}
    answer = server.post({"rows": [{**row, **changed}]}).json()["answers"][0]
    assert score(browser) == answer["score"]
    assert browser.text("#status .answer") == ("Yes" if answer["prediction"] else "No")
    assert f"{100 * answer['score']:.3g} %" in browser.text("#status")
    assert "how much the score changes" in browser.evaluate("document.body.textContent")
    assert all(request.startswith(address(server)) for request in browser.requests)


@pytest.mark.parametrize("name", ["wine", "diabetes"])
def test_classes_and_numbers_are_predicted(
    built: Callable[[str], Path], name: str, tmp_path: Path, browser: Chromium
) -> None:
    folder = built(name) / "models/bundle"
    bundle = load_bundle(folder)
    with serving(folder, tmp_path / "log") as server:
        browser.open(address(server), FILLED)
        browser.press("Tab")
        browser.press("Enter")
        browser.wait(EXPLAINED)
        answer, shown = dict(bundle.samples.answers[0]), browser.text("#status .answer")
        if name == "wine":
            assert shown == answer["prediction"]
            for place, found in enumerate(bundle.recipe.decision.classes):
                assert score(browser, place) == answer[f"score_{found}"]
        else:
            assert shown == f"{answer['prediction']:.4g}"


def test_why_names_each_column_with_its_effect(
    server: Server, bundle: Bundle, row: dict[str, Any], browser: Chromium
) -> None:
    browser.open(address(server), FILLED)
    browser.tab_to("#row-form .primary")
    browser.press("Space")
    browser.wait(EXPLAINED)
    body = json.dumps({"rows": [row]}).encode()
    kind = {"content-type": "application/json"}
    found = server.client.post("/explain", content=body, headers=kind).json()["explanations"][0]
    effects = sorted(found["effects"].items(), key=lambda item: -abs(item[1]["effect"]))
    browser.tab_to("#why button")
    browser.press("Enter")
    cells = "row => [...row.querySelectorAll('th, td')].map(cell => cell.textContent)"
    lines = browser.evaluate(f"[...document.querySelectorAll('#why tbody tr')].map({cells})")
    assert [line[0] for line in lines] == [name for name, _ in effects]
    assert [line[1] for line in lines if line[0] == "wind_gust"] == ["not known"]
    assert lines[0][3].startswith(f"{100 * effects[0][1]['effect']:+.3g} ±\u00a0")
    assert browser.evaluate("document.querySelectorAll('#why svg[aria-hidden=true]').length") == 20


def test_what_was_not_in_training_is_warned_of(
    server: Server, bundle: Bundle, browser: Chromium
) -> None:
    browser.open(address(server), FILLED)
    browser.tab_to(field(bundle, "dest"))
    browser.type_over("XXX")
    browser.press("Enter")
    browser.wait(ANSWERED)
    assert "Warning: dest has values that never were in training" in browser.text("[role=status]")


@pytest.mark.parametrize(
    ("name", "text"), [("distance", "far"), ("distance", "1,5"), ("time_hour", "yesterday")]
)
def test_a_mistake_is_shown_at_its_field(
    server: Server, bundle: Bundle, browser: Chromium, name: str, text: str
) -> None:
    browser.open(address(server), FILLED)
    browser.tab_to(field(bundle, name))
    browser.type_over(text)
    browser.press("Enter")
    selector = field(bundle, name)
    browser.wait(f"document.querySelector('{selector}-error').textContent")
    assert browser.text(f"{selector}-error").startswith(f'"{text}" cannot be read. Wanted is a ')
    assert browser.evaluate(f"document.activeElement.matches('{selector}[aria-invalid=true]')")
    (focused,) = [node for node in browser.accessible() if text in node["description"]]
    assert focused["name"] == name
    assert browser.evaluate("document.querySelector('#status .answer')") is None
    browser.complaints.clear()  # the console lists the answer 422
    sample = next(iter(bundle.samples.rows))[name]
    browser.type_over(str(sample))
    browser.press("Enter")
    browser.wait(ANSWERED)
    assert browser.text(f"{selector}-error") == ""


def test_a_file_comes_back_scored(
    server: Server, bundle: Bundle, browser: Chromium, tmp_path: Path
) -> None:
    rows = pd.DataFrame(bundle.samples.rows)
    rows["note"] = ['a "quoted", note\nof two lines', *["plain"] * (len(rows) - 1)]
    rows.to_csv(tmp_path / "mine.csv", index=False)
    browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    browser.open(address(server), FILLED)
    browser.choose_file("#file", tmp_path / "mine.csv")
    browser.wait("document.querySelector('#file-status a')")
    predictions = [answer["prediction"] for answer in bundle.samples.answers]
    said = browser.text("#file-status")
    assert said.startswith(f"{len(rows)} rows: ")
    assert f"no {predictions.count(False)}" in said
    assert f"yes {predictions.count(True)}" in said
    assert "The model does not look at note." in said
    shown = browser.text("#file-rows tbody").replace("\t\n", "\t")
    assert "of two lines" in shown
    browser.tab_to("#file-status a")
    browser.press("Enter")
    scored = tmp_path / "mine-scored.csv"
    wait_until(scored.exists, "the download")
    wait_until(lambda: len(list(csv.reader(scored.open(newline="")))) == len(rows) + 1, "its end")
    found = pd.read_csv(scored)
    assert list(found) == [*rows, "prediction", "score"]
    assert found["note"].tolist() == rows["note"].tolist()
    assert found["prediction"].tolist() == predictions
    assert found["score"].tolist() == [answer["score"] for answer in bundle.samples.answers]


def test_a_file_that_does_not_fit_is_refused_with_the_reason(
    server: Server, bundle: Bundle, browser: Chromium, tmp_path: Path
) -> None:
    rows = pd.DataFrame(bundle.samples.rows)
    rows.drop(columns="dest").to_csv(tmp_path / "short.csv", index=False)
    browser.open(address(server), FILLED)
    browser.choose_file("#file", tmp_path / "short.csv")
    browser.wait("document.querySelector('#file-status .error')")
    assert "lack the column dest" in browser.text("#file-status")
    browser.complaints.clear()


def test_warnings_of_a_file_are_shown_in_any_letters(
    server: Server, bundle: Bundle, browser: Chromium, tmp_path: Path
) -> None:
    rows = pd.DataFrame(bundle.samples.rows).assign(dest="Z\u00fcrich \u2708").head(2)
    rows["y" * 5000] = 1  # told too, and shortened
    rows.to_csv(tmp_path / "rows.csv", index=False)
    browser.open(address(server), FILLED)
    browser.choose_file("#file", tmp_path / "rows.csv")
    browser.wait("document.querySelector('#file-status .warning')")
    assert "in 2 rows: 'Z\u00fcrich \u2708'" in browser.text("#file-status")


def test_a_file_that_is_too_large_is_not_sent(
    server: Server, browser: Chromium, tmp_path: Path
) -> None:
    (tmp_path / "large.csv").write_bytes(b"x" * 2**21)
    browser.open(address(server), FILLED)
    assert "At most 3,000 rows and 0.5 MB" in browser.text("#file-hint")
    browser.choose_file("#file", tmp_path / "large.csv")
    browser.wait("document.querySelector('#file-status .error')")
    assert browser.text("#file-status") == "large.csv has 2 MB."


def test_a_prediction_stays_when_it_cannot_be_explained(
    server: Server, bundle: Bundle, browser: Chromium
) -> None:
    browser.call("Network.setBlockedURLs", urls=["*/explain"])
    browser.open(address(server), FILLED)
    browser.tab_to("#row-form .primary")
    browser.press("Enter")
    browser.wait("document.querySelector('#why').textContent")
    assert browser.text("#why").startswith("Why cannot be told. The server does not answer.")
    assert score(browser) == bundle.samples.answers[0]["score"]
    browser.complaints.clear()


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


CONTRAST = """
(() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    const colour = getComputedStyle(node).backgroundColor;
    return colour === "rgba(0, 0, 0, 0)" && node.parentElement ? behind(node.parentElement) : colour;
  };
  return [...document.querySelectorAll("h1, p, label, input, select, button, th, td, a, .error")]
    .map((node) => [light(getComputedStyle(node).color), light(behind(node))].sort((a, b) => b - a))
    .map(([high, low]) => (high + 0.05) / (low + 0.05)).reduce((a, b) => Math.min(a, b));
})()
"""


@pytest.mark.parametrize("dark", [False, True])
def test_all_text_is_legible_in_light_and_in_dark_and_on_a_phone(
    server: Server, browser: Chromium, tmp_path: Path, dark: bool
) -> None:
    browser.open(address(server), FILLED)
    browser.picture(tmp_path / "page.png", 390, 800, dark)
    browser.tab_to("#row-form .primary")
    browser.press("Enter")
    browser.wait(EXPLAINED)
    background = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, background[4:-1].split(","))) < 200) == dark
    assert browser.evaluate(CONTRAST) >= 4.5, "WCAG 2.2, 1.4.3"
    assert browser.evaluate("document.documentElement.scrollWidth") <= 390
    outline = browser.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "the focus is to be seen"


COLUMNS = [
    {"name": "insured", "type": "boolean", "nullable": True},
    {"name": "size", "type": "category", "nullable": True, "categories": ["S", "M"]},
    {"name": "code", "type": "category", "categories": ["a", "b"], "complete": False},
    {"name": "remark", "type": "text"},
    {"name": "count", "type": "number", "minimum": 1956, "maximum": 2e12},
]
COLUMN = {"nullable": False, "minimum": None, "maximum": None, "categories": None, "complete": True}


def test_every_type_of_column_has_its_control(server: Server, browser: Chromium) -> None:
    browser.open(address(server), FILLED)
    columns = json.dumps([{**COLUMN, **column} for column in COLUMNS])
    browser.evaluate(f"about.columns = {columns}")
    browser.evaluate(
        "byId('fields').replaceChildren(...about.columns.map(makeField)); fillForm({})"
    )
    found = [node for node in browser.accessible() if node["role"] in CONTROLS]
    roles = {node["name"]: (node["role"], node["description"]) for node in found}
    assert roles["insured"] == ("combobox", "may be empty")
    assert roles["size"] == ("combobox", "may be empty")
    assert roles["code"] == ("combobox", "2 and more values in training")
    assert roles["remark"] == ("textbox", "")
    assert roles["count"] == ("textbox", "1956 to 2000000000000 in training")
    assert browser.evaluate("readForm()") == dict.fromkeys(
        ("insured", "size", "code", "remark", "count")
    )
    browser.tab_to("#field-0")
    for typed in ("t", "M", "new", "two words", "1e400"):
        browser.type_letters(typed)
        browser.press("Tab")
    assert browser.evaluate("readForm()") == {
        **{"insured": True, "size": "M", "code": "new", "remark": "two words"},
        "count": "1e400",  # JSON has no infinity: the server refuses the text
    }


def test_another_example_fills_in_another_row(
    server: Server, bundle: Bundle, browser: Chromium
) -> None:
    browser.open(address(server), FILLED)
    browser.tab_to("#example")
    for place in (1, 2):
        browser.press("Enter")
        row = bundle.samples.rows[place]
        assert (
            browser.evaluate(f"document.querySelector('{field(bundle, 'dest')}').value")
            == row["dest"]
        )
    assert "Example 3 of 50" in browser.text("#status")
    browser.press("Tab")
    browser.evaluate("document.querySelector('#row-form .primary').focus()")
    browser.press("Enter")
    browser.wait(ANSWERED)
    assert score(browser) == bundle.samples.answers[2]["score"]


def test_the_token_is_asked_for_and_kept_nowhere(
    built: Callable[[str], Path], tmp_path: Path, browser: Chromium
) -> None:
    folder, secret = built("wine") / "models/bundle", "open sesame"
    with serving(folder, tmp_path / "log", "--token-env", "SECRET", SECRET=secret) as server:
        assert server.client.get("/page.json").status_code == 401
        assert "proline" not in server.client.get("/").text
        browser.open(address(server), "!document.querySelector('#token-form').hidden")
        assert browser.evaluate("document.activeElement.id") == "token"
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
