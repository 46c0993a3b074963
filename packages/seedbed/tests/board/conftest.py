"""A repository with experiments, a champion and reports, and the bundles that the tests of serving make."""

import json
from pathlib import Path

import pytest
import yaml

from serving.conftest import built  # noqa: F401

from support import REPOSITORY, Project, copied, made_once

HOSTILE = "<script>document.title='stolen'</script>"
BOLD = "<b>bold<b>"
"""A name that Git takes: HOSTILE has a slash."""
SEED = 20231104
LONG = "a_name_that_is_wider_than_a_phone" * 3
GRAPH = {
    "stages": {
        "train": {
            "cmd": "true",
            "params": ["seed", "model"],
            "metrics": [{"train.json": {"cache": False}}],
        }
    }
}


def write(root: Path, name: str, content: object) -> Path:
    """Write a text, or anything else as JSON."""
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    file.write_text(text, encoding="utf-8")
    return file


def hang(project: Project, *names: str) -> None:
    """Let HEAD be experiments of the commit before it; go back to that."""
    base = project.git("rev-parse", "HEAD~1")
    for name in names:
        project.git("update-ref", f"refs/exps/{base[:2]}/{base[2:]}/{name}", "HEAD")
    project.git("reset", "--quiet", "--hard", base)


def _fill(root: Path) -> None:
    """One commit that is version v0.1.0 and in use, three experiments of it, one of them with a hostile name."""
    project = Project(root)
    write(root, ".dvc/config", "[core]\n    analytics = false\n")
    write(root, ".dvc/.gitignore", "/config.local\n/tmp\n/cache\n")
    write(root, "conf/config.yaml", "")
    write(root, ".gitignore", "/reports\n/models\n")
    write(root, "dvc.yaml", yaml.safe_dump(GRAPH))
    params = yaml.safe_load((REPOSITORY / "params.yaml").read_text("utf-8"))
    problem = {key: value for key, value in params.items() if key == "problem"}
    project.git("init", "--quiet", "--initial-branch=main")
    project.git("config", "user.name", "Tester")
    project.git("config", "user.email", "tester@example.org")
    for number, name in enumerate(["", "mlp-1a", "tree-2b", BOLD]):
        arguments = {"learning_rate": 10.0**-number, f"{LONG}_a": number, f"{LONG}_b": number}
        model = {"name": ["tree", "mlp", "tree", HOSTILE][number], "arguments": arguments}
        write(
            root, "params.yaml", yaml.safe_dump({**problem, "seed": SEED + number, "model": model})
        )
        test = {"test": {"roc_auc": 0.7}} if number == 0 else {}
        write(root, "train.json", {"cv": {"roc_auc": 0.7 + number / 100}, **test})
        project.commit(f"run {number}")
        if name:
            hang(project, name)
    for tag in ("model@v0.1.0", "model#production#1"):
        project.git("tag", "-a", "-m", tag, tag)
    write(root, "models/champion/MODEL_CARD.md", "# The card\n")
    write(root, "reports/monitor.html", f"<p>{HOSTILE}</p>")
    report = {"state": "performance_lost", "model": "1a2b", "rows": 1234, "reasons": [HOSTILE]}
    write(root, "reports/monitor.json", report)


@pytest.fixture(scope="session")
def filled(shared_folder: Path) -> Path:
    """The repository, only to be read."""
    return made_once(shared_folder, "board", _fill)


@pytest.fixture
def project(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A copy of it."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    return copied(filled, tmp_path / "project")
