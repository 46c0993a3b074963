"""What versioning costs: a cold `dvc repro` against one plain script that does the same work.

.venv/bin/python benchmarks/pipeline.py [--rounds 3], or `make bench`. Works on a clone of the last
commit in a temporary folder, with a cache of its own; what is measured and what was found stands in
benchmarks/README.md. Both take turns, on all flights and on a table of 178 rows.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import cloned, in_turn, ratios, seconds, spread

STAGES = (
    "compose",
    "ingest",
    "validate",
    "explore",
    "clean",
    "featurize",
    "train",
    "evaluate",
    "gate",
    "package",
)
EMPTY_STAGES = 10
NO_OP_RUNS = 7
SMALL = "wine"
"""A dataset of few rows, where imports and pictures are nearly all of the time."""


def forget(clone: Path) -> None:
    """Take away all that a run computed, so that the next one is cold."""
    seconds(["git", "checkout", "--quiet", "--", "."], clone)
    seconds(["git", "clean", "-fdqx", "-e", "/.venv", "-e", "__pycache__", "-e", "/.dvc"], clone)
    for path in (clone / ".dvc/cache", clone / ".dvc/tmp"):
        shutil.rmtree(path, ignore_errors=True)
    (clone / "dvc.lock").unlink()


def graph(clone: Path, *command: str) -> float:
    """Time a cold run of all stages by `command`, which is `dvc repro` or `seedbed repro`."""
    forget(clone)
    return seconds([f".venv/bin/{command[0]}", *command[1:], "--quiet"], clone)


def choose(clone: Path, dataset: str) -> None:
    """Make another dataset the one that the clone works on."""
    seconds(["git", "checkout", "--quiet", "--", "."], clone)
    config = clone / "conf/config.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("- dataset: flights", f"- dataset: {dataset}"), encoding="utf-8")
    seconds([".venv/bin/seedbed", "compose", "--reset"], clone)
    seconds(["git", "commit", "--quiet", "--all", "--message", dataset], clone)


def compare(clone: Path, rounds: int, *command: str) -> None:
    """Let the graph and the script take turns, and print the times of both and their ratio."""
    pairs = []
    for number in range(rounds):
        pairs.append(in_turn(number, lambda: graph(clone, *command), lambda: script(clone)))
        graph_time, script_time = pairs[-1]
        print(
            f"round {number + 1}: graph {graph_time:.1f} s, script {script_time:.1f} s", flush=True
        )
    graphs, scripts = (list(times) for times in zip(*pairs, strict=True))
    print(f"\n{' '.join(command):16} {spread(graphs)}\nplain script     {spread(scripts)}")
    print(f"ratio            {ratios(graphs, scripts)}\n")


def script(clone: Path) -> float:
    """Time the plain script."""
    with tempfile.TemporaryDirectory() as out:
        return seconds(
            [".venv/bin/python", "benchmarks/plain.py", out],
            clone,
            PYTHONPATH=f"{clone}/src:{clone}/packages/seedbed/src",
            OMP_WAIT_POLICY="passive",
        )


def no_op(clone: Path) -> float:
    """Time `dvc repro` when there is nothing to do."""
    return seconds([".venv/bin/dvc", "repro", "--quiet"], clone)


def empty_graph(folder: Path) -> Path:
    """Make a repository of ten stages that depend on each other and do nothing."""
    root = folder / "empty"
    root.mkdir()
    (root / ".venv").symlink_to(Path(sys.prefix))
    seconds(["git", "init", "--quiet"], root)
    seconds([".venv/bin/dvc", "init", "--quiet"], root)
    stages = [
        f"  s{number}:\n    cmd: echo {number} > {number}.txt\n    outs: [{number}.txt]\n"
        + (f"    deps: [{number - 1}.txt]\n" if number else "")
        for number in range(EMPTY_STAGES)
    ]
    (root / "dvc.yaml").write_text("stages:\n" + "".join(stages), encoding="utf-8")
    no_op(root)
    return root


def stage_seconds(clone: Path, stage: str) -> float:
    """Time a stage's command alone, its inputs being there."""
    return seconds(["sh", "src/stage.sh", stage], clone)


def deferred_seconds(clone: Path, stage: str) -> float:
    """Time the imports of other packages that the stage makes, from python's own record."""
    done = subprocess.run(
        ["sh", "src/stage.sh", stage],
        cwd=clone,
        env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    own = [
        int(found[1])
        for found in re.finditer(r"^import time:\s+(\d+) \|", done.stderr, re.MULTILINE)
    ]
    return sum(own) / 1e6


def main() -> None:
    """Take the measurements and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often graph and script take turns (default: 3)"
    )
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        clone, empty = cloned(Path(folder)), empty_graph(Path(folder))
        compare(clone, rounds, "dvc", "repro")
        compare(clone, rounds, "seedbed", "repro")

        print("stage        all (s)   of that, starting python and importing (s)")
        for stage in STAGES:
            whole, importing = stage_seconds(clone, stage), deferred_seconds(clone, stage)
            print(f"{stage:10}   {whole:7.2f}   {importing:7.2f}")

        idle = [(no_op(clone), no_op(empty)) for _ in range(NO_OP_RUNS)]
        ours, theirs = (list(times) for times in zip(*idle, strict=True))
        extra = statistics.median(ours) - statistics.median(theirs)
        print(f"\nno-op dvc repro  {spread(ours)}\nempty graph      {spread(theirs)}")
        print(f"difference       {extra:6.2f} s\n")

        print(f"dataset={SMALL}")
        choose(clone, SMALL)
        compare(clone, rounds, "seedbed", "repro")


if __name__ == "__main__":
    main()
