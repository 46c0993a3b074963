"""What a person may set of the server; a worker process is handed this and nothing else."""

from dataclasses import dataclass
from pathlib import Path

from seedbed.serving.log_files import LogSettings

MEGABYTE = 2**20


@dataclass(frozen=True)
class Settings:
    """How a bundle is served.

    Attributes
    ----------
    path : Path
        The bundle's folder.
    shadow : Path or None
        A second bundle, which answers silently.
    host, port : str, int
        Port 0 is any free one.
    workers : int
        Processes that answer.
    max_bytes : int
        Of the body of a request.
    max_rows : int
        Of a request.
    seconds : float
        For a request in whole, from its headers to the last byte of its answer.
    header_seconds : float
        For the headers of a request.
    connections : int
        Open at a time, in each worker.
    stop_seconds : int
        For requests in flight, when the server is asked to stop.
    token : str or None
        What a request must bear.
    log : LogSettings or None
        What is kept of requests and answers.
    watch : float or None
        Minutes over which the drift gauges are.
    same_packages : bool
        Whether a bundle is refused that other versions of its packages made.
    """

    path: Path
    shadow: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    max_bytes: int = 16 * MEGABYTE
    max_rows: int = 100_000
    seconds: float = 30.0
    header_seconds: float = 10.0
    connections: int = 256
    stop_seconds: int = 30
    token: str | None = None
    log: LogSettings | None = None
    watch: float | None = None
    same_packages: bool = True
