"""The workflows are of the shape that GitHub and GitLab want, grant little, and only call what can be called here too."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support import REPOSITORY

WORKFLOWS = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))
GITLAB = REPOSITORY / ".gitlab-ci.yml"
KEY = "AKIA" + "QYLPMN5HHHFPZAM2"
TARGETS = set(
    re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text("utf-8"), re.MULTILINE)
)


def tool(name: str, *arguments: str | Path) -> tuple[int, str]:
    """Run a tool of the environment; return its exit code and what it said."""
    command = [str(Path(sys.executable).with_name(name)), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY)
    return done.returncode, done.stdout + done.stderr


def loaded(path: Path) -> dict[str, Any]:
    return yaml.load(path.read_text("utf-8"), yaml.BaseLoader)  # else `on` would be true


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in WORKFLOWS:
        for name, job in loaded(path)["jobs"].items():
            yield f"{path.name}: {name}", job


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, job in jobs():
        for step in job["steps"]:
            yield name, step


def gitlab_jobs() -> dict[str, dict[str, Any]]:
    return {
        name: job
        for name, job in loaded(GITLAB).items()
        if isinstance(job, dict) and "script" in job
    }


def test_every_command_is_a_target_or_a_file_that_is_there() -> None:
    commands = [(name, step["run"]) for name, step in steps() if "run" in step]
    for name, job in gitlab_jobs().items():
        commands += [(name, line) for line in [*job["script"], *job.get("after_script", [])]]
    assert len(commands) > 15
    for name, command in commands:
        if command.startswith("unset "):
            continue
        for part in re.findall(r"(?:make|\.ci)[ /][\w-]+", command) or [command]:
            if part.startswith("make "):
                assert part.split()[1] in TARGETS, f"{name}: {command}"
            else:
                file = REPOSITORY / part
                assert file.is_file(), f"{name}: {command}"
                assert file.stat().st_mode & 0o111, f"{part} cannot be executed"


def test_the_two_run_the_same_commands() -> None:
    def called(commands: list[str]) -> set[str]:
        return {
            part for command in commands for part in re.findall(r"make [\w-]+|\.ci/[\w-]+", command)
        }

    github = called([step["run"] for _, step in steps() if "run" in step])
    gitlab = called(
        [
            line
            for job in gitlab_jobs().values()
            for line in [*job["script"], *job.get("after_script", [])]
        ]
    )
    assert github == gitlab


def test_no_permission_is_granted_to_a_whole_workflow_and_writing_only_where_it_is_needed() -> None:
    assert all(loaded(path)["permissions"] == {} for path in WORKFLOWS)
    granted = {
        name: {what for what, how in job["permissions"].items() if how == "write"}
        for name, job in jobs()
    }
    assert {name: what for name, what in granted.items() if what} == {
        "pull-request.yml: comment": {"pull-requests"},
        "retrain.yml: retrain": {"contents", "pull-requests"},
    }


def test_every_job_ends_in_bounded_time_and_an_older_run_gives_way() -> None:
    assert all(int(job["timeout-minutes"]) <= 180 for _, job in jobs())
    assert all("group" in loaded(path)["concurrency"] for path in WORKFLOWS)


def test_every_action_is_pinned_by_commit_and_says_its_version() -> None:
    used = [
        line
        for path in WORKFLOWS
        for line in path.read_text("utf-8").splitlines()
        if "uses:" in line
    ]
    assert len(used) > 10
    for line in used:
        assert re.fullmatch(r"\s+- uses: actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_a_secret_is_seen_only_by_the_steps_that_move_data_or_speak_to_the_forge() -> None:
    seen = {(step.get("run"), name) for _, step in steps() for name, value in step.get("env", {}).items() if re.search(r"secrets\.|token", value)}  # fmt: skip
    assert seen == {
        (".ci/pull", "DVC_CONFIG_LOCAL"),
        (".ci/release", "DVC_CONFIG_LOCAL"),
        (".ci/propose", "DVC_CONFIG_LOCAL"),
        (".ci/propose", "FORGE_TOKEN"),
        (".ci/forge comment reports/ci/report.md", "FORGE_TOKEN"),
    }
    for name, job in jobs():
        assert "secrets" not in str(job.get("env", {})), name


def test_the_job_that_comments_runs_only_code_of_the_target_branch() -> None:
    job = dict(jobs())["pull-request.yml: comment"]
    checkout = next(step for step in job["steps"] if "checkout" in step.get("uses", ""))
    assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert "head.repo.full_name == github.repository" in job["if"]
    assert not any("pull_request_target" in loaded(path)["on"] for path in WORKFLOWS)


def test_on_gitlab_each_job_sees_only_its_own_secrets_and_the_comment_is_written_by_code_of_the_target() -> (
    None
):
    scopes = {
        name: job["environment"]["name"]
        for name, job in gitlab_jobs().items()
        if "environment" in job
    }
    assert scopes == {
        "pipeline": "data",
        "comment": "forge",
        "archive": "data",
        "retrain": "retrain",
    }
    (comment,) = gitlab_jobs()["comment"]["script"]
    assert re.findall(r"\S*\.ci/\S+", comment) == ['"$CI_MERGE_REQUEST_DIFF_BASE_SHA:.ci/forge"']
    pipeline = gitlab_jobs()["pipeline"]["script"]
    assert pipeline[:2] == [".ci/pull", "unset DVC_CONFIG_LOCAL"], (
        "what the author wrote runs after that"
    )
    assert (
        "(unset DVC_CONFIG_LOCAL FORGE_TOKEN && .ci/retrain)" in gitlab_jobs()["retrain"]["script"]
    )


def test_tests_run_on_every_python_that_the_project_names() -> None:
    lowest, above = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (REPOSITORY / "pyproject.toml").read_text("utf-8")).groups()  # type: ignore[union-attr]  # fmt: skip
    named = [f"3.{minor}" for minor in range(int(lowest), int(above))]
    assert dict(jobs())["check.yml: test"]["strategy"]["matrix"]["python"] == named
    assert gitlab_jobs()["test"]["parallel"]["matrix"] == [{"PYTHON_IMAGE": named}]


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-all.lock"])
def test_a_lock_holds_the_hashes_of_every_package_and_no_host(name: str) -> None:
    text = (REPOSITORY / name).read_text("utf-8")
    packages = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(packages) > 100
    for package in packages:
        assert re.match(r"[A-Za-z0-9._-]+(\[[^]]*])?==\S+", package), package
        assert "--hash=sha256:" in package, package
    assert not re.search(r"://|--(extra-)?index-url|--find-links", text)


def test_scripts_are_bash_that_stops_at_the_first_failure() -> None:
    for path in sorted((REPOSITORY / ".ci").iterdir()):
        text = path.read_text("utf-8")
        if "python" not in text.splitlines()[0]:
            assert "set -euo pipefail" in text, path
            assert subprocess.run(["bash", "-n", path], check=False).returncode == 0, path


def test_every_hook_lies_in_the_environment_and_nothing_is_fetched() -> None:
    code, said = tool("pre-commit", "validate-config")
    assert code == 0, said
    repositories = loaded(REPOSITORY / ".pre-commit-config.yaml")["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]
    for hook in repositories[0]["hooks"]:
        assert hook["language"] in ("unsupported", "fail"), hook["id"]
        if hook["language"] == "unsupported":
            assert (
                Path(sys.executable)
                .with_name(hook["entry"].split()[0].removeprefix(".venv/bin/"))
                .exists()
            ), hook["id"]


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
    hooks = {
        hook["id"]: hook
        for hook in loaded(REPOSITORY / ".pre-commit-config.yaml")["repos"][0]["hooks"]
    }
    (tmp_path / "file.yaml").write_text(f"{line}\n")
    program, *options = shlex.split(hooks["secrets"]["entry"])
    code, said = tool(Path(program).name, *options, tmp_path / "file.yaml")
    assert (code != 0) == found, said


def test_every_lock_is_looked_at_when_it_is_committed() -> None:
    hooks = {
        hook["id"]: hook
        for hook in loaded(REPOSITORY / ".pre-commit-config.yaml")["repos"][0]["hooks"]
    }
    for lock in ("dvc.lock", "requirements.lock", "requirements-all.lock"):
        assert re.search(hooks["in-step"]["files"], lock), lock


PYTHON = """#!/bin/sh
echo "$*" >>said
case "$*" in
"-m pip --version") test -e .venv/pip ;;
"-m venv --clear .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python && touch .venv/pip ;;
esac
"""
"""Stands for Python: notes what it is called with, and makes environments in which it stands for Python again."""


def test_the_set_up_keeps_to_the_lock_that_was_asked_for_and_mends_a_half_made_environment(
    tmp_path: Path,
) -> None:
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "requirements-all.lock"):
        shutil.copy(REPOSITORY / name, tmp_path)
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)

    def set_up(*arguments: str, **environment: str) -> tuple[list[str], bool]:
        """Return the locks that were installed from, and whether an environment was made."""
        (tmp_path / "said").unlink(missing_ok=True)
        given = {"PATH": os.environ["PATH"], **environment}
        subprocess.run(
            ["make", "setup", f"PYTHON={python}", *arguments], cwd=tmp_path, env=given, check=True
        )
        said = (tmp_path / "said").read_text()
        return re.findall(r"uv pip sync .* (\S+\.lock)", said), "-m venv" in said

    assert set_up() == (["requirements.lock"], True)
    assert set_up() == ([], False)
    assert set_up(LOCK="requirements-all.lock") == (["requirements-all.lock"], False)
    assert set_up() == set_up(LOCK="") == ([], False), "it is remembered"
    assert set_up("LOCK=requirements.lock") == (["requirements.lock"], False)
    (tmp_path / ".venv/pip").unlink()
    (tmp_path / ".venv/.installed").unlink()
    assert set_up() == (["requirements.lock"], True), (
        "Debian without python3-venv leaves a Python without pip"
    )
