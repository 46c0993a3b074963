"""Zygotes for the tests' repositories: packages are imported once a worker, and commands and stages are forks.

Stages take twice as long to import what they stand on as to work on a few thousand rows, and `dvc` and `seedbed` longer
than to do their work in a small repository. DVC starts stages with their own command as always, src/stage.sh, which
hands them over as it does in a sweep; their code is that of their own repository: what was imported of seedbed is used
where the repository's files of it are the same, byte for byte.
"""

import atexit
import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from tempfile import mkdtemp

from seedbed.sweeps import zygote
from seedbed.sweeps.repro import DURING, FROM_THE_START, own_files, run_with_its_own_code

SOURCE = "packages/seedbed/src"

SCRIPTS = {"dvc": "dvc.cli", "seedbed": "seedbed.__main__"}
"""The commands that are forked, and the modules whose `main` they call."""
IMPORTED_BY_COMMANDS = (
    *SCRIPTS.values(), "dvc.api", "dvc.commands.experiments", "dvc.commands.repro", "dvc.commands.status", "dvc.dependency.param",
    "dvc.repo.experiments", "dvc.repo.experiments.queue.workspace", "dvc.repo.experiments.queue.tempdir", "dvc.repo.reproduce",
    "dvc.repo.graph", "dvc.repo.index", "dvc.repo.worktree", "dvc.repo.fetch", "dvc.repo.push", "dvc.stage.cache",
    "dvc.stage.run", "dvc.render", "dvc_data.hashfile.checkout", "dvc_data.hashfile.transfer", "dvc_data.index.checkout",
    "dvc_data.index.fetch", "dvc_data.index.push", "dvc_data.index.save", "dvc_data.index.view",
    "dvc_objects.fs.generic", "dvc_s3", "s3fs", "aiobotocore.session", "dvc_ssh", "sshfs", "scmrepo.git", "dulwich.porcelain",
    "pygit2", "networkx", "ruamel.yaml", "hydra.core.override_parser",
    "dvc.utils.hydra", "gto", "pydantic.main", "seedbed.config.compose", "seedbed.config.adopt", "seedbed.config.params",
    "seedbed.config.resolve", "seedbed.doctor", "seedbed.remotes.sync", "seedbed.consistency",
)  # fmt: skip
COMMAND = "WARM_COMMAND"
READ_LATE = ("HOME", "DVC_SITE_CACHE_DIR")
"""Variables that are read when they are needed, as S3's are, and not as a package is imported."""


@cache
def warm() -> dict[str, str]:
    """Return the environment in which stages of any repository start warm; the zygote ends with this process."""
    return _started("stages") if sys.platform == "linux" else {}


def can_run(name: str, changed: Iterable[str] = ()) -> bool:
    """Whether a command can be forked with these variables changed, and no test has changed others."""
    late = all(variable in READ_LATE or variable.startswith("AWS_") for variable in changed)
    return late and sys.platform == "linux" and name in SCRIPTS and _environment() == before_tests()


def forked(
    command: Sequence[str], environment: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """Return the command that has a fork do what a command does, and the environment to start it in."""
    request = json.dumps({"command": command, "environment": dict(environment)})
    found, name = _commands(), Path(command[0]).name
    return [sys.executable, "-I", "-S", found["SEEDBED_CLIENT"], name], {**found, COMMAND: request}


@cache
def _commands() -> dict[str, str]:
    """Start the zygote of commands; return how it is found."""
    return _started("commands")


def _started(what: str) -> dict[str, str]:
    """Start a zygote that ends with this process; return the environment in which it is found."""
    here = Path(mkdtemp(prefix="warm-"))
    atexit.register(shutil.rmtree, here, ignore_errors=True)
    (here / "src").symlink_to(_repository() / SOURCE)  # PYTHONPATH of a zygote
    started = zygote.Zygote(here, program=(__file__, what))
    atexit.register(started.close)
    return started.environment


def _environment() -> dict[str, str]:
    """Return the environment, without the name of the test that runs."""
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


@cache
def before_tests() -> dict[str, str]:
    """Return the environment as it was when this was first called, which conftest.py does before any test."""
    return _environment()


def _repository() -> Path:
    return Path(__file__).parents[3]


def _code_of(root: Path) -> dict[str, bytes]:
    """Return the files of seedbed in a repository, without what Python makes of them."""
    files = (root / SOURCE).rglob("*")
    return {
        str(file.relative_to(root)): file.read_bytes()
        for file in files
        if file.parent.name != "__pycache__" and file.is_file()
    }


def _run_stage(imported: dict[str, bytes], name: str) -> None:
    here = Path.cwd()
    run_with_its_own_code(name, own_files(here) if _code_of(here) == imported else None)


def _run_command(name: str) -> None:
    """Do what the script of this name does."""
    request = json.loads(os.environ[COMMAND])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    if home := os.environ.get("HOME"):
        # Of all that is imported only libgit2 has looked for it already.
        pygit2 = sys.modules["pygit2"]
        pygit2.settings.search_path[pygit2.enums.ConfigLevel.GLOBAL] = home
    sys.argv = request["command"]
    try:
        sys.exit(sys.modules[SCRIPTS[name]].main())
    finally:
        threading._shutdown()
        atexit._run_exitfuncs()


if __name__ == "__main__":
    listening = zygote.listen()
    if sys.argv[1] == "stages":
        code = _code_of(_repository())
        zygote.preload((*FROM_THE_START, *DURING["ingest"]))
        zygote.serve(listening, partial(_run_stage, code))
    else:
        zygote.preload(IMPORTED_BY_COMMANDS)
        zygote.serve(listening, _run_command)
