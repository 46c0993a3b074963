"""Which files are listed, which are served, and what reports of `seedbed monitor` say."""

import os
from pathlib import Path

import pytest

from board.conftest import write
from seedbed.board.reports import find_file, list_files, monitor_reports


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository beside a file that is nobody's business."""
    root = tmp_path / "root"
    for name in (
        "reports/a.html", "reports/deep/b.md", "reports/.gitignore", "models/bundle/MODEL_CARD.md", "models/x",
        "params.yaml", ".dvc/cache/files/1", ".dvc/config.local", "reports/sweeps/night/jobs.csv", "reports/c.json",
        "reports/validation/data_docs/index.html", "reports/validation/data_docs/other.html",
    ):  # fmt: skip
        write(root, name, "content")
    write(tmp_path, "secret", "content")
    for link, target in {"out": "../../secret", "local": "../.dvc/config.local", "in": "../.dvc/cache/files/1"}.items():  # fmt: skip
        (root / "reports" / link).symlink_to(target)
    return root


@pytest.mark.parametrize(
    "address",
    ["/reports/a.html", "/reports/deep/b.md", "//reports/a.html", "/models/bundle/MODEL_CARD.md", "/reports/in"],
)  # fmt: skip
def test_reports_and_cards_are_found(root: Path, address: str) -> None:
    found = find_file(root, address)
    assert found is not None
    assert found.read_text() == "content"


@pytest.mark.parametrize(
    "address",
    [
        "/", "", "/params.yaml", "/models/x", "/reports", "/reports/", "/reports/none", "/reports/.gitignore", "/.dvc/config.local",
        "/reports/../params.yaml", "/reports/../../secret", "/models/../.dvc/config.local", "/reports/out", "/reports/local",
        "/models/bundle/../../params.yaml", "/reports/a\0b", "../secret", "/etc/passwd", f"/reports/{'a' * 300}",
    ],
)  # fmt: skip
def test_nothing_else_is_found(root: Path, address: str) -> None:
    assert find_file(root, address) is None


def test_a_repository_that_was_moved_or_is_a_link_is_served(root: Path) -> None:
    link = root.with_name("link")
    link.symlink_to(root)
    assert find_file(link, "/reports/a.html") == link / "reports/a.html"


def test_cards_pages_and_all_of_a_sweep_are_listed_the_newest_first(root: Path) -> None:
    os.utime(root / "reports/deep/b.md", (2e9, 2e9))
    names = [name for name, _ in list_files(root)]
    assert names[0] == "reports/deep/b.md"
    assert sorted(names[1:]) == [
        "models/bundle/MODEL_CARD.md", "reports/a.html", "reports/sweeps/night/jobs.csv", "reports/validation/data_docs/index.html",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"state": "performance_lost", "model": "1a", "rows": 5, "reasons": ["x"]}, ""),
        ('{"state": "dri', "reports/a.json is damaged (Unterminated string"),
        ("", "reports/a.json is damaged (Expecting value"),
        ({"state": "calm"}, "reports/a.json is damaged ('model')"),
        ({"state": "calm", "model": "1a", "rows": None, "reasons": []}, "reports/a.json is damaged"),
        ({"state": "calm", "model": "1a", "rows": 5, "reasons": 7}, "reports/a.json is damaged"),
    ],
)  # fmt: skip
def test_a_damaged_report_is_named(root: Path, content: object, problem: str) -> None:
    write(root, "reports/a.json", content)
    (found,) = monitor_reports(root)
    assert found.path == "reports/a.html"
    assert found.problem.startswith(problem)
    if not problem:
        assert (found.state, found.rows, found.reasons) == ("performance lost", 5, ("x",))


@pytest.mark.parametrize("content", [{"columns": 3}, [1, 2]])
def test_figures_of_another_kind_are_no_report_of_monitor(root: Path, content: object) -> None:
    write(root, "reports/a.json", content)
    assert monitor_reports(root) == []
