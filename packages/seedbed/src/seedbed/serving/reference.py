"""The reference that a bundle carries: how its inputs and its scores were distributed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from seedbed.data.profiles import Profile
from seedbed.files import read_json, write_json


@dataclass(frozen=True)
class Reference:
    """Profiles, which hold counts and no rows."""

    inputs: Profile  # of the cleaned train rows, by month of the year where they have a time
    # of what the model predicts for rows that it was not fitted on, the validation rows
    scores: Profile

    def same_season(self, months: Mapping[str, int]) -> Mapping[str, int] | None:
        """Return which months of the inputs' profile to compare rows with; None: all.

        Parameters
        ----------
        months : mapping of str to int
            "01" to "12", and how many of the rows are of each; they are compared with the same
            ones, if the profile has all of them.
        """
        return months if months and months.keys() <= self.inputs.rows.keys() else None

    def write(self, path: Path) -> None:
        """Write a JSON file."""
        write_json(path, {"inputs": self.inputs.to_dict(), "scores": self.scores.to_dict()})

    @classmethod
    def read(cls, path: Path) -> "Reference":
        """Read what :meth:`write` wrote."""
        return cls(**{name: Profile.from_dict(found) for name, found in read_json(path).items()})


NO_PROFILE = Reference(Profile({}, {}, {}), Profile({}, {}, {}))
"""Of a bundle that is being made."""


def scores_of(answers: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of what a bundle predicted; of a regression, the predictions."""
    names = [name for name in answers.columns if name.startswith("score")]
    return answers[names or ["prediction"]]
