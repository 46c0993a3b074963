"""The page of a repository: what is on it, and what it does where something cannot be read."""

import re
import shutil
from html import unescape

import pytest
from typer.testing import CliRunner, Result

from board.conftest import BOLD, HOSTILE, write
from seedbed.cli.main import app

from support import Project


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["board", *arguments], catch_exceptions=False)


def page(project: Project, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """Return the page as `seedbed board --out` writes it."""
    monkeypatch.chdir(project.root)
    done = call("--out", "../page.html", *arguments)
    assert done.exit_code == 0, done.output
    return (project.root / "../page.html").read_text("utf-8")


def text_of(html: str, section: str) -> str:
    """Return what a person reads in a section."""
    found = re.search(rf'<section class="card" id="{section}">(.*?)</section>', html, re.S)
    assert found, section
    seen = re.sub(r"<script.*?</script>", "", found[1], flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", seen)).split())


def test_everything_is_on_one_page_and_nothing_else_is_written(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held() -> set[str]:
        paths = {path.relative_to(project.root).as_posix() for path in project.root.rglob("*")}
        # But for Git's index, and what DVC keeps of experiments.
        return {path for path in paths if not path.startswith((".git/", ".dvc/tmp"))}

    before, status = held(), project.git("status", "--porcelain")
    html = page(project, monkeypatch)
    assert (held(), project.git("status", "--porcelain")) == (before, status)
    champion = text_of(html, "champion")
    assert champion.startswith("Champion: v0.1.0 Its model card")
    assert re.search(r"v0.1.0 \d{4}-\d\d-\d\d \d\d:\d\d now 0.7000", champion)
    assert "performance lost 1a2b 1,234" in text_of(html, "drift")
    assert '"name": "mlp-1a"' in html
    assert "models/champion/MODEL_CARD.md" in text_of(html, "files")
    links = re.findall(r'href="([^"]+)"', html)
    local = [link for link in links if not link.startswith(("https:", "data:"))]
    assert len(local) == 4
    for link in local:
        assert (project.root / ".." / link).is_file(), link
    assert not re.search(r'(src|<link[^>]*href)="(?!data:)', html), "it needs nothing else"
    assert HOSTILE in unescape(html)
    assert HOSTILE not in html, "what people wrote is escaped"
    assert BOLD not in html
    assert BOLD in html.replace("\\u003c", "<")


def test_what_is_missing_or_damaged_is_named_where_it_would_stand(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.git("tag", "-d", "model@v0.1.0", "model#production#1")
    project.git("tag", "-a", "-m", "x", "model@v0.2.0")
    write(project.root, "reports/monitor.json", "{")
    html = page(project, monkeypatch)
    assert "none No model is in use. seedbed promote makes" in text_of(html, "champion")
    assert "Registered and never in use: v0.2.0." in text_of(html, "champion")
    assert "Name a prediction log" in text_of(html, "drift")
    assert "reports/monitor.json is damaged" in text_of(html, "drift")
    project.git("update-ref", "-d", "HEAD")
    html = page(project, monkeypatch)
    assert "There are none yet: dvc exp run" in text_of(html, "experiments")


def test_a_repository_that_cannot_be_read_has_a_page_that_says_so(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project.root, "params.yaml", "problem: 7\n")
    write(project.root, "dvc.yaml", "stages: [\n")
    shutil.rmtree(project.root / ".git")
    html = page(project, monkeypatch)
    assert "params.yaml" in html
    assert "This repository has no commit yet." in html
    assert "`git for-each-ref" in text_of(html, "champion")
    assert "models/champion/MODEL_CARD.md" in text_of(html, "files")
