"""`seedbed compare`: what it says and draws of real experiments; the page in a real browser."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from chromium import BROWSER, FLAGS, needs_browser

from support import Project

DUMP = ("--enable-logging=stderr", "--virtual-time-budget=3000", "--dump-dom")
NOBODY = "not an origin"


def opened(page: Path, folder: Path) -> tuple[str, list[str], list[str]]:
    """Return the page as a browser makes it, the lines of its console, the addresses it asks for."""
    log = folder / "net.json"
    own = [f"--user-data-dir={folder}/profile", f"--log-net-log={log}"]
    command = [str(BROWSER), *FLAGS, *DUMP, *own, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    events = json.loads(log.read_text(encoding="utf-8"))["events"]
    params = [event.get("params", {}) for event in events]
    # The browser itself calls home; a page's own requests carry its origin, "null" for a file.
    asked = {event["url"] for event in params if event.get("initiator", NOBODY) != NOBODY}
    return done.stdout, console, sorted(asked)


@pytest.mark.slow
@needs_browser
def test_the_page_opens_without_an_error_and_without_a_request(
    with_experiments: Project, tmp_path: Path
) -> None:
    with_experiments.run("seedbed", "compare", "main", "linear", "second")
    page, console, asked = opened(with_experiments.root / "reports/compare.html", tmp_path)
    assert (console, asked) == ([], [])
    for word in ("main", "linear", "second", "test.roc_auc", "logistic_regression"):
        assert word in page
    assert page.count("<svg") >= 4
    assert with_experiments.git("status", "--porcelain") == ""


@needs_browser
def test_an_error_and_a_request_would_be_seen(tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    image = '<img src="http://127.0.0.1:9/x.png">'
    page.write_text(f'{image}<script>console.error("broken")</script>', "utf-8")
    _, console, asked = opened(page, tmp_path)
    assert any("broken" in line for line in console)
    assert asked == ["http://127.0.0.1:9/x.png"]


@pytest.mark.slow
def test_the_better_of_two_is_named_with_the_interval_of_the_difference(
    with_experiments: Project,
) -> None:
    printed = with_experiments.run("seedbed", "compare", "main", "linear", "--markdown").stdout
    figures = {}
    for name, ref in (("main", "main"), ("linear", with_experiments.experiments()["linear"])):
        recorded = with_experiments.git("show", f"{ref}:reports/evaluate/metrics.json")
        figures[name] = json.loads(recorded)["test"]["roc_auc"]
        assert f"{figures[name]:.5f}" in printed
    worse, better = sorted(figures, key=lambda name: figures[name])
    gain = figures[better] - figures[worse]
    assert printed.startswith(f"{better} is better than {worse} by {gain:.4g}: test.roc_auc ")
    assert "95 % interval on the " in printed.splitlines()[0]
    assert "logistic_regression" in printed


@pytest.mark.slow
def test_what_is_in_no_cache_is_fetched_or_said(with_experiments: Project, tmp_path: Path) -> None:
    project = with_experiments
    project.dvc("remote", "add", "--default", "store", str(tmp_path / "store"))
    project.commit("a remote")
    cache = project.root / ".dvc/cache/files"
    shutil.copytree(cache, tmp_path / "store/files", dirs_exist_ok=True)
    shutil.rmtree(cache)
    printed = project.run("seedbed", "compare", "main", "linear").stdout
    assert "95 % interval" in printed
    assert "left out" not in printed
    shutil.rmtree(tmp_path / "store")
    printed = project.run("seedbed", "compare", "main", "linear").stdout
    for name in ("main", "linear"):
        assert re.search(rf"{name} is left out of what needs .*reports/train/plots", printed)
    assert "There is no interval of the difference" in printed


@pytest.mark.slow
def test_a_name_that_is_nothing_is_refused(with_experiments: Project) -> None:
    assert "'nothing-of-that-name'" in with_experiments.refused(
        "seedbed", "compare", "main", "nothing-of-that-name"
    )
