"""`seedbed repro`: `dvc repro`, beside a process that imports once what all stages stand on."""

import os
import stat
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from seedbed.locks import try_lock
from seedbed.sweeps.zygote import PACKAGES, Zygote, listen, serve

FROM_THE_START = (
    "hydra", "seedbed.stages", "seedbed.config.compose", "seedbed.config.fingerprints", *PACKAGES,
    "skrub", "sqlalchemy.orm", "altair", "seedbed.data.ingesting", "seedbed.data.exploring_page",
    "seedbed.models.reports", "seedbed.models.training", "seedbed.models.evaluating",
    "seedbed.serving.champion", "seedbed.serving.packaging",
)  # fmt: skip
"""What is imported before and while the first stages run. A stage that starts waits for the import
in hand, so these are short."""
DURING = {"ingest": ("great_expectations", "seedbed.data.validation")}
"""What takes a second to import, and the stage during which it is: one that mostly takes longer. A
shorter one ends with the import."""
FileStates = dict[Path, tuple[int, int]]
"""When each file was written, and its size."""


def reproduce(root: Path, arguments: Sequence[str]) -> int:
    """Run `dvc repro` with these arguments; return its exit code.

    Packages are imported beside it, seedbed among them. The project's own modules never are, and
    once a file of the project or of seedbed was edited, no stage uses what was imported of seedbed:
    what runs is what DVC records.
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


def own_files(root: Path) -> FileStates | None:
    """Return the state of the code of the project in `root`, and of seedbed's; None if it changes.

    seedbed's is in `root`, or wherever this was imported from, or in both.
    """
    found: FileStates = {}
    try:
        for folder in (root / "src", root / "packages/seedbed/src", Path(__file__).parents[1]):
            for path in folder.rglob("*"):
                state = path.stat()
                if stat.S_ISREG(state.st_mode) and path.parent.name != "__pycache__":
                    found[path] = state.st_mtime_ns, state.st_size
    except OSError:  # an editor, or Git, puts another file in the place of one
        return None
    return found


def run_with_its_own_code(stage: str, imported: FileStates | None = None) -> None:
    """Run a stage with the code of the working directory.

    `imported` is the code that this process has imported modules of; they are used only if the
    working directory's is the same.
    """
    from seedbed.config.project import project_package

    if imported is None or own_files(Path.cwd()) != imported:
        ours = ("seedbed", project_package(Path()))
        for name in [name for name in sys.modules if name.partition(".")[0] in ours]:
            del sys.modules[name]
    sys.path[:0] = [str(Path.cwd() / "src"), str(Path.cwd() / "packages/seedbed/src")]
    from seedbed.stages import run_stage

    run_stage(stage)


if __name__ == "__main__":
    before = own_files(Path.cwd().parents[1])
    serve(listen(), partial(run_with_its_own_code, imported=before), FROM_THE_START, DURING)
