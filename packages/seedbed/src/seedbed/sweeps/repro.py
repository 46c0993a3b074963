"""`seedbed repro`: `dvc repro`, beside a process that imports once what all stages stand on."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from seedbed.locks import try_lock
from seedbed.sweeps.zygote import PACKAGES, Zygote, listen, serve

IN_ORDER = ("pandas", "pyarrow.parquet", "great_expectations", "skrub", *PACKAGES)
"""What is imported while the first stages run, in the order in which stages need it."""


def reproduce(root: Path, arguments: Sequence[str]) -> int:
    """Run `dvc repro` with these arguments; return its exit code.

    Only other people's packages are imported beside it: the code of the project and of seedbed is
    read anew for each stage, so that what is edited during a run is what runs and what DVC records.
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


def run_with_its_own_code(stage: str) -> None:
    """Run a stage with the code of the working directory."""
    from seedbed.config.project import project_package

    ours = ("seedbed", project_package(Path()))
    for name in [name for name in sys.modules if name.partition(".")[0] in ours]:
        del sys.modules[name]
    sys.path[:0] = [str(Path.cwd() / "src"), str(Path.cwd() / "packages/seedbed/src")]
    from seedbed.stages import run_stage

    run_stage(stage)


if __name__ == "__main__":
    serve(listen(), run_with_its_own_code, IN_ORDER)
