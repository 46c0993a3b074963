"""A zygote for the tests' repositories: packages are imported once, seedbed's own code is that of each repository.

Stages take twice as long to import what they stand on as to work on a few thousand rows. Here DVC starts them with their
own command as always, src/stage.sh, which hands them to this process as it does in a sweep.
"""

import atexit
import shutil
import sys
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from seedbed.experiments import zygote
from seedbed.experiments.warm import PACKAGES, run_with_its_own_code


@cache
def warm() -> dict[str, str]:
    """Return the environment in which stages of any repository start warm; the zygote ends with this process."""
    if sys.platform != "linux":
        return {}
    here = Path(mkdtemp(prefix="warm-"))
    atexit.register(shutil.rmtree, here, ignore_errors=True)
    (here / "src").symlink_to(Path(__file__).parents[1] / "src")
    return zygote.Zygote(here, program=(__file__,)).wait_until_ready()


if __name__ == "__main__":
    zygote.preload(("great_expectations", *PACKAGES))
    listening = zygote.listen()
    print("ready", flush=True)
    zygote.serve(listening, run_with_its_own_code)
