"""A file that is given to the page at / comes back scored."""

import csv
from pathlib import Path

import pandas as pd
import pytest

from chromium import Chromium, needs_browser
from http_server import Server, wait_until
from page import FILLED, address
from seedbed.serving import Bundle

pytestmark = needs_browser


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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_file_that_is_too_large_is_not_sent(
    server: Server, browser: Chromium, tmp_path: Path
) -> None:
    (tmp_path / "large.csv").write_bytes(b"x" * 2**21)
    browser.open(address(server), FILLED)
    assert "At most 3,000 rows and 0.5 MB" in browser.text("#file-hint")
    browser.choose_file("#file", tmp_path / "large.csv")
    browser.wait("document.querySelector('#file-status .error')")
    assert browser.text("#file-status") == "large.csv has 2 MB."
