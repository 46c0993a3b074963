"""What is known of a table: enough to write its files."""

from collections.abc import Mapping
from dataclasses import dataclass

from seedbed.config.preparation import TimePart
from seedbed.data.leak import Leak
from seedbed.datasets.guesses import Guess
from seedbed.datasets.names import RESERVED
from seedbed.datasets.problem import ProblemGuess
from seedbed.datasets.splitting import SplitGuess

LISTS = ("number", "boolean", "category", "text", "date")
"""The lists of features under `columns`."""


@dataclass(frozen=True)
class Description:
    """What is known of a table: enough to write its files."""

    name: str  # of the dataset
    target: str
    rows: int
    guesses: Mapping[str, Guess]  # by column, in the order of the table
    problem: ProblemGuess
    split: SplitGuess
    leaks: Mapping[str, Leak]  # the columns that must not be features
    trends: Mapping[str, float]  # the numbers that only grow with time, with their rank correlation
    # the parts of the time that come again, where some of those that conf/ chooses do not
    time_parts: list[TimePart] | None
    # the columns by which other tables are joined: as numbers, they say nothing
    join_keys: frozenset[str] = frozenset()

    def role(self, name: str) -> str | None:
        """Return the list under `columns` that takes a column, or None if it is left out."""
        if name == self.target:
            return "target"
        if name == self.split.column:
            return self.split.kind
        kind: str = self.guesses[name].kind
        is_number_of_a_key = kind == "number" and name in self.join_keys
        if name.startswith(RESERVED) or name in self.trends or is_number_of_a_key:
            return None
        if name in self.leaks:
            return "known_after_outcome"
        if kind == "identifier":
            return "key" if name == self.key else None
        kind = "category" if kind == "high_cardinality" else kind
        return kind if kind in LISTS else None

    @property
    def key(self) -> str | None:
        """The first column whose values tell all rows apart."""
        found = (name for name, guess in self.guesses.items() if guess.kind == "identifier")
        return next((name for name in found if self.guesses[name].values == self.rows), None)

    def columns_of(self, role: str) -> list[str]:
        """Return the columns of a list, in the order of the table."""
        return [name for name in self.guesses if self.role(name) == role]
