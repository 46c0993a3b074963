"""A revision is read from Git and DVC under any name; a report is made of two."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from seedbed.comparing.pull_request import MARK, write_report
from seedbed.comparing.revisions import NOT_RUN, read_revision
from seedbed.errors import UserError

from support import Project

GRAPH = {
    "plots": [{"Curve": {"x": "x", "y": {"plots/a.csv": "y", "plots/empty.csv": "y"}}}],
    "stages": {
        "train": {"cmd": "true", "params": ["seed"], "metrics": [{"train.json": {"cache": False}}]},
        "gate": {"cmd": "true", "metrics": [{"reports/gate.json": {"cache": False}}]},
    },
}
PROBLEM = {"task": "binary", "metric": "roc_auc"}


def write(project: Project, name: str, content: object) -> None:
    (project.root / name).parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    (project.root / name).write_text(text, encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A repository with two commits and a plot that Git holds."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    project = Project(tmp_path / "project")
    write(project, "notes.md", "old")
    project.git("init", "--quiet", "--initial-branch=main")
    project.git("config", "user.name", "Tester")
    project.git("config", "user.email", "tester@example.org")
    project.commit("begin")
    write(project, ".dvc/config", "[core]\n    analytics = false\n")
    write(project, ".dvc/.gitignore", "/tmp\n/cache\n")
    write(project, "dvc.yaml", GRAPH)
    for seed in (1, 2):
        write(project, "params.yaml", {"seed": seed, "model": {"name": "a"}, "problem": PROBLEM})
        write(project, "train.json", {"cv": {"roc_auc": seed / 10}})
        old = {"gate": {"passed": "yes", "reason": "roc_auc 0.1 is enough."}}
        write(project, "reports/gate.json", old if seed == 1 else {"gate": {"passed": "no"}})
        write(project, "plots/a.csv", f"x,y\n0,{seed}\n")
        write(project, "plots/empty.csv", "")
        outs = [{"path": "data/clean", "md5": f"{seed}bcdefghijk", "size": 1234567}]
        outs += [{"path": "plots", "md5": "2bcd", "size": 1}]
        empty = {"cmd": NOT_RUN, "outs": [{"path": "data/predictions", "md5": "d7.dir"}]}
        stages = {"clean": {"cmd": "true", "outs": outs}, "evaluate": empty}
        write(project, "dvc.lock", yaml.safe_dump({"schema": "2.0", "stages": stages}))
        project.commit(f"seed {seed}")
    write(project, "reports/verdict.json", {"passed": False, "reason": "roc_auc <0.2> is too low."})
    project.commit("a reason")
    return project


def test_a_revision_is_read_from_git_and_dvc(project: Project) -> None:
    found = read_revision(project.root, "HEAD~2")
    assert found.metrics == {"cv.roc_auc": 0.1, "gate.passed": "yes"}
    assert found.reason == "roc_auc 0.1 is enough.", "older commits have it among the metrics"
    assert read_revision(project.root, "HEAD").reason == "roc_auc <0.2> is too low."
    assert {"seed": 1, "model.name": "a"}.items() <= found.params.items()
    assert found.data == {"data/clean": "1bcdefgh, 1,234,567 bytes"}, "evaluate was not run"
    assert {path: table.to_dict("list") for path, table in found.plots.items()} == {
        "plots/a.csv": {"x": [0], "y": [1]}
    }
    assert (found.predictions, found.missing) == (None, [])


def hang(project: Project, ref: str, on: str = "HEAD") -> None:
    """Let an experiment of this name be a commit."""
    project.git("update-ref", f"refs/exps/{ref}", project.git("rev-parse", on))


BASE = f"{'a' * 2}/{'b' * 38}"


@pytest.mark.parametrize(
    "name_of",
    [lambda project: "main", lambda project: "v1", lambda project: project.git("rev-parse", "HEAD")[:8], lambda project: "mlp-1a2b"],
    ids=["branch", "tag", "commit", "experiment"],
)  # fmt: skip
def test_a_revision_is_found_by_any_name(
    project: Project, name_of: Callable[[Project], str]
) -> None:
    project.git("tag", "-a", "v1", "-m", "one")
    hang(project, f"{BASE}/mlp-1a2b")
    assert read_revision(project.root, name_of(project)).metrics["cv.roc_auc"] == 0.2


@pytest.mark.parametrize("name", ["nothing", "1a2b", "EXEC_HEAD", "--all", "twice"])
def test_a_name_that_is_none_or_is_there_twice_is_refused(name: str, project: Project) -> None:
    hang(project, f"{BASE}/mlp-1a2b")
    hang(project, f"{BASE}/twice")
    hang(project, f"{BASE[::-1]}/twice", "HEAD~1")
    with pytest.raises(UserError, match=f"{name}.*dvc exp list"):
        read_revision(project.root, name)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("HEAD~3", "this revision cannot be compared"),
        ("HEAD:params.yaml", "this is a file or folder of a commit.* Give a branch"),
        ("main:plots", "this is a file or folder of a commit"),
        ("HEAD^{tree}", "this is a file or folder of a commit"),
    ],
)
def test_what_is_no_state_of_a_project_is_refused(name: str, reason: str, project: Project) -> None:
    with pytest.raises(UserError, match=f"^{re.escape(name)}: {reason}"):
        read_revision(project.root, name)


def test_a_report_says_what_the_work_tree_changes(project: Project, tmp_path: Path) -> None:
    project.git("branch", "target", "HEAD~2")
    folder = tmp_path / "ci"
    write_report(project.root, "target", folder, "https://x/1")
    text = (folder / "report.md").read_text("utf-8")
    assert text.startswith(
        f"{MARK}\n\n## What this branch changes against target\n\n"
        "this branch is better than target by 0.1: cv.roc_auc 0.2 against 0.1."
    )
    assert "Gate: **no**. roc_auc &lt;0.2&gt; is too low." in text
    assert "| cv.roc_auc " in text
    assert "| seed " in text
    assert "Data and models that differ: data/clean." in text
    assert "[artifacts of this run](https://x/1)" in text
    for absent in ("not in step", "stopped", "Not compared"):
        assert absent not in text
    assert "<svg" in (folder / "compare.html").read_text("utf-8")

    (folder / "stopped.txt").write_text("a <b>\n```\n")
    (folder / "uncompared.txt").write_text("")
    lock = (project.root / "dvc.lock").read_text("utf-8")
    write(project, "dvc.lock", lock.replace("cmd: 'true'", "cmd: 'false'"))
    write_report(project.root, "target", folder)
    text = (folder / "report.md").read_text("utf-8")
    assert "<pre>a &lt;b&gt;\n```</pre>" in text
    assert "not in step:** clean ran here" in text
    assert "Not compared: no access to the champion." in text
