"""Sweeps whose every job is a DVC experiment: ``python -m seedbed.sweep -m model=mlp,dummy``.

An ordinary Hydra application: every launcher, sweeper and feature of the command line works.
"""

import contextlib
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import hydra
import psutil
import yaml
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from seedbed.config.composition import explain_hydra
from seedbed.config.conf_hash import conf_hash
from seedbed.config.repository import find_root
from seedbed.errors import UserError

# Hydra composes conf/ for each job here, and again in its worker: with libyaml in half the time.
# OmegaConf derives its loader from this one.
yaml.SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # type: ignore[misc]

AGAIN = "What is done is kept; to go on from there, type the same command again."
KILLED = "a worker was killed, perhaps for want of memory."
GRACE = 20.0
"""Seconds that a launcher has to stop its workers at Ctrl-C or after the end of one; some hang."""


def run_job(config: DictConfig) -> float | list[float]:
    """Make one experiment; return its objective, or its objectives, NaN where it failed."""
    from hydra.core.hydra_config import HydraConfig

    from seedbed.sweeps import jobs
    from seedbed.sweeps.space import as_typed

    sys.unraisablehook = interrupt_again  # a worker's own
    return jobs.run_job(as_typed(HydraConfig.get().overrides.task), config)


def main() -> None:
    """Run Hydra in the repository that the command was called in."""
    # Hydra would print the traceback of a mistake on the command line, and of a worker's end.
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    sys.unraisablehook = interrupt_again
    threading.Thread(target=watch_workers, daemon=True).start()
    try:
        root = find_root()
        os.chdir(root)
        with copied_conf(root) as conf:
            _run_hydra(str(conf))
    except (UserError, OSError) as error:
        sys.exit(f"sweep: {error}")


@contextmanager
def copied_conf(root: Path) -> Iterator[Path]:
    """Yield a copy of conf/: Hydra reads it anew for each job, and a later edit must not reach it.

    The copy holds the hash of conf/, so that `compose` stops jobs of a snapshot of another one.

    Raises UserError if conf/ holds a file that Hydra would not read.
    """
    folder = root / ".dvc/tmp"
    folder.mkdir(exist_ok=True)
    for left in folder.glob("conf-*-*"):
        if not psutil.pid_exists(int(left.name.split("-")[1])):  # of a killed sweep
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"conf-{os.getpid()}-", dir=folder) as name:
        copy, composed = Path(name), conf_hash(root)
        hidden = shutil.ignore_patterns(".*")
        try:
            shutil.copytree(root / "conf", copy, dirs_exist_ok=True, ignore=hidden)
        except shutil.Error as error:
            raise OSError(error.args[0][0][2]) from error  # the reason is the same for each file
        config = copy / "config.yaml"
        if config.exists():
            text = config.read_text(encoding="utf-8").replace("${conf_hash:}", composed)
            config.write_text(text, encoding="utf-8")
        yield copy


def _run_hydra(conf: str) -> None:
    """Let Hydra do it; errors are one paragraph, and the snapshot is let go of in any case."""
    try:
        hydra.main(version_base=None, config_path=conf, config_name="sweep")(run_job)()
    except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
        reasons = (explain_hydra(part, Path(conf)) for part in (error, error.__cause__) if part)
        sys.exit(f"sweep: {' '.join(reasons).replace(conf, 'conf')}")
    except KeyboardInterrupt:
        sys.exit(f"\nsweep: stopped. {AGAIN}")
    except BrokenProcessPool:
        sys.exit(f"sweep: {KILLED} {AGAIN}")
    finally:
        _release()


def _stop(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt at Ctrl-C and SIGTERM; GRACE seconds later, end this process."""
    timer = threading.Timer(GRACE, _kill)
    timer.daemon = True  # where all goes well it ends with the process
    timer.start()
    signal.default_int_handler(number, frame)


def interrupt_again(ignored: "sys.UnraisableHookArgs") -> None:
    """Let Ctrl-C come once more if it came while an object was freed, where Python ignores it."""
    if ignored.exc_type is KeyboardInterrupt:
        again = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
        again.daemon = True
        again.start()
    else:
        sys.__unraisablehook__(ignored)


def watch_workers(grace: float = GRACE) -> None:
    """End this process `grace` seconds after a worker was killed, where it has not ended by itself.

    joblib waits for ever for the rest of a result if the worker is killed while it sends it.
    """
    workers: set[multiprocessing.process.BaseProcess] = set()
    # A launcher that ends its workers in good order sends SIGTERM.
    while all((one.exitcode or 0) >= 0 or one.exitcode == -signal.SIGTERM for one in workers):
        time.sleep(1)
        workers.update(multiprocessing.active_children())
    time.sleep(grace)
    _kill(KILLED)


def _kill(reason: str = "stopped.") -> None:
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            process.kill()
    _release()
    print(f"\nsweep: {reason} {AGAIN}", file=sys.stderr, flush=True)
    os._exit(1)


def _release() -> None:
    """Let go of the sweep's snapshot, if it came to one."""
    from seedbed.sweeps.snapshot import Sweep

    if sweep := Sweep.from_environment():
        sweep.release()


if __name__ == "__main__":
    # Workers import the module by its name; what runs as __main__ they could not find.
    from seedbed.sweep import main as importable

    importable()
