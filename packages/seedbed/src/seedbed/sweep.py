"""Sweeps whose every job is a DVC experiment: ``python -m seedbed.sweep -m model=mlp,dummy 'seed=range(3)'``.

An ordinary Hydra application: every launcher, sweeper and feature of the command line works as it does elsewhere.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

import hydra
import psutil
import yaml
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from seedbed.config.conf_hash import conf_hash
from seedbed.config.repository import find_root
from seedbed.errors import UserError

# Hydra composes conf/ for each job here, and again in its worker: with libyaml it does so in half the time. OmegaConf
# derives its loader from this one.
yaml.SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # type: ignore[misc]


def run_job(config: DictConfig) -> float | list[float]:
    """Make one experiment in a slot; return its objective, or its objectives. A failure is recorded, and is NaN."""
    from hydra.core.hydra_config import HydraConfig

    from seedbed.sweeps.sweeping import as_typed, run_recorded

    return run_recorded(as_typed(HydraConfig.get().overrides.task), config)


def main() -> None:
    """Run Hydra in the repository that the command was called in; end with code 1 if a job failed."""
    # Hydra would print the traceback of a mistake on the command line, and of a worker's end.
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    try:
        root = find_root()
        os.chdir(root)
        with kept_conf(root) as conf:
            _sweep(str(conf))
    except UserError as error:
        sys.exit(f"sweep: {error}")
    except OSError as error:
        from seedbed.sweeps.room import want_of_room

        sys.exit(f"sweep: {error}.{want_of_room(Path.cwd())}")
    from seedbed.sweeps.sweeping import failures

    if failures():
        sys.exit(1)


@contextmanager
def kept_conf(root: Path) -> Iterator[Path]:
    """Yield a copy of conf/: Hydra reads it anew for each job, and an edit in the middle of a sweep must not reach it."""
    folder = root / ".dvc/tmp"
    folder.mkdir(exist_ok=True)
    for left in folder.glob("conf-*-*"):
        if not psutil.pid_exists(int(left.name.split("-")[1])):  # of a killed sweep
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"conf-{os.getpid()}-", dir=folder) as kept:
        keep_conf(root, Path(kept))
        yield Path(kept)


def keep_conf(root: Path, kept: Path) -> None:
    """Copy conf/ with its hash written into it: if the sweep is pinned to another, `compose` stops the jobs.

    Raises
    ------
    UserError
        If conf/ holds a file that Hydra would not read.
    """
    of = conf_hash(root)
    try:
        shutil.copytree(
            root / "conf", kept, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*")
        )
    except shutil.Error as error:
        raise OSError(error.args[0][0][2]) from error  # it tells the same of each file
    config = kept / "config.yaml"
    if config.exists():
        config.write_text(
            config.read_text(encoding="utf-8").replace("${conf_hash:}", of), encoding="utf-8"
        )


def _sweep(conf: str) -> None:
    """Let Hydra do it; a mistake is told in one paragraph, and the pin is let go of however it ends."""
    from seedbed.sweeps.interrupt import end_soon_after_ctrl_c

    how_to_go_on = "What is done is kept; to go on from there, type the same command again."
    stopped = f"\nsweep: stopped. {how_to_go_on}"
    end_soon_after_ctrl_c(stopped, _let_go)
    try:
        hydra.main(version_base=None, config_path=conf, config_name="sweep")(run_job)()
    except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
        told = (str(part) for part in (error, error.__cause__) if part)
        sys.exit(f"sweep: {' '.join(' '.join(told).split()).replace(conf, 'conf')}")
    except KeyboardInterrupt:
        sys.exit(stopped)
    except BrokenProcessPool:
        sys.exit(
            f"sweep: a worker was killed, by somebody or by the system for want of memory. {how_to_go_on}"
        )
    finally:
        _let_go()


def _let_go() -> None:
    """End the live line and release the sweep's pin, if it came to that."""
    from seedbed.sweeps.pin import Pin

    if pin := Pin.from_environment():
        from seedbed.sweeps.callback import stop_watching

        stop_watching()
        pin.release()


if __name__ == "__main__":
    # Workers import the module by its name; what runs as __main__ they could not find.
    from seedbed.sweep import main as importable

    importable()
