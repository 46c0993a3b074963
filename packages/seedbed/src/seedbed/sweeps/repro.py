"""`seedbed repro`: `dvc repro`, beside a process that imports once what all stages stand on."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from seedbed.locks import try_lock
from seedbed.sweeps.zygote import PACKAGES, Zygote, listen, serve

AT_ONCE = (
    "hydra", "seedbed.stages", "seedbed.config.compose", "seedbed.config.fingerprints", *PACKAGES,
    "skrub", "sqlalchemy.orm", "altair", "seedbed.data.ingesting", "seedbed.data.exploring_page",
    "seedbed.models.reports", "seedbed.models.training", "seedbed.models.evaluating",
    "seedbed.serving.champion", "seedbed.serving.packaging",
)  # fmt: skip
"""What is imported while the first stages run, in many steps: who starts waits for one to end."""
DURING = {"ingest": ("great_expectations", "seedbed.data.validation")}
"""What is one long import, of a second, and the stage that gives the time for it."""
Files = dict[Path, tuple[int, int]]
"""When each file was written, and its size."""


def reproduce(root: Path, arguments: Sequence[str]) -> int:
    """Run `dvc repro` with these arguments; return its exit code.

    Packages are imported beside it. The project's own code is read anew for each stage, and once
    any of it or of seedbed's has been edited, all of it is: what runs is what DVC records.
    """
    command = [str(Path(sys.executable).with_name("dvc")), "repro", *arguments]
    if sys.platform != "linux":
        return subprocess.run(command, cwd=root, check=False).returncode
    held = try_lock(root / ".dvc/tmp/repro.lock")
    if held is None:  # another one has its process here: DVC makes this one wait for it
        return _wait_for(subprocess.Popen(command, cwd=root))
    with held:
        zygote = Zygote(root, ("-m", "seedbed.sweeps.repro"))
        try:
            environment = {**os.environ, **zygote.environment}
            return _wait_for(subprocess.Popen(command, cwd=root, env=environment))
        finally:
            zygote.close()


def _wait_for(dvc: "subprocess.Popen[bytes]") -> int:
    """Wait for DVC to end by itself, also after Ctrl-C, which the terminal has sent to it too."""
    while True:
        try:
            return dvc.wait()
        except KeyboardInterrupt:
            continue


def own_files(root: Path) -> Files:
    """Return the state of the code of the project in `root` and of seedbed's, where it is there."""
    found: Files = {}
    for folder in ("src", "packages/seedbed/src"):
        for path in (root / folder).rglob("*.py"):
            with contextlib.suppress(FileNotFoundError):  # an editor puts another in its place
                state = path.stat()
                found[path] = state.st_mtime_ns, state.st_size
    return found


def run_with_its_own_code(stage: str, imported: Files | None = None) -> None:
    """Run a stage with the code of the working directory.

    `imported` is the code that this process has imported modules of; they are used only if the
    working directory's is the same.
    """
    from seedbed.config.project import project_package

    if own_files(Path.cwd()) != imported:
        ours = ("seedbed", project_package(Path()))
        for name in [name for name in sys.modules if name.partition(".")[0] in ours]:
            del sys.modules[name]
    sys.path[:0] = [str(Path.cwd() / "src"), str(Path.cwd() / "packages/seedbed/src")]
    from seedbed.stages import run_stage

    run_stage(stage)


if __name__ == "__main__":
    before = own_files(Path.cwd().parents[1])
    serve(listen(), partial(run_with_its_own_code, imported=before), AT_ONCE, DURING)
