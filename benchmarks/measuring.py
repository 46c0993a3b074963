"""What the benchmarks share: a clone to work in, timed commands, and the spread of their times."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


def named(about: str | None, known: Iterable[str]) -> list[str]:
    """Return the names on the command line, or all that are known."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("names", nargs="*", metavar="NAME", default=list(known))
    names: list[str] = parser.parse_args().names
    return names


def seconds(command: list[str], cwd: Path, **environment: str) -> float:
    """Run a command, which must succeed, and return how long it took."""
    begin = time.perf_counter()
    run(command, cwd, **environment)
    return time.perf_counter() - begin


def in_turn(
    number: int, ours: Callable[[], float], theirs: Callable[[], float]
) -> tuple[float, float]:
    """Measure both sides, who goes first changing from round to round; return ours and theirs."""
    if number % 2:
        second = theirs()
        return ours(), second
    return ours(), theirs()


def run(command: list[str], cwd: Path, **environment: str) -> str:
    """Run a command, which must succeed, and return what it printed."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} exited with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


@dataclass(frozen=True)
class Used:
    """What a command used: wall time and CPU time in seconds, peak resident memory in MB."""

    wall: float
    cpu: float
    peak: float


def used(command: list[str], cwd: Path, good: tuple[int, ...] = (0,)) -> Used:
    """Run a command, which must exit with a code in `good`, and return what it used.

    Linux counts in the peak of a new process what this process holds: keep tables out of it.
    """
    with tempfile.TemporaryFile("w+") as printed:
        begin = time.perf_counter()
        child = subprocess.Popen(command, cwd=cwd, stdout=printed, stderr=printed)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in good:
            printed.seek(0)
            sys.exit(f"{' '.join(command)} exited with {child.returncode}:\n{printed.read()}")
    return Used(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def spread(values: list[float]) -> str:
    """Say median, least and most."""
    median, least, most = statistics.median(values), min(values), max(values)
    return f"{median:7.2f} s  ({least:.2f} to {most:.2f}, {len(values)} runs)"


def ratios(ours: list[float], theirs: list[float]) -> str:
    """Say median, least and most of the ratios of runs that took turns."""
    found = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return f"{statistics.median(found):7.2f}    ({min(found):.2f} to {max(found):.2f})"


def cloned(folder: Path) -> Path:
    """Clone the last commit, with this environment, compiled."""
    clone = folder / "clone"
    run(["git", "clone", "--quiet", str(ROOT), str(clone)], folder)
    for key, value in (("user.name", "Benchmark"), ("user.email", "benchmark@example.org")):
        run(["git", "config", key, value], clone)
    (clone / ".venv").symlink_to(Path(sys.prefix))
    run([sys.executable, "-m", "compileall", "-q", "src", "packages", "benchmarks"], clone)
    return clone
