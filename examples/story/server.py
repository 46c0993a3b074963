"""Asks `seedbed serve` about a month's rows, and adds their outcomes to its prediction log."""

import io
import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from repository import Repository, stop

from seedbed.errors import UserError
from seedbed.monitoring.logs import log_files
from seedbed.serving.log_files import PLACE, REQUEST

PARQUET = "application/vnd.apache.parquet"
BODY = 10_000
"""Rows of a request."""
STARTS_WITHIN = 120
"""Seconds that a server has to load and verify its bundle in, on a busy machine."""


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
    parts = {f"{month}-{i}": rows[i : i + BODY] for i in range(0, len(rows), BODY)}
    with serving(repository, log, folder / f"{month}.log") as address:
        for name, part in parts.items():
            _ask(address, name, part.drop(columns=target))
    if not (kept := sum(len(pd.read_parquet(file)) for file in log_files(log))) == len(rows):
        raise UserError(f"{log}: of {len(rows):,} rows that were sent, the log holds {kept:,}.")
    known = [
        pd.DataFrame({REQUEST: name, PLACE: range(len(part)), target: part[target].to_numpy()})
        for name, part in parts.items()
    ]
    pd.concat(known).to_parquet(outcomes, index=False)
    repository.run("seedbed", "outcomes", "add", outcomes, "--log", log)
    return log


@contextmanager
def serving(repository: Repository, log: Path, printed: Path) -> Iterator[str]:
    """Yield the address of a server of the champion, on a port that is free."""
    command = ("seedbed", "serve", "--port", "0", "--log", log)
    with (
        printed.open("w") as file,
        repository.started(*command, stdout=file.fileno()) as process,
    ):
        yield f"http://127.0.0.1:{_port(process, printed)}"
        stop(process)  # it writes what it still has to


def _port(process: subprocess.Popen[str], printed: Path) -> int:
    end = time.monotonic() + STARTS_WITHIN
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
    with urllib.request.urlopen(request, timeout=STARTS_WITHIN) as response:
        answered = len(pd.read_parquet(io.BytesIO(response.read())))
    if answered != len(rows):
        raise UserError(f"{name}: {len(rows):,} rows were sent, and {answered:,} answered.")
