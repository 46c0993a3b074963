"""`seedbed compare`: the page opens in a real browser, complains of nothing, and asks the network for nothing."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from support import Project

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
NOBODY = "not an origin"


def opened(page: Path, folder: Path) -> tuple[str, list[str], list[str]]:
    """Return the page as the browser made it of the file, what its console said, and the addresses it asked for."""
    assert BROWSER
    log = folder / "net.json"
    done = subprocess.run(
        [
            *(
                BROWSER,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                f"--user-data-dir={folder}/profile",
            ),
            *("--disable-background-networking", "--disable-component-update", "--no-first-run"),
            *(
                "--enable-logging=stderr",
                "--virtual-time-budget=3000",
                f"--log-net-log={log}",
                "--dump-dom",
            ),
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    noted = [
        event.get("params", {}) for event in json.loads(log.read_text(encoding="utf-8"))["events"]
    ]
    # The browser itself calls home; what a page asks for carries the page's origin, which is "null" for a file, as its initiator.
    asked = {event["url"] for event in noted if event.get("initiator", NOBODY) != NOBODY}
    return done.stdout, said, sorted(asked)


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine")
def test_the_page_opens_without_an_error_and_without_a_request(
    with_experiments: Project, tmp_path: Path
) -> None:
    with_experiments.run("seedbed", "compare", "main", "linear", "second")
    page, said, asked = opened(with_experiments.root / "reports/compare.html", tmp_path)
    assert said == []
    assert asked == []
    for word in ("main", "linear", "second", "test.roc_auc", "logistic_regression"):
        assert word in page
    assert page.count("<svg") >= 4
    assert with_experiments.git("status", "--porcelain") == ""


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine")
def test_an_error_and_a_request_would_be_seen(tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text(
        '<link rel="stylesheet" href="https://fonts.googleapis.com/css?family=Roboto"><img src="http://127.0.0.1:9/x.png">'
        '<script>console.error("broken")</script>',
        encoding="utf-8",
    )
    _, said, asked = opened(page, tmp_path)
    assert any("broken" in line for line in said)
    assert asked == ["http://127.0.0.1:9/x.png", "https://fonts.googleapis.com/css?family=Roboto"]


def test_the_markdown_has_the_figures_that_the_experiments_recorded(
    with_experiments: Project,
) -> None:
    said = with_experiments.run("seedbed", "compare", "main", "linear", "--markdown").stdout
    row = next(line for line in said.splitlines() if "test.roc_auc" in line)
    for name in ("main", "linear"):
        ref = "main" if name == "main" else with_experiments.experiments()["linear"]
        recorded = json.loads(with_experiments.git("show", f"{ref}:reports/evaluate/metrics.json"))
        assert f"{recorded['test']['roc_auc']:.4g}" in row
    assert "logistic_regression" in said


def test_a_name_that_is_nothing_is_refused(with_experiments: Project) -> None:
    assert "nothing-of-that-name" in with_experiments.refused(
        "seedbed", "compare", "main", "nothing-of-that-name"
    )
