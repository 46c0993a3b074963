"""The table and the plot in a real browser, with a thousand experiments."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from board.conftest import BOLD, LONG, SEED, hang, write
from chromium import Chromium, needs_browser
from seedbed.board.page import make_page
from seedbed.board.server import BoardServer

from support import Project

pytestmark = [needs_browser, pytest.mark.slow]
COUNT = 1000
NAMES = "[...document.querySelectorAll('#table tbody th')].map(cell => cell.textContent)"
LINES = "document.querySelectorAll('#plot path').length"
TYPE = "(id, text) => { const box = document.getElementById(id); box.value = text; box.dispatchEvent(new Event('input')); }"
SHADES = "document.querySelectorAll('td').forEach((cell, n) => cell.classList.add(`level${n % 5}`))"
"""Gives the cells of the page the shades of drift."""


@pytest.fixture
def address(project: Project) -> Iterator[str]:
    """Where the page of a repository with a thousand experiments is; most of them are one commit."""
    write(project.root, "train.json", {"cv": {"roc_auc": 0.5}})
    project.commit("many")
    hang(project, "mlp-many")
    ref = project.experiments()["mlp-many"]
    lines = "".join(f"create {ref}-{n} {ref}\n" for n in range(COUNT - 4))
    write(project.root, ".git/refs.txt", lines)
    project.run("sh", "-c", "git update-ref --stdin < .git/refs.txt")
    server = BoardServer(project.root, lambda: make_page(project.root, None, ""), 0)
    with server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        server.page()
        yield server.address
        server.shutdown()
        thread.join()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chromium]:
    with Chromium(tmp_path / "profile") as browser:
        yield browser
        assert browser.complaints == []


def count(browser: Chromium) -> str:
    return browser.text("#count").split(" of ")[0]


def drag(browser: Chromium, axis: int, begin: float, end: float) -> None:
    """Drag along an axis of the plot, from one share of it to another, 0 being its lower end."""
    handle = f"document.querySelectorAll('#plot .handle')[{axis}]"
    browser.evaluate(f"{handle}.scrollIntoView({{block: 'center'}})")
    box = browser.evaluate(f"(({{x, y, width, height}}) => [x + width / 2, y + 8, height - 16])({handle}.getBoundingClientRect())")  # fmt: skip
    for kind, share in (("mousePressed", begin), ("mouseMoved", end), ("mouseReleased", end)):
        place = {"x": box[0], "y": box[1] + box[2] * (1 - share)}
        browser.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)


def test_a_thousand_experiments_are_filtered_sorted_and_chosen_by_axis(
    address: str, browser: Chromium, tmp_path: Path
) -> None:
    browser.open(address, "document.querySelector('#table tbody')")
    assert browser.evaluate("performance.now()") < 10_000, "it takes less than a second when idle"
    assert (
        browser.evaluate("document.title") == "Will this flight arrive more than 15 minutes late?"
    )
    assert count(browser) == f"{COUNT + 1}"
    assert browser.evaluate(LINES) == COUNT + 1
    assert len(browser.evaluate(NAMES)) == 200, "the newest"
    browser.evaluate("byId('more').click()")
    assert len(browser.evaluate(NAMES)) == COUNT + 1

    browser.evaluate(f"({TYPE})('text', 'MLP-1a')")
    assert browser.evaluate(NAMES) == ["mlp-1a"]
    browser.evaluate("byId('clear').click()")
    browser.evaluate("byId('ranged').value = columns.findIndex(c => c.name === 'cv.roc_auc')")
    browser.evaluate(f"({TYPE})('low', '0.705'); ({TYPE})('high', '0.725')")
    assert set(browser.evaluate(NAMES)) == {"mlp-1a", "tree-2b"}
    assert browser.evaluate(LINES) == 2

    browser.evaluate("byId('clear').click()")
    browser.evaluate("[...document.querySelectorAll('#table button')].find(b => b.textContent.startsWith('cv.')).click()")  # fmt: skip
    assert browser.evaluate(NAMES)[:3] == [BOLD, "tree-2b", "mlp-1a"], "the largest first"
    assert browser.evaluate("document.querySelectorAll('#table b').length") == 0, "it is text"

    drag(browser, 1, 0.97, 1.0)
    assert browser.evaluate(NAMES) == [BOLD]
    drag(browser, 1, 0.5, 0.5)
    assert count(browser) == f"{COUNT + 1}", "a click drops the range"

    browser.evaluate("[...document.querySelectorAll('#choice input')].at(-1).click()")
    heads = "document.querySelectorAll('#table thead th').length"
    axes = "document.querySelectorAll('#plot .handle').length"
    assert browser.evaluate(heads) == browser.evaluate(axes) + 2
    assert all(request.startswith(address) for request in browser.requests)

    browser.evaluate(SHADES)
    for dark in (True, False):
        browser.picture(tmp_path / "page.png", 390, 800, dark=dark)
        browser.check_legible(390, dark=dark)
    controls = [node for node in browser.accessible() if node["role"] in ("textbox", "searchbox", "combobox", "checkbox", "link")]  # fmt: skip
    assert controls
    assert [node for node in controls if not node["name"]] == []


OVERLAPS = """
[...document.querySelectorAll('#plot .name')].map(name => name.getBoundingClientRect())
  .filter((one, place, all) => all.slice(place + 1).some(other =>
    one.width && other.width && one.y === other.y && one.right > other.left && other.right > one.left))
  .length
"""
CUT = """
(edge => [...document.querySelectorAll('#plot .name')].map(name => name.getBoundingClientRect())
  .filter(one => one.left < edge.left || (one.left < edge.right && one.right > edge.right)).length
)(document.getElementById('plot').parentElement.getBoundingClientRect())
"""


def test_an_axis_over_decades_is_logarithmic_and_long_names_have_their_place(
    project: Project, browser: Chromium, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    page.write_text(make_page(project.root, None, ""), "utf-8")
    browser.open(page.as_uri(), "document.querySelector('#table tbody')")
    assert browser.evaluate(OVERLAPS) == 0
    heads = browser.evaluate("[...document.querySelectorAll('#table thead th')].map(h => h.scrollWidth - h.clientWidth)")  # fmt: skip
    assert max(heads) <= 0, "no head is wider than its column"
    names = browser.evaluate("[...chosen].map(place => columns[place].name)")
    axis = names.index("model.arguments.learning_rate")
    ticks = browser.evaluate("[...document.querySelectorAll('#plot .tick')].map(t => t.textContent)")  # fmt: skip
    assert "0.03162" in ticks, "halfway between 0.001 and 1"
    assert ticks.count("log scale") == 1, "those from 0 to 3 are not positive"
    table = browser.text("#table")
    assert all(str(SEED + number) in table for number in range(4)), "no digit is lost"
    drag(browser, axis, 0.6, 1.0)
    assert set(browser.evaluate(NAMES)) == {"main", "mlp-1a"}
    browser.evaluate("byId('clear').click()")
    drag(browser, names.index("test.roc_auc"), 0.4, 0.6)
    assert browser.evaluate(NAMES) == ["main"], "the only one with that metric"

    for width in (1280, 768, 390):
        browser.picture(tmp_path / "page.png", width, 800)
        browser.wait(f"document.body.clientWidth <= {width}")
        assert browser.evaluate(CUT) == 0, f"names are whole at {width}"
    browser.evaluate(f"document.querySelector('header p').textContent = '{LONG}'")
    browser.evaluate("byId('choice').open = true")
    browser.picture(tmp_path / "page.png", 390, 800)
    browser.check_legible(390, dark=False)
