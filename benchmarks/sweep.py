"""What versioning costs a sweep: against a plain Hydra multirun, and against DVC's queue.

.venv/bin/python benchmarks/sweep.py [part ...] [--rounds 2] [--rows 30000]. Without a part it does
all, on the sample; `--rows 0` takes all flights. Works on a clone of the last commit in a temporary
folder.

plain   20 jobs of `python -m seedbed.sweep` and of plain_sweep.py, two workers each, taking turns
queue   the same 20 jobs, and `dvc exp run --queue` with `dvc queue start -j 2`, one thread a worker
many    200 small experiments: against the plain multirun, and the last 20 against the first 20
growth  sweeps of 10 such jobs where these 200 are, and where none is, taking turns
show    `dvc exp show` of the 200, and of as many that `dvc exp save` made (3 s each)
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from measuring import cloned, in_turn, ratios, run, seconds, spread

from seedbed.sweeps.records import read_records
from seedbed.sweeps.snapshot import FOLDER

JOBS = 20
MANY = 200
FEW = 10
WARM = 7
LITTLE = ("model=dummy", "evaluation=quick")
PARTS = ("plain", "queue", "many", "growth", "show")
SAVE = """
import re, sys
from pathlib import Path
from dvc.api import exp_save
params = Path("params.yaml")
text = params.read_text()
for seed in range(int(sys.argv[1])):
    params.write_text(re.sub("(?m)^seed: .*", f"seed: {seed}", text))
    exp_save(name=f"own-{seed}", force=True)
params.write_text(text)
"""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def prepared(folder: Path, rows: int) -> Path:
    """Return a clone in which the whole graph was run on so many flights, committed."""
    clone = cloned(folder)
    if rows:
        dataset = clone / "conf/dataset/flights.yaml"
        text = dataset.read_text(encoding="utf-8")
        dataset.write_text(text.replace("sample: null", f"sample: {rows}"), encoding="utf-8")
    run([".venv/bin/dvc", "repro", "--quiet", "train"], clone)
    run(
        ["git", "commit", "--quiet", "--all", "--allow-empty", "-m", "the rows of this benchmark"],
        clone,
    )
    return clone


def copied(clone: Path, name: str) -> Path:
    """Copy a clone to a folder beside it, without .dvc/tmp, which belongs to one place."""
    copy = clone.with_name(name)
    shutil.copytree(clone, copy, symlinks=True, ignore=shutil.ignore_patterns("tmp"))
    return copy


def ours(clone: Path, *overrides: str) -> float:
    """Time a sweep of ours, two workers."""
    command = [
        ".venv/bin/python",
        "-m",
        "seedbed.sweep",
        "-m",
        "hydra.launcher.n_jobs=2",
        *overrides,
    ]
    return seconds(command, clone, PYTHONPATH=f"{clone}/src")


def plain(clone: Path, *overrides: str) -> float:
    """Time the plain multirun, two workers."""
    with tempfile.TemporaryDirectory() as out:
        return seconds(
            [
                ".venv/bin/python",
                "benchmarks/plain_sweep.py",
                "-m",
                "hydra/launcher=joblib",
                "hydra.launcher.n_jobs=2",
                f"hydra.sweep.dir={out}",
                *overrides,
            ],
            clone,
            PYTHONPATH=f"{clone}/src:{clone}/benchmarks",
            OMP_WAIT_POLICY="passive",
        )


def queue(clone: Path, seeds: range) -> float:
    """Time as many experiments that DVC's own queue makes with two workers."""
    environment = {**ONE_THREAD, "PATH": f"{clone}/.venv/bin:{os.environ['PATH']}"}
    begin = time.perf_counter()
    choices = ",".join(str(seed) for seed in seeds)
    run(
        ["dvc", "exp", "run", "--quiet", "--queue", "-S", f"seed={choices}", "train"],
        clone,
        **environment,
    )
    run(["dvc", "queue", "start", "-j", "2"], clone, **environment)
    while True:
        time.sleep(1)
        said = run(["dvc", "queue", "status"], clone, **environment)
        if "Failed" in said:
            sys.exit(f"DVC's queue failed:\n{said}")
        if said.count("Success") >= len(seeds) and "Running" not in said and "Queued" not in said:
            break
    taken = time.perf_counter() - begin
    run(["dvc", "queue", "remove", "--success"], clone, **environment)
    return taken


def forget_experiments(clone: Path) -> None:
    """Take the experiments and the sweeps' records away; slots and cache stay."""
    run([".venv/bin/dvc", "exp", "remove", "--quiet", "-A"], clone)
    for path in (clone / FOLDER, clone / "reports/sweeps"):
        shutil.rmtree(path, ignore_errors=True)
    shutil.rmtree(clone / ".dvc/cache/runs", ignore_errors=True)


def against_plain(clone: Path, rounds: int) -> None:
    """Let both take turns, with seeds that no round had before: no cache holds their outputs."""
    found: list[tuple[float, float]] = []
    ours(clone, "seed=1000,1001")  # makes the slots, as a first sweep does once
    for number in range(rounds):
        seeds = f"seed=range({number * JOBS},{(number + 1) * JOBS})"
        found.append(
            in_turn(
                number,
                lambda seeds=seeds: ours(clone, seeds),
                lambda seeds=seeds: plain(clone, seeds),
            )
        )
        print(
            f"round {number + 1}: ours {found[-1][0]:.1f} s, plain {found[-1][1]:.1f} s", flush=True
        )
    versioned, without = (list(times) for times in zip(*found, strict=True))
    extra = statistics.median((mine - other) / JOBS for mine, other in found)
    print(f"{JOBS} jobs, each an experiment   {spread(versioned)}")
    print(f"{JOBS} jobs, nothing versioned    {spread(without)}")
    print(f"ratio                        {ratios(versioned, without)}")
    print(f"overhead of an experiment    {extra:7.2f} s of the clock, of two workers\n", flush=True)


def against_queue(clone: Path, rounds: int) -> None:
    """Let both take turns, each with seeds that neither had before."""
    found: list[tuple[float, float]] = []
    for number in range(rounds):
        mine = range(2000 + 2 * number * JOBS, 2000 + (2 * number + 1) * JOBS)
        theirs = range(mine.stop, mine.stop + JOBS)
        found.append(
            in_turn(
                number,
                lambda mine=mine: ours(clone, f"seed=range({mine.start},{mine.stop})"),
                lambda theirs=theirs: queue(clone, theirs),
            )
        )
        print(
            f"round {number + 1}: ours {found[-1][0]:.1f} s, queue {found[-1][1]:.1f} s", flush=True
        )
    sweeps, queues = (list(times) for times in zip(*found, strict=True))
    print(f"{JOBS} jobs of a sweep            {spread(sweeps)}")
    print(f"{JOBS} jobs of DVC's queue       {spread(queues)}, one thread a worker")
    print(f"the queue takes              {ratios(queues, sweeps)} times as long\n", flush=True)


def with_many(clone: Path) -> float:
    """Make many experiments of little work where they are missing; return the seconds."""
    return ours(clone, *LITTLE, f"seed=range({MANY})", "sweep.name=many")


def many(clone: Path) -> None:
    """Compare many small experiments with the plain multirun, and the last with the first."""
    forget_experiments(clone)
    before = beside_what_git_keeps(clone)
    whole = with_many(clone)
    left = beside_what_git_keeps(clone) - before
    without = plain(clone, *LITTLE, f"seed=range({MANY})")
    print(
        f"{MANY} jobs of little work: {whole:.1f} s, and {without:.1f} s with nothing versioned: "
        f"an experiment costs {(whole - without) / MANY:.2f} s of the clock more with two workers"
    )
    (folder,) = (clone / FOLDER).glob("many-*/")
    taken = [record.seconds for record in read_records(folder)]
    first, last = statistics.median(taken[:JOBS]), statistics.median(taken[-JOBS:])
    print(
        f"the first {JOBS} took {first:.2f} s each, the last {JOBS} {last:.2f} s: "
        f"{last / first:.2f}"
    )
    said = run(["git", "fsck", "--no-dangling"], clone)
    print(f"git fsck: {said.strip() or 'clean'}")
    print(f"left behind outside .dvc/tmp: {', '.join(sorted(left)) or 'nothing'}\n", flush=True)


def beside_what_git_keeps(clone: Path) -> set[str]:
    """Return untracked files and folders, but for caches, bytecode and the sweeps' reports."""
    listed = run(["git", "ls-files", "--others", "--directory"], clone).splitlines()
    expected = (".dvc/tmp/", ".dvc/cache/", "reports/sweeps/")
    return {path for path in listed if not path.startswith(expected) and "__pycache__" not in path}


def growth(clone: Path, empty: Path, rounds: int) -> None:
    """Let small sweeps take turns where many experiments are and where none is."""
    with_many(clone)
    ours(empty, *LITTLE, "seed=1000,1001")  # makes the slots
    found: list[tuple[float, float]] = []
    for number in range(rounds):
        seeds = f"seed=range({1000 + number * FEW},{1000 + (number + 1) * FEW})"
        forget_experiments(empty)
        found.append(
            in_turn(
                number,
                lambda seeds=seeds: ours(clone, *LITTLE, seeds),
                lambda seeds=seeds: ours(empty, *LITTLE, seeds),
            )
        )
        print(
            f"round {number + 1}: with {MANY} {found[-1][0]:.1f} s, with none {found[-1][1]:.1f} s",
            flush=True,
        )
    there, none = (list(times) for times in zip(*found, strict=True))
    print(f"{FEW} jobs where {MANY} experiments are   {spread(there)}")
    print(f"{FEW} jobs where none is            {spread(none)}")
    print(f"ratio                              {ratios(there, none)}\n", flush=True)


def show(clone: Path) -> None:
    """Compare `dvc exp show` of our experiments with that of DVC's own, warm ones taking turns."""
    own = copied(clone, "own")
    with_many(clone)
    forget_experiments(own)
    run([".venv/bin/dvc", "repro", "--quiet"], own)  # it saves none where a stage has not run
    run([".venv/bin/python", "-c", SAVE, str(MANY)], own)
    cold = {place: shown(place, cold=True) for place in (clone, own)}
    warm = [in_turn(number, lambda: shown(clone), lambda: shown(own)) for number in range(WARM)]
    mine, theirs = (list(times) for times in zip(*warm, strict=True))
    for name, place, times in (("ours", clone, mine), ("DVC's own", own, theirs)):
        print(f"dvc exp show of {MANY} of {name:9}: cold {cold[place]:.2f} s, warm {spread(times)}")
    print(f"ours, warm, takes            {ratios(mine, theirs)} times as long\n", flush=True)


def shown(clone: Path, cold: bool = False) -> float:
    """Time `dvc exp show`; `cold`, without what DVC remembers of experiments."""
    if cold:
        shutil.rmtree(clone / ".dvc/tmp/exps/cache", ignore_errors=True)
    return seconds([".venv/bin/dvc", "exp", "show", "--csv"], clone)


def main() -> None:
    """Take the measurements that are asked for, and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help=f"{', '.join(PARTS)} (default: all)")
    parser.add_argument(
        "--rounds", type=int, default=2, help="how often the two sides take turns (default: 2)"
    )
    parser.add_argument(
        "--rows", type=int, default=30_000, help="how many flights; 0 for all (default: 30000)"
    )
    options = parser.parse_args()
    parts = options.parts or PARTS
    with tempfile.TemporaryDirectory() as folder:
        clone = prepared(Path(folder), options.rows)
        if "growth" in parts:
            copied(clone, "empty")
        print(f"{options.rows or 'all'} flights, {os.cpu_count()} cores\n", flush=True)
        try:
            if "plain" in parts:
                against_plain(clone, options.rounds)
            if "queue" in parts:
                against_queue(clone, options.rounds)
            if "many" in parts:
                many(clone)
            if "growth" in parts:
                growth(clone, Path(folder) / "empty", options.rounds)
            if "show" in parts:
                show(clone)
        finally:
            run([".venv/bin/dvc", "queue", "stop", "--kill"], clone)


if __name__ == "__main__":
    main()
