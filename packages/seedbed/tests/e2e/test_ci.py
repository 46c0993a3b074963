"""The scripts of CI run here as they run there: CI=true, a fresh clone of a bare repository, a DVC remote in a folder."""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

import warm
from seedbed.comparing.pull_request import MARK
from seedbed.config.yaml_files import load_yaml
from seedbed.serving import load_bundle

from support import ENVIRONMENT, Project, stages_in

TOKEN = "tok" + "en-of-the-forge"
RETRAINER = ("-c", "user.name=retrain", "-c", "user.email=retrain@localhost")


class Shared:
    """A project, the bare repository it is pushed to, and its DVC remote, of which Git knows the name and not the place."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.project, self.folder, self.bare, self.store = (
            project,
            folder,
            folder / "origin.git",
            folder / "store",
        )
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
        (tools / "make").write_text(
            f'#!/bin/sh\nexec {shutil.which("make")} -o .venv/.installed "$@"\n'
        )
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

    def job(
        self,
        kind: str,
        name: str,
        secrets: Mapping[str, str] | None = None,
        check: bool = True,
        **environment: str,
    ) -> str:
        """Run the commands of a job as the workflow has them, with the environment that it gives each; return what they said.

        `name` is "<workflow>: <job>" on GitHub. `secrets` are what a person has set: secrets and variables.
        """
        bash, given = ("bash", "-e", "-o", "pipefail", "-c"), dict(secrets or {})
        if kind == "GitLab":
            job = yaml.safe_load((self.root / ".gitlab-ci.yml").read_text("utf-8"))[name]
            scripts = [
                (lines, given)
                for key in ("script", "after_script")
                if (lines := "\n".join(job.get(key, [])))
            ]
        else:
            workflow, _, name = name.partition(": ")
            job = yaml.safe_load((self.root / ".github/workflows" / workflow).read_text("utf-8"))[
                "jobs"
            ][name]
            scripts = [
                (step["run"], {key: _filled(value, given) for key, value in {**job.get("env", {}), **step.get("env", {})}.items()})
                for step in job["steps"]
                if "run" in step
            ]  # fmt: skip
        return "".join(
            self.ci(*bash, lines, check=check, **{**environment, **values})
            for lines, values in scripts
        )


def _filled(value: str, given: Mapping[str, str]) -> str:
    """Put values into the expressions of a workflow, such as ${{ secrets.A || secrets.B }}; what nobody has set is empty."""

    def fill(found: re.Match[str]) -> str:
        names = [name.rpartition(".")[2] for name in found[1].split(" || ")]
        return next((given[name] for name in names if name in given), "")

    return re.sub(r"\$\{\{ (.*?) \}\}", fill, value)


@pytest.fixture
def shared(project: Project, tmp_path: Path) -> Shared:
    return Shared(project, tmp_path)


class Forge:
    """GitHub's and GitLab's API, as far as .ci/forge calls it, and their Git server, which asks for the token."""

    def __init__(self, repositories: Path) -> None:
        self.repositories = repositories
        quoted = {
            "id": 1,
            "body": f"{MARK}\n\nis how it begins.",
            "user": {"login": "me"},
            "author": {"username": "me"},
        }
        self.notes: list[dict[str, Any]] = [quoted]
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

            def git(self) -> None:
                """Answer as `git http-backend` does, to whoever knows the token."""
                kind, _, known = (self.headers["Authorization"] or "").partition(" ")
                if kind != "Basic" or not base64.b64decode(known).endswith(f":{TOKEN}".encode()):
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="git"')
                    self.end_headers()
                    return
                url = urlsplit(self.path)
                length = int(self.headers["Content-Length"] or 0)
                done = subprocess.run(
                    ["git", "http-backend"],
                    input=self.rfile.read(length),
                    env={
                        "PATH": os.environ["PATH"],
                        "GIT_PROJECT_ROOT": str(forge.repositories),
                        "GIT_HTTP_EXPORT_ALL": "1",
                        "PATH_INFO": url.path.removeprefix("/git"),
                        "QUERY_STRING": url.query,
                        "REQUEST_METHOD": self.command,
                        "REMOTE_USER": "somebody",
                        "CONTENT_TYPE": self.headers["Content-Type"] or "",
                        "CONTENT_LENGTH": str(length),
                        "HTTP_CONTENT_ENCODING": self.headers["Content-Encoding"] or "",
                        "GIT_PROTOCOL": self.headers["Git-Protocol"] or "",
                    },
                    capture_output=True,
                    check=True,
                )
                head, _, content = done.stdout.partition(b"\r\n\r\n")
                headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
                self.send_response(int(headers.pop("Status", "200").split()[0]))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def do_GET(self) -> None:
                if self.path.startswith("/git/"):
                    self.git()
                    return
                forge.tokens.add(self.headers["Authorization"] or self.headers["PRIVATE-TOKEN"])
                if "denied" in str(forge.tokens):
                    self.answer({"message": "Bad credentials"}, 401)
                    return
                if self.path == "/user":
                    self.answer({"username": "project_3_bot"})
                    return
                page = int(parse_qs(urlsplit(self.path).query).get("page", ["1"])[0])
                self.answer(self.items() if page == 1 else [])

            def do_POST(self) -> None:
                if self.path.startswith("/git/"):
                    self.git()
                    return
                item = {"id": len(self.items()) + 1, **self.content()}
                item |= {
                    "user": {"login": "github-actions[bot]"},
                    "author": {"username": "project_3_bot"},
                }
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
                "GITHUB_SERVER_URL": f"{address}/git",
                "GITHUB_REPOSITORY": "me/mine",
            }
        return {
            "CI_API_V4_URL": address,
            "CI_SERVER_URL": f"{address}/git",
            "CI_PROJECT_PATH": "me/mine",
            "CI_PROJECT_ID": "3",
            "CI_MERGE_REQUEST_IID": "7",
        }

    def secrets(self, kind: str) -> dict[str, str]:
        """Return what a job that writes is given: GitHub has a token and the pull request's number for each."""
        return {"FORGE_TOKEN": TOKEN} if kind == "GitLab" else {"token": TOKEN, "number": "7"}

    def serve(self, bare: Path) -> None:
        """Serve a bare repository as that of the project."""
        (self.repositories / "me").mkdir(parents=True)
        (self.repositories / "me/mine.git").symlink_to(bare)


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    served = Forge(tmp_path / "served")
    yield served
    served.server.shutdown()
    served.server.server_close()


@pytest.mark.parametrize(
    ("kind", "job"), [("GitHub", "pull-request.yml: comment"), ("GitLab", "comment")]
)
def test_a_comment_is_made_once_and_replaced_after(
    kind: str, job: str, forge: Forge, shared: Shared
) -> None:
    runner = shared.clone("main")
    base = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": runner.git("rev-parse", "HEAD")}
    if kind == "GitLab":
        (runner.root / ".ci/forge").write_text("what the author of a merge request made of it")
    (runner.root / "reports/ci").mkdir(exist_ok=True)
    for text in ("first", "second"):
        (runner.root / "reports/ci/report.md").write_text(f"{MARK}\n\n{text}\n")
        said = runner.job(kind, job, forge.secrets(kind), **forge.environment(kind), **base)
        assert TOKEN not in said
    quoted, ours = (note["body"] for note in forge.notes)
    assert (quoted, ours) == (f"{MARK}\n\nis how it begins.", f"{MARK}\n\nsecond\n")
    assert forge.tokens == {f"Bearer {TOKEN}" if kind == "GitHub" else TOKEN}


def test_what_is_no_report_or_is_refused_is_told_without_the_token(
    forge: Forge, shared: Shared, tmp_path: Path
) -> None:
    runner, report = shared.clone("main"), tmp_path / "report.md"
    command, given = (
        (".ci/forge", "comment", str(report)),
        {"FORGE_TOKEN": TOKEN, **forge.environment("GitHub")},
    )
    assert "report.md: there is no report to show" in runner.ci(*command, check=False, **given)
    report.write_text("Buy here!\n")
    assert "report.md: this is no report" in runner.ci(*command, check=False, **given)
    report.write_text(f"{MARK}\n" + "x" * 70_000)
    said = runner.ci(*command, check=False, **{**given, "FORGE_TOKEN": "denied"})
    assert "401" in said
    assert "Bad credentials" in said
    assert "denied" not in said
    assert "FORGE_TOKEN is not set" in runner.ci(*command, check=False, GITHUB_REPOSITORY="me/mine")


@pytest.mark.parametrize(("kind", "ours"), [("GitHub", False), ("GitLab", True)])
def test_a_retrained_branch_is_sent_with_the_token_and_takes_no_commit_of_somebody_away(
    kind: str, ours: bool, forge: Forge, project: Project, tmp_path: Path
) -> None:
    project.git("clone", "--quiet", "--bare", ".", str(tmp_path / "origin.git"))
    project.git("clone", "--quiet", str(tmp_path / "origin.git"), str(tmp_path / "runner"))
    forge.serve(tmp_path / "origin.git")
    runner = Runner(tmp_path / "runner")
    (runner.root / ".venv").symlink_to(ENVIRONMENT)
    # GitLab's runner keeps a token in the address that may only read.
    address = forge.environment("GitLab")["CI_SERVER_URL"].replace(
        "//", "//gitlab-ci-token:may-only-read@"
    )
    runner.git("remote", "set-url", "origin", f"{address}/me/mine.git")
    (runner.root / "reports/ci").mkdir(exist_ok=True)
    (runner.root / "reports/ci/report.md").write_text(f"{MARK}\n")
    project.git("switch", "--quiet", "--create", "retrain")
    project.git(
        *(RETRAINER if ours else ()), "commit", "--quiet", "--allow-empty", "--message", "last week"
    )
    project.git("push", "--quiet", str(tmp_path / "origin.git"), "retrain")
    runner.git("switch", "--quiet", "--create", "retrain")
    runner.git(*RETRAINER, "commit", "--quiet", "--allow-empty", "--message", "this week")

    for _ in range(2):
        said = runner.ci(".ci/propose", FORGE_TOKEN=TOKEN, **forge.environment(kind))
        assert TOKEN not in said
    assert ("tester@example.org, and is left as it is" in said) == (not ours)
    (request,) = forge.requests
    branch = request["head" if kind == "GitHub" else "source_branch"]
    assert re.fullmatch("retrain" if ours else r"retrain-\d{4}-\d\d-\d\d", branch)
    heads = dict(
        line.split("\t")[::-1]
        for line in project.git("ls-remote", str(tmp_path / "origin.git")).splitlines()
    )
    assert heads[f"refs/heads/{branch}"] == runner.git("rev-parse", "HEAD")
    assert (heads["refs/heads/retrain"] == project.git("rev-parse", "HEAD")) == (not ours)


def test_a_target_that_is_not_there_is_told(shared: Shared) -> None:
    said = shared.clone("main").ci(".ci/target", check=False, TARGET="orgin/main")
    assert said.startswith("TARGET: there is no commit orgin/main here.")


def test_credentials_are_there_only_while_the_command_runs(shared: Shared) -> None:
    runner = shared.clone("main")
    look = 'cat .dvc/config.local; stat -c %a .dvc/config.local; echo "in the environment: ${DVC_CONFIG_LOCAL-nothing}"; exit 3'
    said = runner.ci(
        ".ci/with-remote", "sh", "-c", look, check=False, DVC_CONFIG_LOCAL=shared.secret
    )
    assert said == f"{shared.secret}\n600\nin the environment: nothing\n"
    assert not (runner.root / ".dvc/config.local").exists()
    own = runner.root / ".dvc/config.local"
    own.write_text("[core]\n")
    assert "unset DVC_CONFIG_LOCAL" in runner.ci(
        ".ci/with-remote", "true", check=False, DVC_CONFIG_LOCAL="x"
    )
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
    summary = shared.folder / "summary.md"
    given = {"GITHUB_BASE_REF": "main", "GITHUB_STEP_SUMMARY": str(summary)}
    known = {"server_url": "https://forge", "repository": "me/mine", "run_id": "1"}
    said = runner.job(
        "GitHub",
        "pull-request.yml: pipeline",
        {"DVC_CONFIG_LOCAL": shared.secret, **known},
        **given,
    )
    assert str(shared.store) not in said
    assert not (runner.root / ".dvc/config.local").exists()
    assert stages_in(said) == []

    report = (runner.root / "reports/ci/report.md").read_text(encoding="utf-8")
    assert summary.read_text(encoding="utf-8") == report
    assert report.startswith(f"{MARK}\n\n## What this branch changes against main\n")
    assert "not in step" not in report
    before, after = (
        json.loads(author.git("show", f"{branch}:reports/evaluate/metrics.json"))["test"]["roc_auc"]
        for branch in ("main", "change")
    )
    better, worse = ("this branch", "main") if after > before else ("main", "this branch")
    assert f"{better} is better than {worse} by {abs(after - before):.4g}" in report
    assert "95 % interval on the" in report
    assert re.search(
        r"\| model.name +\| hist_gradient_boosting +\| logistic_regression +\|", report
    )
    assert "models/model" in report
    assert "(https://forge/me/mine/actions/runs/1)" in report
    assert (runner.root / "reports/ci/compare.html").read_text(encoding="utf-8").count("<svg") >= 4
    assert runner.git("status", "--porcelain") == ""


@pytest.mark.slow
def test_a_fork_without_secrets_computes_and_what_its_author_did_not_run_is_said(
    shared: Shared,
) -> None:
    author = shared.project
    author.edit("conf/config.yaml", "seed: 0", "seed: 1")
    author.git("switch", "--quiet", "-c", "change")
    author.commit("another seed, not run")
    author.git("push", "--quiet", "origin", "change", "main")
    runner = shared.clone("origin/change")
    given = {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "CI_JOB_URL": "https://lab/job/2"}
    said = runner.job("GitLab", "pipeline", **given)
    assert "the pipeline computes" in said
    assert "train" in stages_in(said)
    report = (runner.root / "reports/ci/report.md").read_text(encoding="utf-8")
    assert (
        "**dvc.lock of this branch is not in step:** compose, train, evaluate, gate, package ran here"
        in report
    )
    assert re.search(r"\| seed +\| 0 +\| 1 +\|", report)
    assert "(https://lab/job/2/artifacts/browse/reports/ci)" in report


@pytest.mark.slow
def test_where_the_champion_cannot_be_had_all_but_the_comparison_is_reported(
    shared: Shared,
) -> None:
    author = shared.project
    author.run("seedbed", "promote")
    shared.push("main")
    champion = yaml.safe_load((author.root / "models/champion.dvc").read_text())["outs"][0]["md5"]
    (shared.store / "files/md5" / champion[:2] / champion[2:]).unlink()
    runner = shared.clone("origin/main")
    given = {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "CI_JOB_URL": "https://lab/job/2"}
    said = runner.job("GitLab", "pipeline", {"DVC_CONFIG_LOCAL": shared.secret}, **given)
    assert "Stage 'evaluate' didn't change" in said
    assert "'gate'" not in said
    report = (runner.root / "reports/ci/report.md").read_text(encoding="utf-8")
    assert "**Not compared: no access to the champion.**" in report
    assert "The pipeline stopped" not in report


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
    said = runner.job(
        "GitHub",
        "release.yml: archive",
        {"DVC_CONFIG_LOCAL": shared.secret},
        GITHUB_REF_NAME=version,
    )
    assert str(shared.store) not in said
    path = runner.root / f"dist/model-{version.partition('@')[2]}.tar.gz"
    first = path.read_bytes()
    assert hashlib.sha256(first).hexdigest() in path.with_name(f"{path.name}.sha256").read_text()
    with tarfile.open(path) as tar:
        tar.extractall(shared.folder / "carried", filter="data")
    assert load_bundle(
        shared.folder / "carried" / path.name.removesuffix(".tar.gz")
    ).signature.columns
    runner.git("checkout", "--quiet", "--detach", "HEAD~1")
    secret = {"DVC_CONFIG_LOCAL": shared.secret}
    runner.job("GitLab", "archive", secret, CI_COMMIT_TAG=version)
    assert path.read_bytes() == first, "the same champion gives the same archive, in any commit"
    runner.ci(".ci/release", TAG=stage, **secret)
    assert (runner.root / "dist/model-production-1.tar.gz").exists()
    assert "nothing to archive" in runner.ci(".ci/release", TAG="model#production!#2")
    assert "is no tag of the model" in runner.ci(".ci/release", TAG="other@v1.0.0", check=False)
    assert "model@v9.0.0" in runner.ci(".ci/release", TAG="model@v9.0.0", check=False)


@pytest.mark.slow
def test_a_retrained_model_is_proposed_once_and_nothing_new_is_not(
    shared: Shared, forge: Forge
) -> None:
    shared.push("main")
    forge.serve(shared.bare)
    runner = shared.clone("origin/main")
    runner.git("switch", "--quiet", "main")
    runner.ci(".ci/pull", DVC_CONFIG_LOCAL=shared.secret)
    assert "SEEDBED_RETRAIN is not set" in runner.ci(".ci/retrain", check=False)
    assert "nothing to propose" in runner.ci(".ci/retrain", SEEDBED_RETRAIN="repro")
    assert "nothing to propose" in runner.ci(
        ".ci/propose", FORGE_TOKEN=TOKEN, **forge.environment("GitHub")
    )
    assert forge.requests == []

    runner.git("switch", "--quiet", "main")
    set_here = {
        "SEEDBED_RETRAIN": "dataset.window.end=2013-11-01\nmodel=logistic_regression",
        "ref_name": "main",
        "token": TOKEN,
    }
    # What reads is not given what writes.
    kept = {"DVC_CONFIG_LOCAL": "[core]", "DVC_CONFIG_LOCAL_WRITE": shared.secret}
    said = runner.job(
        "GitHub", "retrain.yml: retrain", {**set_here, **kept}, **forge.environment("GitHub")
    )
    said += runner.ci(
        ".ci/propose",
        DVC_CONFIG_LOCAL=shared.secret,
        FORGE_TOKEN=TOKEN,
        **forge.environment("GitHub"),
    )
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
