"""A repository small enough to be made for each test."""

from pathlib import Path

import pytest

from support import Project


@pytest.fixture
def small(tmp_path: Path) -> Project:
    """One commit: dvc.yaml with one stage, files in conf/ and src/, and an identity that is the repository's own."""
    files = {
        ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
        ".dvc/config": "",
        ".gitignore": "/data\n",
        "conf/config.yaml": "seed: 1\n",
        "src/code.py": "1\n",
        "notes.md": "old\n",
        "dvc.yaml": "stages:\n  work:\n    cmd: python src/code.py\n    deps: [src/code.py, table.csv]\n",
    }
    project = Project(tmp_path / "small")
    for name, text in files.items():
        (project.root / name).parent.mkdir(parents=True, exist_ok=True)
        (project.root / name).write_text(text, encoding="utf-8")
    project.git("init", "--quiet", "--initial-branch=main")
    project.git("config", "user.name", "Tester")
    project.git("config", "user.email", "tester@example.org")
    project.commit("begin")
    return project
