"""How long `seedbed monitor` takes for a large prediction log, and how much memory.

.venv/bin/python benchmarks/monitoring_log.py [--rows 10000000] writes a log into a temporary
folder: flights of data/raw again and again, with the answers of models/bundle, as servers write
them (files of 10,000 rows, 30 days). It measures the whole command, without outcomes and with those
of a tenth of the rows.
"""

import argparse
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

from measuring import ROOT, used

BUNDLE = ROOT / "models/bundle"
FILE = 10_000
"""Rows of a file."""
DAYS = 30
LATER = "later.parquet"
"""The outcomes, until they have come."""
CALM_OR_NOT = (0, 3, 4)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as name:
        folder, log = Path(name), Path(name) / "log"
        # Not in this process: Linux would count its memory in that of the command.
        writer = get_context("spawn").Process(target=write_log, args=(log, rows))
        writer.start()
        writer.join()
        if writer.exitcode:
            sys.exit("the log could not be written")
        sizes = [file.stat().st_size for file in log.glob("20*/*.parquet")]
        print(f"{rows:,} rows in {len(sizes):,} files, {sum(sizes) / 2**20:,.0f} MB", flush=True)
        command = [sys.executable, "-m", "seedbed", "monitor", "--current", str(log)]
        command += ["--bundle", str(BUNDLE), "--out", str(folder / "page.html")]
        for outcomes in ("without outcomes", "with outcomes of a tenth"):
            if outcomes != "without outcomes":
                (log / LATER).rename(log / "outcomes.parquet")
            found = used(command, folder, CALM_OR_NOT)
            print(
                f"{outcomes}: {found.wall:.0f} s ({rows / found.wall:,.0f} rows/s), CPU "
                f"{found.cpu:.0f} s, peak memory {found.peak:,.0f} MB",
                flush=True,
            )


def write_log(folder: Path, rows: int) -> None:
    """Write a log of so many rows, and beside it the outcomes of a tenth of them."""
    import pandas as pd

    from seedbed.data.tables import read_table
    from seedbed.monitoring.logs import OUTCOME
    from seedbed.serving import load_bundle
    from seedbed.serving.log_files import PLACE, REQUEST, LoggedModel, write_file

    bundle, raw = load_bundle(BUNDLE), read_table(ROOT / "data/raw")
    answers, inputs, model = (
        bundle.predict(raw),
        bundle.signature.check(raw),
        LoggedModel.of(bundle),
    )
    folder.mkdir()
    begun, outcomes = datetime.now(UTC) - timedelta(days=DAYS), []
    for number, first in enumerate(range(0, rows, FILE)):
        size, place = min(FILE, rows - first), first % (len(raw) - FILE)
        part = slice(place, place + size)
        at = begun + timedelta(days=DAYS) * (first / rows)
        request = f"{number:08x}"
        ids, places, times = [request] * size, range(size), [at] * size
        table = model.table(ids, places, times, inputs[part], answers[part])
        write_file(folder, at.date(), f"{number:08}.parquet", table)
        if number % 10 == 0:
            known = {PLACE: range(size), OUTCOME: raw["arr_delay"][part].to_numpy()}
            outcomes.append(pd.DataFrame({REQUEST: request, **known}))
    pd.concat(outcomes).dropna().to_parquet(folder / LATER, index=False)


if __name__ == "__main__":
    main()
