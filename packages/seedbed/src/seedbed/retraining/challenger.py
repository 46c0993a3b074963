"""What became of a retrained model: its rows, and the gate's verdict on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pandas as pd

from seedbed.config.modelling import Gate
from seedbed.config.params import read_params
from seedbed.config.preparation import Split
from seedbed.config.schema import Dataset
from seedbed.data.splits import PARTS
from seedbed.data.tables import SPLIT, TIME, read_table
from seedbed.files import read_json
from seedbed.models.gate import Verdict


@dataclass(frozen=True)
class Part:
    """Rows of one part of the split."""

    rows: int  # how many there are, and how many of them the window before did not reach
    new: int
    first: str  # moments
    last: str


@dataclass(frozen=True)
class Challenger:
    """A retrained model, as its experiment recorded it."""

    metric: str  # the deciding one
    parts: dict[str, Part]  # by train, validation and test
    test: Mapping[str, Any]  # its figures on the test rows: `{metric: {"value", "low", "high"}}`
    # what reports/verdict.json holds of the comparison with the champion
    champion: Mapping[str, Any]
    verdict: Verdict
    split: Split
    gate: Gate

    @classmethod
    def read(cls, root: Path, since: pd.Timestamp | None) -> Self:
        """Read the challenger whose experiment is checked out in `root`.

        Raises UserError if data/features or the verdict are missing.
        """
        details = read_json(root / "reports/evaluate/details.json")
        params = read_params(["dataset", "split", "gate"], root)
        dataset: Dataset = params["dataset"]
        rows = read_table(root / "data/features", [SPLIT, TIME])
        return cls(
            metric=details["metric"],
            parts=describe_parts(rows, since, dataset.time_zone),
            test=details["test"],
            champion=read_json(root / "reports/verdict.json")["champion"],
            verdict=Verdict.read(root / "reports/verdict.json"),
            split=params["split"],
            gate=params["gate"],
        )


def describe_parts(rows: pd.DataFrame, since: pd.Timestamp | None, zone: str) -> dict[str, Part]:
    """Return the parts of the split.

    Parameters
    ----------
    rows : DataFrame, shape (n_rows, 2)
        Part and time of each row of data/features.
    since : Timestamp or None
        From when on a row is new; None counts all as new.
    zone : str
        Time zone of the data.
    """
    found = {}
    for part in PARTS:
        times = rows.loc[rows[SPLIT] == part, TIME]
        new = int((times >= since).sum()) if since is not None else len(times)
        ends = (f"{end.tz_convert(zone):%Y-%m-%d %H:%M}" for end in (times.min(), times.max()))
        found[part] = Part(len(times), new, *ends)
    return found
