"""A bundle becomes the champion, others are measured against it, and an earlier one comes back."""

import re
import shutil
from pathlib import Path

import pytest

from support import REPOSITORY, Project, copied, file_hashes, made_once

WORSE = ["-S", "model=dummy"]
ANOTHER = ["-S", "seed=7"]
LENIENT = "gate.champion.tolerance=0.5"


def bundle(project: Project, folder: str = "models/bundle") -> dict[str, str]:
    return file_hashes(project.root / folder, ".")


def reason(project: Project) -> str:
    """Return the gate's answer with its reason."""
    return (project.root / "reports/verdict.json").read_text("utf-8")


def tags(project: Project) -> list[str]:
    return project.git("tag", "--list", "model*").splitlines()


@pytest.fixture(scope="session")
def promoted_once(prepared: Path, shared_folder: Path) -> Path:
    """The prepared repository after a promotion; only to be copied."""
    return made_once(
        shared_folder, "promoted", lambda target: copied(prepared, target).run("seedbed", "promote")
    )


@pytest.fixture
def promoted(promoted_once: Path, tmp_path: Path) -> Project:
    """A copy of the prepared repository after a promotion."""
    return copied(promoted_once, tmp_path / "project")


@pytest.mark.slow
def test_promoting_changes_no_byte_of_the_bundle_and_reruns_nothing_but_the_gate(
    project: Project,
) -> None:
    before, commit = bundle(project), project.git("rev-parse", "HEAD")
    printed = project.run("seedbed", "promote").stdout
    assert "model v0.1.0 is in use" in printed
    assert "a sample of 4,000 rows" in printed
    assert bundle(project) == bundle(project, "models/champion") == before
    changed = project.git("diff", "--name-only", commit, "HEAD").splitlines()
    models = {"models/.gitignore", "models/champion.dvc", "models/champion/README.md"}
    assert {name for name in changed if not name.startswith("reports/")} == {"dvc.lock", *models}
    assert "what the champion" in reason(project)
    assert project.git("status", "--porcelain") == ""
    assert project.stages_run() == []
    assert tags(project) == ["model#production#1", "model@v0.1.0"]
    shown = project.run(str(project.root / ".venv/bin/gto"), "show").stdout
    assert "v0.1.0" in shown and "production" in shown
    assert "is the champion already: v0.1.0" in project.refused("seedbed", "promote")


@pytest.mark.slow
def test_a_model_that_is_worse_than_the_champion_stops_repro(promoted: Project) -> None:
    promoted.dvc("exp", "run", "--name", "worse", *WORSE)
    assert "worse, and less than" in promoted.experiment_file("worse", "reports/refusal.txt")
    assert "against the champion's" in promoted.refused("dvc", "repro")
    assert "refused this model" in promoted.refused("seedbed", "promote")


@pytest.mark.slow
def test_versions_go_up_and_back(promoted: Project) -> None:
    first = bundle(promoted, "models/champion")
    promoted.dvc("exp", "run", "--name", "second", *ANOTHER, "-S", LENIENT)
    assert "against the champion's" in reason(promoted)
    assert "uncommitted changes" in promoted.refused("seedbed", "promote")
    promoted.commit("another model")
    assert "model v1.0.0 is in use" in promoted.run("seedbed", "promote", "--bump", "major").stdout
    second = bundle(promoted, "models/champion")
    assert second != first

    printed = promoted.run("seedbed", "rollback").stdout
    assert "model v0.1.0 is in use again, instead of v1.0.0" in printed
    assert bundle(promoted, "models/champion") == first
    assert bundle(promoted) == second, "the packaged bundle is what it was"
    assert promoted.git("status", "--porcelain") == ""
    assert promoted.stages_run() == []
    assert "no version was in use before model v0.1.0" in promoted.refused("seedbed", "rollback")
    assert "no version 'v9.9.9'" in promoted.refused("seedbed", "rollback", "v9.9.9")

    assert "model v1.0.0 is in use again" in promoted.run("seedbed", "rollback", "v1.0.0").stdout
    assert bundle(promoted, "models/champion") == second
    stages = [f"model#production#{number}" for number in (1, 2, 3, 4)]
    assert tags(promoted) == [*stages, "model@v0.1.0", "model@v1.0.0"]


@pytest.mark.slow
def test_a_version_is_fetched_on_another_machine_as_the_documentation_says(
    project: Project, tmp_path: Path
) -> None:
    project.dvc("remote", "add", "--default", "storage", str(tmp_path / "storage"))
    project.commit("a remote")
    printed = project.run("seedbed", "promote").stdout
    assert "`make push` hands it to the others" in printed
    project.git("init", "--quiet", "--bare", "--initial-branch=main", str(tmp_path / "origin.git"))
    project.git("push", "--quiet", str(tmp_path / "origin.git"), "main", "--tags")
    project.dvc("push", "--quiet", "models/champion")
    elsewhere = Project(tmp_path / "elsewhere")
    elsewhere.root.mkdir()
    (elsewhere.root / ".venv").symlink_to(project.root / ".venv")
    page = (REPOSITORY / "docs/champion.md").read_text("utf-8")
    documented = re.findall(r"^dvc (.* <repository> .*)$", page, re.M)
    assert len(documented) == 2
    for number, line in enumerate(documented):
        words = line.replace("<repository>", str(tmp_path / "origin.git")).split()
        site = str(tmp_path / f"site{number}")
        elsewhere.dvc(*words, "--out", str(number), DVC_SITE_CACHE_DIR=site)
        assert bundle(elsewhere, str(number)) == bundle(project)


@pytest.mark.slow
def test_a_champion_that_was_not_fetched_stops_the_gate_by_name(promoted: Project) -> None:
    shutil.rmtree(promoted.root / "models/champion")
    for folder in ("cache/files", "tmp"):
        shutil.rmtree(promoted.root / ".dvc" / folder, ignore_errors=True)
    assert "missing data 'source': models/champion" in promoted.refused("dvc", "repro", "gate")
