"""Asks `seedbed serve` about a month's rows, and adds their outcomes to its prediction log."""

import io
import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from repository import Repository

from seedbed.errors import UserError
from seedbed.serving.log_files import PLACE, REQUEST

PARQUET = "application/vnd.apache.parquet"
BODY = 10_000
"""Rows of a request, at least: so many are written to the log at once."""
WITHIN = 120
"""Seconds that a server has on a busy machine: to load and verify its bundle, to answer, to log."""


def ask_month(
    repository: Repository, rows: pd.DataFrame, target: str, month: str, folder: Path
) -> Path:
    """Let the champion answer a month's rows over HTTP, then add the outcomes; return the log.

    Parameters
    ----------
    repository : Repository
    rows : DataFrame, shape (n_rows, n_columns)
        With the target, which is not sent.
    target : str
    month : str
        Begins the id of each request.
    folder : Path
        Where the prediction log goes.
    """
    log, outcomes = folder / month, folder / f"{month}.parquet"
    log.mkdir(parents=True)
    cuts = [*range(0, max(1, len(rows) - BODY + 1), BODY), len(rows)]
    parts = {f"{month}-{first}": rows[first:last] for first, last in pairwise(cuts)}
    printed = folder / f"{month}.log"
    with serving(repository, log, printed) as address:
        for name, part in parts.items():
            _ask(address, name, part.drop(columns=target))
        _wait_for_log(log, len(rows), printed)
    known = [
        pd.DataFrame({REQUEST: name, PLACE: range(len(part)), target: part[target].to_numpy()})
        for name, part in parts.items()
    ]
    pd.concat(known).to_parquet(outcomes, index=False)
    repository.run("seedbed", "outcomes", "add", outcomes, "--log", log)
    return log


def _wait_for_log(log: Path, rows: int, printed: Path) -> None:
    """Wait for the process that writes the log, which goes last on a busy machine."""
    end = time.monotonic() + WITHIN
    while (kept := sum(map(_rows_in, log.glob("*/*.parquet")))) != rows:
        if time.monotonic() > end:
            raise UserError(
                f"{log}: of {rows:,} rows that were sent, the log holds {kept:,}. The server "
                f"printed: {printed.read_text(encoding='utf-8').strip()}"
            )
        time.sleep(0.1)


def _rows_in(file: Path) -> int:
    return pq.read_metadata(file).num_rows


@contextmanager
def serving(repository: Repository, log: Path, printed: Path) -> Iterator[str]:
    """Yield the address of a server of the champion, on a port that is free."""
    command = ("seedbed", "serve", "--port", "0", "--log", log)
    with (
        printed.open("w") as file,
        repository.started(*command, stdout=file.fileno()) as process,
    ):
        yield f"http://127.0.0.1:{_port(process, printed)}"


def _port(process: subprocess.Popen[str], printed: Path) -> int:
    end = time.monotonic() + WITHIN
    while process.poll() is None and time.monotonic() < end:
        whole = printed.read_text(encoding="utf-8").rpartition("\n")[0]
        for line in whole.splitlines():
            if line.startswith("{") and json.loads(line)["event"] == "listening":
                return int(json.loads(line)["port"])
        time.sleep(0.05)
    raise UserError(f"the server did not start: {printed.read_text(encoding='utf-8').strip()}")


def _ask(address: str, name: str, rows: pd.DataFrame) -> None:
    body = io.BytesIO()
    rows.to_parquet(body, index=False)
    headers = {"Content-Type": PARQUET, "Accept": PARQUET, "X-Request-ID": name}
    request = urllib.request.Request(f"{address}/predict", body.getvalue(), headers)
    with urllib.request.urlopen(request, timeout=WITHIN) as response:
        answered = len(pd.read_parquet(io.BytesIO(response.read())))
    if answered != len(rows):
        raise UserError(f"{name}: {len(rows):,} rows were sent, and {answered:,} answered.")
