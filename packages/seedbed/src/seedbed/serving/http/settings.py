"""What a person may set of the server; a worker process is handed this and nothing else."""

from dataclasses import dataclass
from pathlib import Path

from seedbed.serving.log_files import LogSettings

MEGABYTE = 2**20


@dataclass(frozen=True)
class Settings:
    """How a bundle is served."""

    path: Path  # the bundle's folder
    shadow: Path | None = None  # a second bundle, which answers silently
    host: str = "127.0.0.1"
    port: int = 8000  # 0 is any free one
    workers: int = 1  # processes that answer
    max_bytes: int = 16 * MEGABYTE  # of the body of a request
    max_rows: int = 100_000  # of a request
    seconds: float = 30.0  # for a request in whole, from its headers to the last byte of its answer
    header_seconds: float = 10.0  # for the headers of a request
    connections: int = 256  # open at a time, in each worker
    stop_seconds: int = 30  # for requests in flight, when the server is asked to stop
    token: str | None = None  # what a request must bear
    log: LogSettings | None = None  # what is kept of requests and answers
    watch: float | None = None  # minutes over which the drift gauges are
    # whether a bundle is refused that other versions of its packages made
    same_packages: bool = True
