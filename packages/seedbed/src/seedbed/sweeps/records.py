"""What became of each job of a sweep: one small file a job, written by whichever process ran it."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from seedbed.files import write_json

FOLDER = Path(".dvc/tmp/sweeps")


@dataclass(frozen=True)
class Record:
    """One job: its overrides, its state, and, once it is done, the experiment and the objectives."""

    overrides: list[str]
    state: str  # running, done, failed
    pid: int
    started: float
    seconds: float = 0.0
    name: str = ""
    found: bool = False  # the experiment was there before
    values: list[float] = field(default_factory=list)
    error: str = ""
    log: str = ""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read one."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def write(self, folder: Path) -> None:
        """Write it under a name made of the overrides, so that a job that is run again replaces its record."""
        write_json(folder / f"{job_key(self.overrides)}.json", asdict(self))


def job_key(overrides: list[str]) -> str:
    """Return a file name for a job."""
    return hashlib.sha256("\0".join(overrides).encode()).hexdigest()[:12]


def read_records(folder: Path) -> list[Record]:
    """Return all records of a sweep, in the order in which the jobs began."""
    found = [Record.read(path) for path in folder.glob("*.json")]
    return sorted(found, key=lambda record: (record.started, record.overrides))
