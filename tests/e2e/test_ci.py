"""The scripts of CI run here as they run there: CI=true, a fresh clone of a bare repository, a DVC remote in a folder."""

import hashlib
import json
import shutil
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

import warm
from seedbed.config.yaml_files import load_yaml
from seedbed.experiments.pull_request import MARK
from seedbed.serving import load_bundle

from support import ENVIRONMENT, Project, stages_in

TOKEN = "tok" + "en-of-the-forge"


class Shared:
    """A project, the bare repository it is pushed to, and its DVC remote, of which Git knows the name and not the place."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.project, self.folder, self.bare, self.store = project, folder, folder / "origin.git", folder / "store"
        self.store.mkdir()
        project.dvc("remote", "add", "--default", "store", str(folder / "nowhere"))
        project.commit("name the remote")
        project.dvc("remote", "modify", "--local", "store", "url", str(self.store))
        project.git("clone", "--quiet", "--bare", ".", str(self.bare))
        project.git("remote", "add", "origin", str(self.bare))

    @property
    def secret(self) -> str:
        """What a person puts into the secret DVC_CONFIG_LOCAL."""
        return f"['remote \"store\"']\n    url = {self.store}"

    def push(self, *what: str) -> None:
        self.project.dvc("push", "--quiet")
        self.project.git("push", "--quiet", "origin", *what)

    def clone(self, revision: str) -> "Runner":
        target = self.folder / "runner"
        self.project.run("git", "clone", "--quiet", str(self.bare), str(target), cwd=self.folder)
        (target / ".venv").symlink_to(ENVIRONMENT)
        runner = Runner(target)
        runner.git("checkout", "--quiet", "--detach", revision)
        return runner


class Runner(Project):
    """A fresh clone in which a job of CI runs; `make` does not install the environment again, which all copies share."""

    def ci(self, *command: str, check: bool = True, **environment: str) -> str:
        """Run a script of .ci as CI does, with an environment of nothing but what is given; return what it said.

        As in the other tests, stages find their packages imported.
        """
        tools = self.root.parent / "tools"
        tools.mkdir(exist_ok=True)
        (tools / "make").write_text(f'#!/bin/sh\nexec {shutil.which("make")} -o .venv/.installed "$@"\n')
        (tools / "make").chmod(0o755)
        given = {
            "PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.root.parent),
            "CI": "true",
            **warm.warm(),
            **environment,
        }
        words = ["env", "-i", *(f"{name}={value}" for name, value in given.items()), *command]
        done = self.run(*words, check=False)
        assert "Traceback" not in done.stdout, done.stdout
        assert (done.returncode == 0) == check, done.stdout
        return done.stdout


@pytest.fixture
def shared(project: Project, tmp_path: Path) -> Shared:
    return Shared(project, tmp_path)


class Forge:
    """GitHub's and GitLab's API, as far as .ci/forge calls it."""

    def __init__(self) -> None:
        self.notes: list[dict[str, Any]] = [{"id": 1, "body": "Looks good."}]
        self.requests: list[dict[str, Any]] = []
        self.tokens: set[str] = set()
        forge = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self, value: Any, code: int = 200) -> None:
                content = json.dumps(value).encode()
                self.send_response(code)
                self.end_headers()
                self.wfile.write(content)

            def content(self) -> dict[str, Any]:
                return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

            def items(self) -> list[dict[str, Any]]:
                path = urlsplit(self.path).path
                return forge.notes if "comments" in path or "notes" in path else forge.requests

            def do_GET(self) -> None:
                forge.tokens.add(self.headers["Authorization"] or self.headers["PRIVATE-TOKEN"])
                if "denied" in str(forge.tokens):
                    self.answer({"message": "Bad credentials"}, 401)
                    return
                page = int(parse_qs(urlsplit(self.path).query).get("page", ["1"])[0])
                self.answer(self.items() if page == 1 else [])

            def do_POST(self) -> None:
                item = {"id": len(self.items()) + 1, **self.content()}
                item |= {"number": item["id"], "iid": item["id"]}
                self.items().append(item)
                self.answer(item, 201)

            def do_PATCH(self) -> None:
                number = int(urlsplit(self.path).path.rpartition("/")[2])
                item = next(item for item in self.items() if item["id"] == number)
                item |= self.content()
                self.answer(item)

            do_PUT = do_PATCH

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def environment(self, kind: str) -> dict[str, str]:
        """Return what a run on GitHub or GitLab finds in its environment."""
        address = f"http://127.0.0.1:{self.server.server_port}"
        if kind == "GitHub":
            return {
                "GITHUB_API_URL": address,
                "GITHUB_REPOSITORY": "me/mine",
                "PULL_REQUEST": "7",
                "FORGE_TOKEN": TOKEN,
            }
        return {"CI_API_V4_URL": address, "CI_PROJECT_ID": "3", "CI_MERGE_REQUEST_IID": "7", "FORGE_TOKEN": TOKEN}


@pytest.fixture
def forge() -> Iterator[Forge]:
    served = Forge()
    yield served
    served.server.shutdown()
    served.server.server_close()


@pytest.mark.parametrize("kind", ["GitHub", "GitLab"])
def test_a_comment_is_made_once_and_replaced_after(kind: str, forge: Forge, shared: Shared, tmp_path: Path) -> None:
    runner = shared.clone("main")
    for text in ("first", "second"):
        (tmp_path / "report.md").write_text(f"{MARK}\n\n{text}\n")
        said = runner.ci(".ci/forge", "comment", str(tmp_path / "report.md"), **forge.environment(kind))
        assert TOKEN not in said
    assert [note["body"] for note in forge.notes] == ["Looks good.", f"{MARK}\n\nsecond\n"]
    assert forge.tokens == {f"Bearer {TOKEN}" if kind == "GitHub" else TOKEN}


def test_a_forge_that_refuses_is_told_without_the_token(forge: Forge, shared: Shared, tmp_path: Path) -> None:
    runner = shared.clone("main")
    (tmp_path / "report.md").write_text(f"{MARK}\n" + "x" * 70_000)
    said = runner.ci(".ci/forge", "comment", str(tmp_path / "report.md"), check=False, **{**forge.environment("GitHub"), "FORGE_TOKEN": "denied"})  # fmt: skip
    assert "401" in said
    assert "Bad credentials" in said
    assert "denied" not in said
    assert "FORGE_TOKEN is not set" in runner.ci(".ci/forge", "comment", "x", check=False, GITHUB_REPOSITORY="me/mine")


def test_credentials_are_there_only_while_the_command_runs(shared: Shared) -> None:
    runner = shared.clone("main")
    look = 'cat .dvc/config.local; stat -c %a .dvc/config.local; echo "in the environment: ${DVC_CONFIG_LOCAL-nothing}"; exit 3'
    said = runner.ci(".ci/with-remote", "sh", "-c", look, check=False, DVC_CONFIG_LOCAL=shared.secret)
    assert said == f"{shared.secret}\n600\nin the environment: nothing\n"
    assert not (runner.root / ".dvc/config.local").exists()
    own = runner.root / ".dvc/config.local"
    own.write_text("[core]\n")
    assert "unset DVC_CONFIG_LOCAL" in runner.ci(".ci/with-remote", "true", check=False, DVC_CONFIG_LOCAL="x")
    runner.ci(".ci/with-remote", "true")
    assert own.read_text() == "[core]\n", "a person's own is left alone"


@pytest.mark.slow
def test_a_pull_request_whose_data_are_pushed_runs_nothing_and_is_compared(shared: Shared) -> None:
    shared.push("main")
    author = shared.project
    author.git("switch", "--quiet", "-c", "change")
    author.edit("conf/config.yaml", "model: hist_gradient_boosting", "model: logistic_regression")
    author.dvc("repro")
    author.commit("another model")
    shared.push("change")

    runner = shared.clone("origin/change")
    said = runner.ci(".ci/pull", GITHUB_BASE_REF="main", DVC_CONFIG_LOCAL=shared.secret)
    assert str(shared.store) not in said
    assert not (runner.root / ".dvc/config.local").exists()
    assert stages_in(runner.ci(".ci/pipeline")) == []
    summary = shared.folder / "summary.md"
    runner.ci(".ci/report", GITHUB_BASE_REF="main", LINK="https://forge/run/1", GITHUB_STEP_SUMMARY=str(summary))

    report = (runner.root / "reports/ci/report.md").read_text(encoding="utf-8")
    assert summary.read_text(encoding="utf-8") == report
    assert report.startswith(f"{MARK}\n\n## What this branch changes against main\n")
    assert "not in step" not in report
    before, after = (
        json.loads(author.git("show", f"{branch}:reports/evaluate/metrics.json"))["test"]["roc_auc"]
        for branch in ("main", "change")
    )
    assert f"- test.roc_auc: {before:.4g} → **{after:.4g}** ({after - before:+.4g})" in report
    assert "| model.name | hist_gradient_boosting | logistic_regression |" in report
    assert "models/model" in report
    assert report.count("```mermaid") >= 3
    assert report.count("    line [") == 2 * report.count("```mermaid"), "each chart has the curves of both sides"
    assert "(https://forge/run/1)" in report
    assert (runner.root / "reports/ci/compare.html").read_text(encoding="utf-8").count("<svg") >= 4
    assert runner.git("status", "--porcelain") == ""


@pytest.mark.slow
def test_a_fork_without_secrets_computes_and_what_its_author_did_not_run_is_said(shared: Shared) -> None:
    author = shared.project
    author.edit("conf/config.yaml", "seed: 0", "seed: 1")
    author.git("switch", "--quiet", "-c", "change")
    author.commit("another seed, not run")
    author.git("push", "--quiet", "origin", "change", "main")
    runner = shared.clone("origin/change")
    said = runner.ci(".ci/pull", GITHUB_BASE_REF="main", DVC_CONFIG_LOCAL="")
    assert "the pipeline computes" in said
    assert "train" in stages_in(runner.ci(".ci/pipeline"))
    runner.ci(".ci/report", CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main", CI_JOB_URL="https://lab/job/2")
    report = (runner.root / "reports/ci/report.md").read_text(encoding="utf-8")
    assert "**dvc.lock of this branch is not in step:** compose, train, evaluate, gate, package ran here" in report
    assert "| seed | 0 | 1 |" in report
    assert "(https://lab/job/2/artifacts/browse/reports/ci)" in report


@pytest.mark.slow
def test_a_pipeline_that_stops_is_reported_with_its_reason(shared: Shared) -> None:
    author = shared.project
    author.git("push", "--quiet", "origin", "main")
    author.git("switch", "--quiet", "-c", "change")
    author.edit("conf/split/time.yaml", "folds: 3", "folds: <b>")
    author.commit("a mistake")
    runner = Runner(author.root)
    runner.ci(".ci/pipeline", check=False)
    runner.ci(".ci/report", TARGET="origin/main")
    report = (runner.root / "reports/ci/report.md").read_text(encoding="utf-8")
    assert "**The pipeline stopped:**" in report
    assert "split.folds is &#x27;&lt;b&gt;&#x27;" in report


@pytest.mark.slow
def test_a_tag_of_the_registry_becomes_an_archive_that_loads(shared: Shared) -> None:
    author = shared.project
    author.run("seedbed", "promote")
    shared.push("main", "--tags")
    version = author.git("tag", "--list", "model@v*")
    stage = author.git("tag", "--list", "model#production*")
    runner = shared.clone(version)
    said = runner.ci(".ci/release", GITHUB_REF_NAME=version, DVC_CONFIG_LOCAL=shared.secret)
    assert str(shared.store) not in said
    path = runner.root / f"dist/model-{version.partition('@')[2]}.tar.gz"
    first = path.read_bytes()
    assert hashlib.sha256(first).hexdigest() in path.with_name(f"{path.name}.sha256").read_text()
    with tarfile.open(path) as tar:
        tar.extractall(shared.folder / "carried", filter="data")
    assert load_bundle(shared.folder / "carried" / path.name.removesuffix(".tar.gz")).signature.columns
    (runner.root / "models/champion").touch()
    runner.ci(".ci/release", CI_COMMIT_TAG=version)
    assert path.read_bytes() == first, "the same champion gives the same archive"
    runner.ci(".ci/release", TAG=stage)
    assert (runner.root / "dist/model-production-1.tar.gz").exists()
    assert "nothing to archive" in runner.ci(".ci/release", TAG="model#production!#2")
    assert "is no tag of the model" in runner.ci(".ci/release", TAG="other@v1.0.0", check=False)
    (runner.root / "models/champion/pipeline.skops").chmod(0o644)
    with (runner.root / "models/champion/pipeline.skops").open("ab") as file:
        file.write(b"x")
    assert "pipeline.skops" in runner.ci(".venv/bin/seedbed", "archive", version, check=False)


@pytest.mark.slow
def test_a_retrained_model_is_proposed_once_and_nothing_new_is_not(shared: Shared, forge: Forge) -> None:
    shared.push("main")
    runner = shared.clone("origin/main")
    runner.git("switch", "--quiet", "main")
    runner.ci(".ci/pull", DVC_CONFIG_LOCAL=shared.secret)
    assert "SEEDBED_RETRAIN is not set" in runner.ci(".ci/retrain", check=False)
    assert "nothing to propose" in runner.ci(".ci/retrain", SEEDBED_RETRAIN="repro")
    assert "nothing to propose" in runner.ci(".ci/propose", **forge.environment("GitHub"))
    assert forge.requests == []

    runner.git("switch", "--quiet", "main")
    runner.ci(".ci/retrain", SEEDBED_RETRAIN="dataset.window.end=2013-11-01 model=logistic_regression")
    said = runner.ci(".ci/propose", DVC_CONFIG_LOCAL=shared.secret, **forge.environment("GitHub"))
    said += runner.ci(".ci/propose", DVC_CONFIG_LOCAL=shared.secret, **forge.environment("GitHub"))
    assert TOKEN not in said
    assert not (runner.root / ".dvc/config.local").exists()
    (request,) = forge.requests
    assert (request["head"], request["base"]) == ("retrain", "main")
    assert "dataset.window.end" in request["body"]

    author = shared.project
    author.git("fetch", "--quiet", "origin")
    author.git("switch", "--quiet", "--track", "origin/retrain")
    assert load_yaml(author.root / "params.yaml")["dataset"]["window"]["end"] == "2013-11-01"
    author.dvc("pull", "--quiet")
    assert author.stages_run() == [], "what was trained there is here"
