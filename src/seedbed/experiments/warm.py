"""Beside the first stage of a `dvc repro`: imports what stages stand on, so that the later ones need not.

src/stage.sh starts it, in a folder of its own, and hands stages over to it. Only other people's packages are imported
here: seedbed's own code is read anew for each stage, so that what is edited during a run is what runs and what DVC
records. It ends with the DVC that started the stage, and takes a running stage along.
"""

import os
import select
import shutil
import sys
from pathlib import Path

from seedbed.experiments.zygote import PRELOADED, listen, preload, run_stage, serve

PACKAGES = ("skrub", *(name for name in PRELOADED if not name.startswith("seedbed")))
READY = "ready"
"""The file that is there once everything is imported: short stages do not wait for it."""


def run_with_its_own_code(stage: str) -> None:
    """Run a stage with the code of the working directory."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "seedbed"]:
        del sys.modules[name]
    sys.path[:0] = [str(Path.cwd() / "src")]
    run_stage(stage)


def a_core_is_idle() -> bool:
    """Whether there is a core beside the stage's own, and the last minute's processes did not need all of them."""
    cores = len(os.sched_getaffinity(0))
    return cores > 1 and os.getloadavg()[0] < cores


def clear(folder: Path) -> None:
    """Remove the folders, beside this one, of processes that were killed before they could do it themselves."""
    for each in folder.parent.glob("warm.*"):
        if each != folder and not Path("/proc", each.suffix[1:]).exists():
            shutil.rmtree(each, ignore_errors=True)


def main() -> None:
    """Serve the DVC with the process id of the first argument, in the folder of the second."""
    # Out of the terminal's reach: it has to be there when DVC was killed with all of its group.
    os.setsid()
    os.chdir(sys.argv[2])
    try:
        clear(Path.cwd())
        dvc = os.pidfd_open(int(sys.argv[1]))
        if not a_core_is_idle():
            # As with the workers of DVC's queue: imports that nothing may need would take others' time.
            select.select([dvc], [], [])
            return
        listening = listen()
        preload(PACKAGES, owner=dvc)
        Path(READY).touch()
        serve(listening, run_with_its_own_code, owner=dvc)
    finally:
        shutil.rmtree(Path.cwd(), ignore_errors=True)


if __name__ == "__main__":
    main()
