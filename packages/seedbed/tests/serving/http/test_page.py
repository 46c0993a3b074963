"""The form of the page at /, filled in by keyboard in a real browser, and the answer."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chromium import Chromium, needs_browser
from http_server import Server, serving
from page import ANSWERED, CONTROLS, EXPLAINED, FILLED, address, field, score
from seedbed.serving import Bundle, load_bundle

pytestmark = needs_browser


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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_what_was_not_in_training_is_warned_of(
    server: Server, bundle: Bundle, browser: Chromium
) -> None:
    browser.open(address(server), FILLED)
    browser.tab_to(field(bundle, "dest"))
    browser.type_over("XXX")
    browser.press("Enter")
    browser.wait(ANSWERED)
    assert "Warning: dest has values that never were in training" in browser.text("[role=status]")


@pytest.mark.slow
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


COLUMNS = [
    {"name": "insured", "type": "boolean", "nullable": True},
    {"name": "size", "type": "category", "nullable": True, "categories": ["S", "M"]},
    {"name": "code", "type": "category", "categories": ["a", "b"], "complete": False},
    {"name": "remark", "type": "text"},
    {"name": "count", "type": "number", "minimum": 1956, "maximum": 2e12},
]
COLUMN = {"nullable": False, "minimum": None, "maximum": None, "categories": None, "complete": True}


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_number_is_shown_without_the_noise_in_its_last_digits(
    server: Server, bundle: Bundle, browser: Chromium
) -> None:
    place, name, value = next(
        (place, name, value)
        for place, row in enumerate(bundle.samples.rows)
        for name, value in row.items()
        if isinstance(value, float) and len(repr(value)) > len(f"{value:.15g}") + 3
    )
    browser.open(address(server), FILLED)
    browser.evaluate(f"for (let n = 0; n < {place}; n += 1) byId('example').click()")
    shown = browser.evaluate(f"document.querySelector('{field(bundle, name)}').value")
    assert shown == f"{value:.15g}"
