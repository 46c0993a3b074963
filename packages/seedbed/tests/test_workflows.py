"""The workflows grant little, only call what can be called here too, and everything is installed from a lock."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from support import REPOSITORY

KEY = "AKIA" + "QYLPMN5HHHFPZAM2"


def loaded(name: str) -> dict[str, Any]:
    text = (REPOSITORY / name).read_text("utf-8")
    return yaml.load(text, yaml.BaseLoader)  # else `on` would be true


WORKFLOWS = {path.name: loaded(path) for path in (REPOSITORY / ".github/workflows").glob("*.yml")}
GITHUB = {
    f"{file}: {name}": job
    for file, workflow in WORKFLOWS.items()
    for name, job in workflow["jobs"].items()
}
STEPS = [step for job in GITHUB.values() for step in job["steps"]]
GITLAB = {
    name: job
    for name, job in loaded(".gitlab-ci.yml").items()
    if isinstance(job, dict) and "script" in job
}


def test_github_and_gitlab_run_the_same_commands_which_are_targets_and_scripts_that_exist() -> None:
    lines = [
        job[key] for job in GITLAB.values() for key in ("script", "after_script") if key in job
    ]
    called, on_gitlab = (
        set(re.findall(r"make [\w-]+|\.ci/[\w-]+", text))
        for text in (str([step.get("run") for step in STEPS]), str(lines))
    )
    assert called == on_gitlab
    assert len(called) > 8
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    targets = {f"make {name}" for name in re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)}
    for command in called - targets:
        assert os.access(REPOSITORY / command, os.X_OK), f"{command} cannot be executed"


def test_what_may_write_and_what_sees_a_secret_is_little() -> None:
    assert all(workflow["permissions"] == {} for workflow in WORKFLOWS.values())
    assert {
        (name, what)
        for name, job in GITHUB.items()
        for what, how in job["permissions"].items()
        if how == "write"
    } == {
        ("pull-request.yml: comment", "pull-requests"),
        ("retrain.yml: retrain", "contents"),
        ("retrain.yml: retrain", "pull-requests"),
    }
    assert {
        (step.get("run"), name)
        for step in STEPS
        for name, value in step.get("env", {}).items()
        if re.search(r"secrets\.|token", value)
    } == {
        (".ci/pull", "DVC_CONFIG_LOCAL"),
        (".ci/release", "DVC_CONFIG_LOCAL"),
        (".ci/propose", "DVC_CONFIG_LOCAL"),
        (".ci/propose", "FORGE_TOKEN"),
        (".ci/forge comment reports/ci/report.md", "FORGE_TOKEN"),
    }
    assert not any("secrets" in str(job.get("env")) for job in GITHUB.values())
    scopes = {
        name: job["environment"]["name"] for name, job in GITLAB.items() if "environment" in job
    }
    assert scopes == {
        "pipeline": "data",
        "comment": "forge",
        "archive": "data",
        "retrain": "retrain",
    }
    assert GITLAB["pipeline"]["script"][:2] == [".ci/pull", "unset DVC_CONFIG_LOCAL"]
    assert "(unset DVC_CONFIG_LOCAL FORGE_TOKEN && .ci/retrain)" in GITLAB["retrain"]["script"]


def test_the_job_that_comments_runs_only_code_of_the_target_branch() -> None:
    job = GITHUB["pull-request.yml: comment"]
    checkout = next(step for step in job["steps"] if "checkout" in step.get("uses", ""))
    assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert "head.repo.full_name == github.repository" in job["if"]
    assert not any("pull_request_target" in workflow["on"] for workflow in WORKFLOWS.values())
    (comment,) = GITLAB["comment"]["script"]
    assert re.findall(r"\S*\.ci/\S+", comment) == ['"$CI_MERGE_REQUEST_DIFF_BASE_SHA:.ci/forge"']


def test_every_action_is_pinned_by_commit() -> None:
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert len(used) > 10
    assert [each for each in used if not re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", each)] == []


def test_tests_run_on_every_python_that_the_project_names() -> None:
    text = (REPOSITORY / "pyproject.toml").read_text("utf-8")
    ((lowest, above),) = re.findall(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', text)
    named = [f"3.{minor}" for minor in range(int(lowest), int(above))]
    assert GITHUB["check.yml: test"]["strategy"]["matrix"]["python"] == named
    assert GITLAB["test"]["parallel"]["matrix"] == [{"PYTHON_IMAGE": named}]


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-all.lock"])
def test_a_lock_holds_the_hashes_of_every_package_and_no_host(name: str) -> None:
    text = (REPOSITORY / name).read_text("utf-8")
    packages = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(packages) > 100
    for package in packages:
        pinned = re.match(r"[A-Za-z0-9._-]+(\[[^]]*])?==\S+", package)
        assert pinned and "--hash=sha256:" in package, package
    assert not re.search(r"://|--(extra-)?index-url|--find-links", text)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("      - uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2", False),
        ("conf_hash: c0123456789ab", False),
        (f'  "image/png": "{"iVBORw0KGgo" * 9}\\n",', False),
        (f"      - uses: x # {KEY}", True),
        (f"conf_hash: {KEY}", True),
        (f'  "image/png": "iVBORw0KGgo", "key": "{KEY}"', True),
    ],
)
def test_only_whole_lines_of_hashes_and_pictures_are_left_out_of_the_search_for_secrets(
    line: str, found: bool, tmp_path: Path
) -> None:
    hooks = loaded(".pre-commit-config.yaml")["repos"][0]["hooks"]
    (entry,) = (hook["entry"] for hook in hooks if hook["id"] == "secrets")
    (tmp_path / "file.yaml").write_text(f"{line}\n")
    program, *options = shlex.split(entry)
    command = [Path(sys.executable).with_name(Path(program).name), *options, tmp_path / "file.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY)
    assert (done.returncode != 0) == found, done.stdout + done.stderr


PYTHON = """#!/bin/sh
echo "$*" >>calls
case "$*" in
"-m pip --version") test -e .venv/pip ;;
"-m venv --clear .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python && touch .venv/pip ;;
esac
"""
"""Stands for Python: notes its calls, and makes environments in which it stands for Python again."""


def test_the_set_up_keeps_to_the_lock_that_was_asked_for_and_mends_a_half_made_environment(
    tmp_path: Path,
) -> None:
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "requirements-all.lock"):
        shutil.copy(REPOSITORY / name, tmp_path)
    python, calls = tmp_path / "python", tmp_path / "calls"
    python.write_text(PYTHON)
    python.chmod(0o755)

    def set_up(*arguments: str, **environment: str) -> tuple[list[str], bool]:
        """Return the locks that were installed from, and whether an environment was made."""
        calls.unlink(missing_ok=True)
        command = ["make", "setup", f"PYTHON={python}", *arguments]
        given = {"PATH": os.environ["PATH"], **environment}
        subprocess.run(command, cwd=tmp_path, env=given, check=True)
        made = calls.read_text()
        return re.findall(r"uv pip sync .* (\S+\.lock)", made), "-m venv" in made

    assert set_up() == (["requirements.lock"], True)
    assert set_up() == ([], False)
    assert set_up(LOCK="requirements-all.lock") == (["requirements-all.lock"], False)
    assert set_up() == set_up(LOCK="") == ([], False), "it is remembered"
    assert set_up("LOCK=requirements.lock") == (["requirements.lock"], False)
    (tmp_path / ".venv/pip").unlink()
    (tmp_path / ".venv/.installed").unlink()
    assert set_up() == (["requirements.lock"], True), "as after Debian without python3-venv"
