"""The scripts of CI run here as they run there: CI=true, a fresh clone of a bare repository, a DVC remote in a folder."""

import hashlib
import json
import re
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

import warm
from forge import QUOTED, TOKEN, Forge, serving
from seedbed.comparing.pull_request import MARK
from seedbed.config.yaml_files import load_yaml
from seedbed.serving import load_bundle

from support import ENVIRONMENT, Project, stages_in

RETRAINER = ("-c", "user.name=retrain", "-c", "user.email=retrain@localhost")
REPORT = "reports/ci/report.md"
ON_GITLAB = {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "CI_JOB_URL": "https://lab/job/2"}


class Runner(Project):
    """A fresh clone in which a job of CI runs, in the environment that all copies share."""

    @classmethod
    def cloned(cls, bare: Path, target: Path, revision: str = "main") -> "Runner":
        """Clone a bare repository as a runner does, at a revision."""
        runner = cls(target)
        runner.run("git", "clone", "--quiet", str(bare), str(target), cwd=bare.parent)
        (target / ".venv").symlink_to(ENVIRONMENT)
        runner.git("checkout", "--quiet", "--detach", revision)
        (target / "reports/ci").mkdir(exist_ok=True)
        return runner

    @property
    def report(self) -> str:
        """The report of the pipeline."""
        return (self.root / REPORT).read_text(encoding="utf-8")

    def ci(self, *command: str, check: bool = True, **environment: str) -> str:
        """Run a script of .ci with an environment of nothing but what is given; return its output.

        As in the other tests, stages find their packages imported.
        """
        tools = self.root.parent / "tools"
        tools.mkdir(exist_ok=True)
        make = f'#!/bin/sh\nexec {shutil.which("make")} -o .venv/.installed "$@"\n'
        (tools / "make").write_text(make)
        (tools / "make").chmod(0o755)
        path, home = f"{tools}:/usr/local/bin:/usr/bin:/bin", str(self.root.parent)
        given = {"PATH": path, "HOME": home, "CI": "true", **warm.warm(), **environment}
        words = ["env", "-i", *(f"{name}={value}" for name, value in given.items()), *command]
        done = self.run(*words, check=False)
        assert "Traceback" not in done.stdout, done.stdout
        assert (done.returncode == 0) == check, done.stdout
        assert TOKEN not in done.stdout
        return done.stdout

    def job(self, name: str, secrets: Mapping[str, str] | None = None, **environment: str) -> str:
        """Run the commands of a job as its workflow has them; return their output.

        Parameters
        ----------
        name : str
            "<workflow>: <job>" on GitHub, "<job>" on GitLab.
        secrets : dict
            The secrets and variables that a person has set.
        **environment : str
            What a run finds there.
        """
        given = dict(secrets or {})
        if ": " in name:
            workflow, _, name = name.partition(": ")
            text = (self.root / ".github/workflows" / workflow).read_text("utf-8")
            job = yaml.safe_load(text)["jobs"][name]
            steps = [
                (step["run"], {**job.get("env", {}), **step.get("env", {})})
                for step in job["steps"]
                if "run" in step
            ]
            scripts = [(run, {k: _filled(v, given) for k, v in env.items()}) for run, env in steps]
        else:
            job = yaml.safe_load((self.root / ".gitlab-ci.yml").read_text("utf-8"))[name]
            parts = (job.get(key, []) for key in ("script", "after_script"))
            scripts = [("\n".join(lines), given) for lines in parts if lines]
        bash = ("bash", "-e", "-o", "pipefail", "-c")
        return "".join(self.ci(*bash, run, **environment, **values) for run, values in scripts)


def _filled(value: str, given: Mapping[str, str]) -> str:
    """Put values into the expressions of a workflow, such as ${{ secrets.A || secrets.B }}."""

    def fill(found: re.Match[str]) -> str:
        names = [name.rpartition(".")[2] for name in found[1].split(" || ")]
        return next((given[name] for name in names if name in given), "")

    return re.sub(r"\$\{\{ (.*?) \}\}", fill, value)


class Shared:
    """A project, the bare repository it is pushed to, and its DVC remote, of which Git knows the name and not the place."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.project, self.folder = project, folder
        self.bare, self.store = folder / "origin.git", folder / "store"
        self.store.mkdir()
        project.dvc("remote", "add", "--default", "store", str(folder / "nowhere"))
        project.commit("name the remote")
        project.dvc("remote", "modify", "--local", "store", "url", str(self.store))
        project.git("clone", "--quiet", "--bare", ".", str(self.bare))
        project.git("remote", "add", "origin", str(self.bare))
        # What a person puts into the secret of this name.
        self.secret = {"DVC_CONFIG_LOCAL": f"['remote \"store\"']\n    url = {self.store}"}

    def push(self, *what: str) -> None:
        self.project.dvc("push", "--quiet")
        self.project.git("push", "--quiet", "origin", *what)

    def clone(self, revision: str = "main") -> Runner:
        return Runner.cloned(self.bare, self.folder / "runner", revision)


@pytest.fixture
def shared(project: Project, tmp_path: Path) -> Shared:
    return Shared(project, tmp_path)


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    with serving(tmp_path / "served") as forge:
        yield forge


@pytest.mark.parametrize(
    ("kind", "job"), [("GitHub", "pull-request.yml: comment"), ("GitLab", "comment")]
)
def test_a_comment_is_made_once_and_replaced_after(
    kind: str, job: str, forge: Forge, shared: Shared
) -> None:
    runner = shared.clone()
    base = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": runner.git("rev-parse", "HEAD")}
    if kind == "GitLab":
        (runner.root / ".ci/forge").write_text("what the author of a merge request made of it")
    for text in ("first", "second"):
        (runner.root / REPORT).write_text(f"{MARK}\n\n{text}\n")
        runner.job(job, forge.secrets(kind), **forge.environment(kind), **base)
    assert [note["body"] for note in forge.notes] == [QUOTED, f"{MARK}\n\nsecond\n"]
    assert forge.tokens == {f"Bearer {TOKEN}" if kind == "GitHub" else TOKEN}


def test_a_script_that_cannot_do_its_work_names_the_reason(forge: Forge, shared: Shared) -> None:
    runner, report = shared.clone(), shared.folder / "report.md"
    comment = (".ci/forge", "comment", str(report))
    given = {"FORGE_TOKEN": TOKEN, **forge.environment("GitHub")}
    assert "report.md: there is no report to show" in runner.ci(*comment, check=False, **given)
    report.write_text("Buy here!\n")
    assert "report.md: this is no report" in runner.ci(*comment, check=False, **given)
    report.write_text(f"{MARK}\n" + "x" * 70_000)
    refused = runner.ci(*comment, check=False, **{**given, "FORGE_TOKEN": "denied"})
    assert re.search(r"401 [^\n]*Bad credentials", refused)
    assert "denied" not in refused
    assert "FORGE_TOKEN is not set" in runner.ci(*comment, check=False, GITHUB_REPOSITORY="me/mine")
    refused = runner.ci(".ci/target", check=False, TARGET="orgin/main")
    assert refused.startswith("TARGET: there is no commit orgin/main here.")


@pytest.mark.parametrize(("kind", "ours"), [("GitHub", False), ("GitLab", True)])
def test_a_retrained_branch_is_sent_with_the_token_and_takes_no_commit_of_somebody_away(
    kind: str, ours: bool, forge: Forge, project: Project, tmp_path: Path
) -> None:
    bare = tmp_path / "origin.git"
    project.git("clone", "--quiet", "--bare", ".", str(bare))
    forge.serve(bare)
    runner = Runner.cloned(bare, tmp_path / "runner")
    # GitLab's runner keeps a token in the address that may only read.
    address = forge.environment("GitLab")["CI_SERVER_URL"].replace("//", "//token:reads-only@")
    runner.git("remote", "set-url", "origin", f"{address}/me/mine.git")
    (runner.root / REPORT).write_text(f"{MARK}\n")
    commit = ("commit", "--quiet", "--allow-empty", "--message")
    project.git("switch", "--quiet", "--create", "retrain")
    project.git(*(RETRAINER if ours else ()), *commit, "last week")
    project.git("push", "--quiet", str(bare), "retrain")
    runner.git("switch", "--quiet", "--create", "retrain")
    runner.git(*RETRAINER, *commit, "this week")

    for _ in range(2):
        printed = runner.ci(".ci/propose", FORGE_TOKEN=TOKEN, **forge.environment(kind))
    assert ("tester@example.org, and is left as it is" in printed) == (not ours)
    (request,) = forge.requests
    branch = request["head" if kind == "GitHub" else "source_branch"]
    assert re.fullmatch("retrain" if ours else r"retrain-\d{4}-\d\d-\d\d", branch)
    sent = project.run("git", "rev-parse", branch, "retrain", cwd=bare).stdout.split()
    last, this = (each.git("rev-parse", "HEAD") for each in (project, runner))
    assert sent == [this, this if ours else last]


def test_credentials_are_there_only_while_the_command_runs(shared: Shared) -> None:
    runner, own = shared.clone(), shared.folder / "runner/.dvc/config.local"
    look = 'cat .dvc/config.local; stat -c %a .dvc/config.local; echo "${DVC_CONFIG_LOCAL-none}"; exit 3'
    printed = runner.ci(".ci/with-remote", "sh", "-c", look, check=False, **shared.secret)
    assert printed == f"{shared.secret['DVC_CONFIG_LOCAL']}\n600\nnone\n"
    assert not own.exists()
    own.write_text("[core]\n")
    refused = runner.ci(".ci/with-remote", "true", check=False, DVC_CONFIG_LOCAL="x")
    assert "unset DVC_CONFIG_LOCAL" in refused
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

    runner, summary = shared.clone("origin/change"), shared.folder / "summary.md"
    known = {"server_url": "https://forge", "repository": "me/mine", "run_id": "1"}
    given = {"GITHUB_BASE_REF": "main", "GITHUB_STEP_SUMMARY": str(summary)}
    printed = runner.job("pull-request.yml: pipeline", {**shared.secret, **known}, **given)
    assert str(shared.store) not in printed
    assert not (runner.root / ".dvc/config.local").exists()
    assert stages_in(printed) == []

    report = runner.report
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
    names = r"\| model.name +\| hist_gradient_boosting +\| logistic_regression +\|"
    assert re.search(names, report)
    assert "models/model" in report
    assert "(https://forge/me/mine/actions/runs/1)" in report
    assert (runner.root / "reports/ci/compare.html").read_text(encoding="utf-8").count("<svg") >= 4
    assert runner.git("status", "--porcelain") == ""


@pytest.mark.slow
def test_a_fork_without_secrets_computes_and_what_its_author_did_not_run_is_named(
    shared: Shared,
) -> None:
    author = shared.project
    author.edit("conf/config.yaml", "seed: 0", "seed: 1")
    author.git("switch", "--quiet", "-c", "change")
    author.commit("another seed, not run")
    author.git("push", "--quiet", "origin", "change", "main")
    runner = shared.clone("origin/change")
    printed = runner.job("pipeline", **ON_GITLAB)
    assert "the pipeline computes" in printed
    assert "train" in stages_in(printed)
    reran = "compose, train, evaluate, gate, package ran here"
    assert f"**dvc.lock of this branch is not in step:** {reran}" in runner.report
    assert re.search(r"\| seed +\| 0 +\| 1 +\|", runner.report)
    assert "(https://lab/job/2/artifacts/browse/reports/ci)" in runner.report


@pytest.mark.slow
def test_where_the_champion_cannot_be_had_all_but_the_comparison_is_reported(
    shared: Shared,
) -> None:
    author = shared.project
    author.run("seedbed", "promote")
    shared.push("main")
    champion = load_yaml(author.root / "models/champion.dvc")["outs"][0]["md5"]
    (shared.store / "files/md5" / champion[:2] / champion[2:]).unlink()
    runner = shared.clone()
    printed = runner.job("pipeline", shared.secret, **ON_GITLAB)
    assert "Stage 'evaluate' didn't change" in printed
    assert "'gate'" not in printed
    assert "**Not compared: no access to the champion.**" in runner.report
    assert "The pipeline stopped" not in runner.report


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
    assert "**The pipeline stopped:**" in runner.report
    assert "split.folds is &#x27;&lt;b&gt;&#x27;" in runner.report


@pytest.mark.slow
def test_a_tag_of_the_registry_becomes_an_archive_that_loads(shared: Shared) -> None:
    author = shared.project
    author.run("seedbed", "promote")
    shared.push("main", "--tags")
    version = author.git("tag", "--list", "model@v*")
    runner = shared.clone(version)
    printed = runner.job("release.yml: archive", shared.secret, GITHUB_REF_NAME=version)
    assert str(shared.store) not in printed
    path = runner.root / f"dist/model-{version.partition('@')[2]}.tar.gz"
    first = path.read_bytes()
    assert hashlib.sha256(first).hexdigest() in path.with_name(f"{path.name}.sha256").read_text()
    carried = shared.folder / "carried"
    with tarfile.open(path) as tar:
        tar.extractall(carried, filter="data")
    assert load_bundle(carried / path.name.removesuffix(".tar.gz")).signature.columns
    runner.git("checkout", "--quiet", "--detach", "HEAD~1")
    runner.job("archive", shared.secret, CI_COMMIT_TAG=version)
    assert path.read_bytes() == first, "the same champion gives the same archive, in any commit"
    stage = author.git("tag", "--list", "model#production*")
    runner.ci(".ci/release", TAG=stage, **shared.secret)
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
    propose = {"FORGE_TOKEN": TOKEN, **forge.environment("GitHub")}
    runner = shared.clone()
    runner.git("switch", "--quiet", "main")
    runner.ci(".ci/pull", **shared.secret)
    assert "SEEDBED_RETRAIN is not set" in runner.ci(".ci/retrain", check=False)
    assert "nothing to propose" in runner.ci(".ci/retrain", SEEDBED_RETRAIN="repro")
    assert "nothing to propose" in runner.ci(".ci/propose", **propose)
    assert forge.requests == []

    runner.git("switch", "--quiet", "main")
    retrain = "dataset.window.end=2013-11-01\nmodel=logistic_regression"
    # What reads is not given what writes.
    stores = {
        "DVC_CONFIG_LOCAL": "[core]",
        "DVC_CONFIG_LOCAL_WRITE": shared.secret["DVC_CONFIG_LOCAL"],
    }
    given = {"SEEDBED_RETRAIN": retrain, "ref_name": "main", "token": TOKEN, **stores}
    runner.job("retrain.yml: retrain", given, **forge.environment("GitHub"))
    runner.ci(".ci/propose", **shared.secret, **propose)
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
