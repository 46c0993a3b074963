"""Real copies of the repository, in which the tests run real commands."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from _pytest.mark.structures import ParameterSet
from filelock import FileLock
from omegaconf import OmegaConf

import warm
from seedbed.config.compose import compose_text
from seedbed.config.params import check_params
from seedbed.config.schema import Params
from seedbed.data.cleaning import clean_values
from seedbed.data.roles import row_key
from seedbed.data.tables import read_table
from seedbed.serving import load_bundle

REPOSITORY = Path(__file__).parents[3]
ENVIRONMENT = Path(sys.prefix)
EXPERIMENTS = {"linear": "model=logistic_regression", "second": "seed=2"}
"""The experiments of the fixture `explored`, each with the one choice that sets it apart."""
STATED_PROBLEM = {"question": "Late?", "task": "binary", "metric": "roc_auc"}
"""A problem as params.yaml states one."""
LONG = "LONG" in os.environ
"""`LONG=1 make test-slow`: as many kills and generated cases as a figure needs, and every model with every task."""
TASKS = ("flights", "wine", "diabetes")
"""Datasets of this repository, one of each kind of problem."""
PAIRS = [
    (task, path.stem)
    for place, path in enumerate(sorted((REPOSITORY / "conf/model").glob("*.yaml")))
    for task in (TASKS if LONG else TASKS[place % 3 :][:1])
]
"""Each model with a task, or with all."""
LIMIT = 240
"""Seconds after which a command counts as hanging, and is stopped with all that it started."""


class Project:
    """A copy of the repository in a folder of its own, with its own Git history and DVC cache."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(
        self,
        *command: str,
        check: bool = True,
        cwd: Path | None = None,
        limit: float = LIMIT,
        unaided: bool = False,
        **environment: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment in the copy; its output is in .stdout, errors included.

        Unless `unaided`, stages find their packages imported, and so do `dvc` and `seedbed` where little is changed in the
        environment.
        """
        own = ("DVC_", "PYTHON", "VIRTUAL_ENV")
        inherited = {k: value for k, value in os.environ.items() if not k.startswith(own)}
        name = command[0]
        if name in ("dvc", "seedbed", "python"):
            command = (str(self.root / ".venv/bin" / name), *command[1:])
        variables = {**inherited, **({} if unaided else warm.warm()), **environment}
        if not unaided and warm.can_run(name, environment):
            words, variables = warm.forked(command, variables)
        else:
            words = list(command)
        try:
            code, printed = _run(words, cwd or self.root, variables, limit)
        except TimeoutError as error:
            took = f"{' '.join(command)} took more than {limit} s:\n{error}"
            raise AssertionError(took) from None
        if check and code != 0:
            raise AssertionError(f"{' '.join(command)} exited with {code}:\n{printed}")
        return subprocess.CompletedProcess(command, code, printed)

    @property
    def active(self) -> dict[str, str]:
        """What activating the environment changes; DVC starts the worker of its queue by looking on the PATH."""
        return {"PATH": f"{self.root}/.venv/bin:{os.environ['PATH']}"}

    def make(self, *arguments: str, check: bool = True) -> str:
        """Run a target of the Makefile; the environment, which all copies share, is not installed again."""
        return self.run("make", "-o", ".venv/.installed", *arguments, check=check).stdout

    def dvc(self, *arguments: str, **options: object) -> str:
        """Run DVC; return what it printed."""
        return self.run("dvc", *arguments, **options).stdout  # type: ignore[arg-type]

    def git(self, *arguments: str) -> str:
        """Run Git; return what it printed, stripped."""
        return self.run("git", *arguments).stdout.strip()

    def experiments(self) -> dict[str, str]:
        """Return the Git reference of each experiment by its name; where a name is there twice, of one of them."""
        refs = self.git("for-each-ref", "--format=%(refname)", "refs/exps").splitlines()
        own = ("refs/exps/exec", "refs/exps/celery")
        return {ref.rpartition("/")[2]: ref for ref in refs if not ref.startswith(own)}

    def experiment_commits(self) -> dict[str, str]:
        """Return the commit of each experiment by its name."""
        return {name: self.git("rev-parse", ref) for name, ref in self.experiments().items()}

    def experiment_file(self, name: str, file: str) -> str:
        """Return a file as the experiment `name` recorded it."""
        return self.git("show", f"{self.experiments()[name]}:{file}")

    def commit(self, message: str = "change") -> None:
        """Commit everything."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)

    def refused(self, *command: str, **options: object) -> str:
        """Run a command that must fail; return what it printed, which must not be a traceback."""
        done = self.run(*command, check=False, **options)  # type: ignore[arg-type]
        assert done.returncode != 0, f"{' '.join(command)} was expected to fail:\n{done.stdout}"
        assert "Traceback" not in done.stdout, done.stdout
        return done.stdout

    def stages_run(self, *arguments: str, **options: object) -> list[str]:
        """Run ``dvc repro``; return the names of the stages that were really executed, in order."""
        return stages_in(self.dvc("repro", *arguments, **options))

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace text in a file; the old text must be there."""
        path = self.root / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} does not hold {old!r}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")


def _run(
    command: Sequence[str], folder: Path, environment: dict[str, str], limit: float
) -> tuple[int, str]:
    """Run a command; return its exit code and what it printed."""
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            printed, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            printed, _ = process.communicate()
            raise TimeoutError(printed) from None
    return process.returncode, printed


def wait_for(what: Callable[[], object], why: str, limit: float = 20) -> None:
    """Wait until something is so; fail with the reason after `limit` seconds."""
    deadline = time.monotonic() + limit
    while not what():
        assert time.monotonic() < deadline, why
        time.sleep(0.05)


@contextmanager
def started(
    command: Sequence[str | Path], log: Path, cwd: Path | None = None, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a process group of its own, what it prints going to a log; end it with all that it started."""
    with (
        log.open("ab") as written,
        subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def slow_after(count: int, cases: Sequence[Any]) -> list[Any]:
    """Return cases for `pytest.mark.parametrize`, those after the first `count` marked as slow."""
    found = list(cases[:count])
    for case in cases[count:]:
        values = case.values if isinstance(case, ParameterSet) else case
        values = values if isinstance(values, tuple) else (values,)
        named = case.id if isinstance(case, ParameterSet) else None
        found.append(pytest.param(*values, marks=pytest.mark.slow, id=named))
    return found


def made_once(folder: Path, name: str, make: Callable[[Path], None]) -> Path:
    """Return the repository `name` of a folder that all workers of a session share, made by whichever asks first."""
    target, done = folder / name, folder / f"{name}.done"
    with FileLock(folder / f"{name}.lock"):
        if not done.exists():
            shutil.rmtree(target, ignore_errors=True)
            make(target)
            done.touch()
    return target


def copied(source: Path, target: Path) -> Project:
    """Copy a repository, history and cache included."""
    target.mkdir(parents=True)
    # Most of the long tests begin with it, and shutil.copytree takes four times as long.
    subprocess.run(["cp", "-a", f"{source}/.", target], check=True)
    return Project(target)


def state(project: Project) -> list[str]:
    """Return all that a sweep must leave as it was: HEAD, branch, index, work tree, stash."""
    asked = "rev-parse HEAD,symbolic-ref HEAD,diff --cached,diff,status --porcelain,stash list"
    return [project.git(*question.split()) for question in asked.split(",")]


def lock_up_to_train(project: Project, commit: str) -> dict:
    """Return what a commit's dvc.lock holds of the stages that a sweep runs."""
    stages = yaml.load(project.git("show", f"{commit}:dvc.lock"), yaml.CSafeLoader)["stages"]
    names = ("code", "compose", "ingest", "validate", "clean", "featurize", "train")
    return {name: stages[name] for name in names}


def sign_again(folder: Path, **changed: object) -> None:
    """Change bundle.json as somebody who knows its format would."""
    about = {**json.loads((folder / "bundle.json").read_text()), **changed}
    about.pop("sha256")
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
    (folder / "bundle.json").write_text(json.dumps({**about, "sha256": digest}))


def composed(*overrides: str) -> Params:
    """Return conf/ of this repository composed with the overrides, typed; the working directory must be inside it."""
    values = OmegaConf.to_container(OmegaConf.create(compose_text(REPOSITORY, list(overrides))))
    return check_params(values, REPOSITORY)  # type: ignore[arg-type]


EVERY_STAGE = [
    "compose", "ingest", "validate", "explore", "clean", "featurize", "train", "evaluate", "gate",
    "package",
]  # fmt: skip
"""What runs where nothing has run; stage code only where its fingerprints do not fit."""


def stages_in(output: str) -> list[str]:
    """Return the stages that DVC says it ran."""
    return re.findall(r"^Running stage '(.*?)'", output, re.MULTILINE)


def copy_repository(target: Path) -> Project:
    """Copy what Git tracks here, as it is in the work tree now, into a new repository with one commit."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=REPOSITORY, capture_output=True, check=True).stdout
    for name in names.decode().split("\0"):
        source = REPOSITORY / name
        if name and source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)
    (target / ".venv").symlink_to(ENVIRONMENT)
    project = Project(target)
    project.git("init", "--quiet", "--initial-branch=main")
    project.git("config", "user.name", "Tester")
    project.git("config", "user.email", "tester@example.org")
    project.commit("begin")
    return project


class Served:
    """The bundle of a repository, the raw rows of its test set, and what `evaluate` recorded for them.

    Attributes
    ----------
    bundle : Bundle
    rows : DataFrame
        Raw rows, indexed by the row's key.
    recorded : DataFrame
        data/predictions, indexed by the row's key.
    """

    def __init__(self, root: Path) -> None:
        self.bundle = load_bundle(root / "models/bundle")
        recipe = self.bundle.recipe
        raw = read_table(root / "data/raw")
        key = row_key(clean_values(raw, recipe.columns, recipe.cleaning), recipe.columns)
        self.recorded = read_table(root / "data/predictions").set_index("_row")
        raw = raw.set_index(key)
        self.rows = raw[raw.index.isin(self.recorded.index) & ~raw.index.duplicated()]

    def disagreements(self) -> list[str]:
        """Return the columns in which an answer to a raw row is not, to the last bit, what was recorded."""
        answers = self.bundle.predict(self.rows).add_prefix("_").reindex(self.recorded.index)
        return [
            f"{name}: {(answers[name] != self.recorded[name]).sum()} rows"
            for name in answers.columns
            if not (answers[name] == self.recorded[name]).all()
        ]


def output_hash(root: Path, stage: str, path: str) -> str:
    """Return the hash that dvc.lock holds for one output of a stage."""
    outs = OmegaConf.load(root / "dvc.lock").stages[stage].outs
    return next(out.md5 for out in outs if out.path == path)


def outputs(root: Path) -> dict[str, str]:
    """Return the hash of every file that the graph's outputs hold in the work tree."""
    stages = OmegaConf.load(root / "dvc.lock").stages
    paths = [out.path for stage in stages.values() for out in stage.get("outs", [])]
    return {name: md5 for path in paths for name, md5 in file_hashes(root, path).items()}


def file_hashes(root: Path, path: str) -> dict[str, str]:
    """Return the hash of a file or of every file of a folder, by their paths below the root."""
    files = [root / path, *sorted((root / path).rglob("*"))]
    return {
        file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.is_file()
    }
