"""Zygotes for the tests' repositories: packages are imported once a worker, and commands and stages are forks.

Stages take twice as long to import what they stand on as to work on a few thousand rows, and `dvc` and `seedbed` longer
than to do their work in a small repository. DVC starts stages with their own command as always, src/stage.sh, which
hands them over as it does in a sweep; their code is that of their own repository.
"""

import atexit
import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from seedbed.sweeps import zygote
from seedbed.sweeps.repro import run_with_its_own_code

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
    """Whether a command can be forked with these variables changed, and nothing else in the environment has changed."""
    late = all(variable in READ_LATE or variable.startswith("AWS_") for variable in changed)
    return late and sys.platform == "linux" and name in SCRIPTS and _commands()[1] == _environment()


def forked(
    command: Sequence[str], environment: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """Return the command that has a fork do what a command does, and the environment to start it in."""
    request = json.dumps({"command": command, "environment": dict(environment)})
    found, name = _commands()[0], Path(command[0]).name
    return [sys.executable, "-I", "-S", found["SEEDBED_CLIENT"], name], {**found, COMMAND: request}


@cache
def _commands() -> tuple[dict[str, str], dict[str, str]]:
    """Start the zygote of commands; return how it is found, and the environment that it was started in."""
    return _started("commands"), _environment()


def _started(what: str) -> dict[str, str]:
    """Start a zygote that ends with this process; return the environment in which it is found."""
    here = Path(mkdtemp(prefix="warm-"))
    atexit.register(shutil.rmtree, here, ignore_errors=True)
    (here / "src").symlink_to(Path(__file__).parents[1] / "src")  # PYTHONPATH of a zygote
    started = zygote.Zygote(here, program=(__file__, what))
    atexit.register(started.close)
    return started.environment


def _environment() -> dict[str, str]:
    """Return the environment, without the name of the test that runs."""
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


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
    stages = sys.argv[1] == "stages"
    listening = zygote.listen()
    zygote.preload(
        ("great_expectations", "skrub", *zygote.PACKAGES) if stages else IMPORTED_BY_COMMANDS
    )
    zygote.serve(listening, run_with_its_own_code if stages else _run_command)
