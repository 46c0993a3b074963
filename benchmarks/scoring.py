"""How fast `seedbed score` is: beside predict_proba alone, on features that are in memory.

.venv/bin/python benchmarks/scoring.py [--rows 2000000] [--rounds 3] [--processes 1] works on a
temporary folder: it trains the default model on flights, repeats the flights to a Parquet file of
so many rows, and lets `seedbed score` and the bare pipeline take turns. Both have as many threads
as there are processes. The time of `seedbed score` is that of the whole command, start included.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from measuring import cloned, in_turn, ratios, run, spread

BATCH = 65_536
DISTINCT = 8
"""Batches of features that the bare pipeline has in memory; it predicts them again and again."""
BARE = f"""
import sys, time
from pathlib import Path
import pyarrow.parquet as pq
from seedbed.data.features import make_features
from seedbed.models.features import feature_frame
from seedbed.serving import load_bundle
from threadpoolctl import threadpool_limits

rows, threads = int(sys.argv[1]), int(sys.argv[2])
bundle = load_bundle("models/bundle")
batches = []
for batch in pq.ParquetFile("rows.parquet").iter_batches({BATCH}):
    checked = bundle.check(batch.to_pandas())
    with bundle._code.active():
        features = make_features(checked.cleaned, bundle._makers)
    batches.append(feature_frame(features, bundle.recipe.decision.features))
    if len(batches) == {DISTINCT} or sum(map(len, batches)) >= rows:
        break
with threadpool_limits(threads):
    begun, done = time.perf_counter(), 0
    while done < rows:
        for batch in batches:
            bundle.pipeline.predict_proba(batch)
            done += len(batch)
    print((time.perf_counter() - begun) * rows / done)
"""


@dataclass(frozen=True)
class Used:
    """Wall and CPU time in seconds, and the most memory of all processes together in MB."""

    wall: float
    cpu: float
    peak: float


def main() -> None:
    """Print both times, their ratio, and the peak memory."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--input", choices=["parquet", "csv"], default="parquet")
    parser.add_argument("--root", type=Path, help="A folder of an earlier call, with its model.")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = chosen.root or trained(Path(folder))
        write_rows(root, chosen.rows, chosen.input)
        ours, theirs = [], []
        for number in range(chosen.rounds):
            mine, bare = in_turn(
                number,
                lambda: score(root, chosen.input, chosen.processes),
                lambda: predict(root, chosen.rows, chosen.processes),
            )
            ours.append(mine)
            theirs.append(bare)
            print(
                f"score {mine.wall:.1f} s, CPU {mine.cpu:.1f} s, peak {mine.peak:,.0f} MB; "
                f"bare {bare:.1f} s",
                flush=True,
            )
    walls = [used.wall for used in ours]
    print(f"{chosen.rows:,} rows of {chosen.input}, {chosen.processes} processes")
    print(f"seedbed score        {spread(walls)}")
    print(f"predict_proba alone  {spread(theirs)}")
    print(f"speed beside it      {ratios(theirs, walls)}")
    print(f"peak memory          {max(used.peak for used in ours):,.0f} MB")


def trained(folder: Path) -> Path:
    """Return a clone of the last commit with the default model."""
    clone = cloned(folder)
    run([".venv/bin/seedbed", "repro"], clone)
    return clone


def write_rows(root: Path, rows: int, kind: str) -> None:
    """Write the flights again and again; in a process of its own, to keep this one small."""
    script = f"""
import pyarrow as pa, pyarrow.csv as csv, pyarrow.parquet as pq
table = pq.read_table("data/raw")
left = {rows}
with pq.ParquetWriter("rows.parquet", table.schema) as file:
    while left > 0:
        file.write_table(table.slice(0, left))
        left -= len(table)
if {kind == "csv"}:
    file = pq.ParquetFile("rows.parquet")
    with csv.CSVWriter("rows.csv", file.schema_arrow) as out:
        for batch in file.iter_batches():
            out.write_batch(batch)
"""
    run([sys.executable, "-c", script], root)


def score(root: Path, kind: str, processes: int) -> Used:
    """Return what `seedbed score` used."""
    command = [f"{sys.prefix}/bin/seedbed", "score", f"rows.{kind}", "scores.parquet", "--force"]
    command += ["--bundle", "models/bundle", "--processes", str(processes)]
    begun, before = time.perf_counter(), os.times()
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as child:
        watch = Watch(child.pid)
        printed = child.communicate()[0]
    wall, after = time.perf_counter() - begun, os.times()
    if child.returncode != 0:
        sys.exit(printed)
    cpu = after.children_user + after.children_system
    return Used(wall, cpu - before.children_user - before.children_system, watch.peak)


class Watch(threading.Thread):
    """The most memory, in MB, that a process and its children held together."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.peak, self._process = 0.0, process
        self.start()

    def run(self) -> None:
        """Look five times a second until the process has ended."""
        import psutil

        with contextlib.suppress(psutil.Error):
            top = psutil.Process(self._process)
            while top.status() != psutil.STATUS_ZOMBIE:
                held = 0
                for process in [top, *top.children(recursive=True)]:
                    with contextlib.suppress(psutil.Error):
                        held += process.memory_full_info().pss
                self.peak = max(self.peak, held / 2**20)
                time.sleep(0.2)


def predict(root: Path, rows: int, threads: int) -> float:
    """Return the seconds of predict_proba alone."""
    command = [sys.executable, "-c", BARE, str(rows), str(threads)]
    return float(run(command, root, OMP_WAIT_POLICY="passive"))


if __name__ == "__main__":
    main()
