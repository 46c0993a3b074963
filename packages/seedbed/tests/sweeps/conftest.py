"""Repositories small enough to be made or copied for each test: one with a single stage, one whose stage graph runs."""

from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo

from small_graph import STAGES, ran, write_params

from support import Project, copied


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


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose graph has run once, all committed."""
    root = tmp_path_factory.mktemp("pipeline") / "root"
    root.mkdir()
    project = Project(root)
    project.git("init", "--quiet", "--initial-branch=main")
    project.git("config", "user.name", "Tester")
    project.git("config", "user.email", "tester@example.org")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setenv("DVC_SITE_CACHE_DIR", str(root.parent / "site"))
        Repo.init(str(root)).close()
        (root / "raw.txt").write_text("1\n2\n")
        (root / ".gitignore").write_text("/ran\n/data\n/features.txt\n/model.txt\n/predictions\n")
        (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": STAGES}, sort_keys=False))
        write_params(root)
        with Repo(str(root)) as repo:
            repo.reproduce()
    assert sorted(ran(root)) == sorted(STAGES)
    (root / "ran").unlink()
    project.commit("begin")
    return root


@pytest.fixture
def root(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, in which this process works."""
    root = copied(template, tmp_path / "root").root
    monkeypatch.chdir(root)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    return root
