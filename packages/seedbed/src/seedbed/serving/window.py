"""What a server was asked in the last minutes, as counts: it holds no row, and slides by slots."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any, Self

import numpy as np
import pandas as pd

from seedbed.config.metrics import metrics_of
from seedbed.config.monitor import Monitor
from seedbed.data.profiles import ALL_YEAR, Profile, profiled_columns
from seedbed.data.roles import time_column
from seedbed.models.estimation import expect, without_truth
from seedbed.serving.bundle import Bundle
from seedbed.serving.drift import ColumnDrift, compare_profiles
from seedbed.serving.reference import scores_of

MOST_ANSWERS = 1_000
"""Of a slot, drawn at random, by which performance is estimated."""
KEY = "_key"
"""The column of random keys beside answers: those below :attr:`Slot.below` are in the sample."""


@dataclass(frozen=True)
class Slot:
    """Rows that one process answered in one stretch of time."""

    inputs: Profile  # in the bins of the bundle's reference
    scores: Profile
    months: Counter[str]  # rows by month of the year, where they have a time
    answers: pd.DataFrame  # shape (n_drawn, n_answers + 1): as the bundle gave them, and their keys
    # all answers with a smaller key are there, so that slots together are a fair sample too
    below: float = 1.0

    @classmethod
    def of(
        cls, bundle: Bundle, rows: pd.DataFrame, answers: pd.DataFrame, random: np.random.Generator
    ) -> Self:
        """Return what n rows are counted as.

        Parameters
        ----------
        bundle : Bundle
            That answered.
        rows : DataFrame, shape (n, n_columns)
            They fit the signature.
        answers : DataFrame, shape (n, n_answers)
        """
        cleaned, columns = bundle.check(rows).cleaned, bundle.recipe.columns
        names = profiled_columns(columns, [column.name for column in bundle.signature.columns])
        time = time_column(columns)
        months = cleaned[time].dropna().dt.strftime("%m") if time in cleaned else ()
        return cls(
            Profile.of(cleaned[names], bins=bundle.profile.inputs.bins),
            Profile.of(scores_of(answers), bins=bundle.profile.scores.bins),
            Counter(months),
            answers.assign(**{KEY: random.random(len(answers))}),
        ).thinned()

    @property
    def rows(self) -> int:
        """How many there were."""
        return self.inputs.rows[ALL_YEAR]

    def __add__(self, other: "Slot") -> "Slot":
        """Return the rows of both."""
        below = min(self.below, other.below)
        answers = pd.concat([self.answers, other.answers], ignore_index=True)
        return Slot(
            self.inputs + other.inputs,
            self.scores + other.scores,
            self.months + other.months,
            answers[answers[KEY] < below],
            below,
        )

    def thinned(self) -> Self:
        """Return it with at most :data:`MOST_ANSWERS` answers."""
        if len(self.answers) <= MOST_ANSWERS:
            return self
        below = float(np.sort(self.answers[KEY])[MOST_ANSWERS])
        return replace(self, answers=self.answers[self.answers[KEY] < below], below=below)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "inputs": self.inputs.counts,
            "scores": self.scores.counts,
            "rows": self.inputs.rows,
            "months": self.months,
            "answers": self.answers.to_dict(orient="list"),
            "below": self.below,
        }

    @classmethod
    def from_dict(cls, bundle: Bundle, values: Mapping[str, Any]) -> Self:
        """Return what :meth:`to_dict` gave."""
        profile, rows = bundle.profile, values["rows"]
        return cls(
            Profile(profile.inputs.bins, values["inputs"], rows),
            Profile(profile.scores.bins, values["scores"], rows),
            Counter(values["months"]),
            pd.DataFrame(values["answers"]),
            values["below"],
        )


@dataclass(frozen=True)
class WindowFigures:
    """What `seedbed monitor` would say of the rows of a window."""

    rows: int
    columns: list[ColumnDrift]  # the worst first; empty where there are too few rows
    scores: list[ColumnDrift]
    metric: str  # the deciding one
    # what the scores let expect of it; None where there are too few rows, in a regression, or where
    # the metric is the project's own, which a bundle does not bring
    estimated: float | None


def figures_of(bundle: Bundle, slots: Iterable[Slot], limits: Monitor) -> WindowFigures:
    """Compare the rows of all slots with the bundle's reference."""
    problem, held = bundle.recipe.problem, list(slots)
    rows = sum(slot.rows for slot in held)
    if rows < limits.least_rows:
        return WindowFigures(rows, [], [], problem.metric, None)
    whole, reference = reduce(add, held), bundle.profile
    periods = reference.same_season(whole.months)
    metric = metrics_of(problem.task).get(problem.metric)
    answers = whole.answers.drop(columns=KEY).reset_index(drop=True)
    return WindowFigures(
        rows,
        compare_profiles(reference.inputs, whole.inputs, limits, periods),
        compare_profiles(reference.scores, whole.scores, limits),
        problem.metric,
        expect(without_truth(answers, problem.task), metric) if metric else None,
    )
