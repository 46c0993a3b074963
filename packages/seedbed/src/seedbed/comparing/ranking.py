"""Which revision is the best by the deciding metric, and by how much."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from seedbed.comparing.revisions import Revision
from seedbed.config.modelling import Problem
from seedbed.errors import UserError
from seedbed.models.comparison import compare_answers, read_outcome
from seedbed.models.intervals import as_number
from seedbed.models.metrics import find_metric

SPLITS = ("test", "cv", "validation")
"""Where a figure may be from: the first of them that the most revisions have is compared."""
RESAMPLES, SEED = 200, 0
SHARED = " that both scored"
"""Where the difference is of fewer rows than the figures."""
ROWS_BY = ("dataset.sample", "dataset.window.start", "dataset.window.end")
"""The parameters that decide which rows a model has learned from."""


@dataclass(frozen=True)
class Place:
    """A revision's figure, and by how much it is better than the first revision's."""

    name: str
    value: float | None
    # the paired difference on the rows that both scored, positive where this revision is better,
    # and its 95 % interval; without such rows, the difference of the figures alone
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    note: str = ""  # the rows, or why there is no interval


@dataclass(frozen=True)
class Ranking:
    """The places of the revisions, the best first; `first` is the revision compared with.

    `other_rows` says where they have learned from other rows.
    """

    key: str
    first: str
    places: list[Place]
    other_rows: str = ""

    def in_words(self) -> str:
        """Return which revision is better, by how much, and whether that may be chance."""
        return f"{self._best_in_words()} {self.other_rows}".strip()

    def _best_in_words(self) -> str:
        best = self.places[0]
        if best.value is None:
            return f"No revision has {self.key}: which is better is unknown."
        reference = next(place for place in self.places if place.name == self.first)
        # The difference between two revisions stands in the place of the one that is not the first.
        place = self.places[min(1, len(self.places) - 1)] if best is reference else best
        other = place if best is reference else reference
        if place.gain is None or other.value is None:
            return f"{best.name} has {self.key} {as_number(best.value)}. {place.note}".strip()
        figures = f"{self.key} {as_number(best.value)} against {as_number(other.value)}"
        if place.gain == 0:
            return f"{best.name} and {other.name} are equal: {figures}."
        gain = as_number(abs(place.gain))
        measured_on = f" on {place.note}"
        if SHARED in place.note:
            figures += ", each on all its test rows"
            gain += f" on {place.note.partition(SHARED)[0]}{SHARED}"
            measured_on = ""
        text = f"{best.name} is better than {other.name} by {gain}: {figures}."
        if place.low is None or place.high is None:
            return (
                f"{text} There is no interval of the difference, so it may be chance: {place.note}."
            )
        low, high = (place.low, place.high) if place is best else (-place.high, -place.low)
        chance = "" if low > 0 else ", so it may be chance"
        interval = f"{as_number(low)} to {as_number(high)}"
        return f"{text} 95 % interval{measured_on}: {interval}{chance}."


def rank(revisions: Sequence[Revision]) -> Ranking:
    """Rank revisions by the deciding metric of the first one.

    Raises UserError if that is no metric for its task.
    """
    first = revisions[0]
    problem = Problem.model_construct(
        task=first.params.get("problem.task"), metric=first.params.get("problem.metric")
    )
    sign = find_metric(problem.metric, problem.task).sign
    keys = [f"{split}.{problem.metric}" for split in SPLITS]
    key = max(keys, key=lambda key: sum(key in revision.metrics for revision in revisions))
    places = [_place(revision, first, key, sign, problem) for revision in revisions]
    # False is sorted before True: a revision without a figure comes last.
    places.sort(key=lambda place: (place.value is None, -sign * (place.value or 0)))
    return Ranking(key, first.name, places, _other_rows(revisions))


def _other_rows(revisions: Sequence[Revision]) -> str:
    """Return a sentence on parameters by which revisions have learned from other rows, or none."""
    found = []
    for key in ROWS_BY:
        values = [revision.params.get(key) for revision in revisions]
        if any(value != values[0] for value in values):
            shown = (
                f"{'not set' if value is None else value} in {revision.name}"
                for revision, value in zip(revisions, values, strict=True)
            )
            found.append(f"{key} is {', '.join(shown)}")
    return f"They learned from other rows: {'; '.join(found)}." if found else ""


def _place(revision: Revision, first: Revision, key: str, sign: int, problem: Problem) -> Place:
    value, reference = revision.metrics.get(key), first.metrics.get(key)
    place = Place(revision.name, value)
    if revision is first:
        return place
    if value is None or reference is None:
        without = revision if value is None else first
        decides = without.params.get("problem.metric", problem.metric)
        why = "" if decides == problem.metric else f", since its problem.metric is {decides}"
        return replace(place, note=f"{without.name} has no {key}{why}.")
    place = replace(place, gain=sign * (value - reference))
    if not key.startswith("test."):
        way = "`dvc exp apply`, `dvc repro` and a commit do that"
        return replace(place, note=f"not all were evaluated on test rows ({way})")
    if revision.predictions is None or first.predictions is None:
        return replace(place, note="the predictions of both are not at hand")
    return _on_common_rows(place, revision.predictions, first.predictions, problem)


def _on_common_rows(
    place: Place, predictions: pd.DataFrame, reference: pd.DataFrame, problem: Problem
) -> Place:
    """Return the difference on the rows that both scored; whole clusters are resampled."""
    tables = [table.drop_duplicates("_row").set_index("_row") for table in (predictions, reference)]
    rows = tables[0].index.intersection(tables[1].index)
    mine, other = (table.loc[rows] for table in tables)
    if not len(rows) or not mine["_target"].equals(other["_target"]):
        return replace(place, note="they scored no row with the same target in common")
    classes = tuple(name.removeprefix("_score_") for name in other.filter(like="_score_"))
    try:
        outcomes = [
            read_outcome(
                table.filter(regex="^_(prediction|score)").rename(columns=lambda name: name[1:]),
                other["_target"],
                problem.task,
                classes,
            )
            for table in (mine, other)
        ]
    except UserError as error:
        return replace(place, note=str(error))
    clusters = pd.factorize(mine["_cluster"])[0]
    found = compare_answers(outcomes[0], outcomes[1], {}, clusters, problem, RESAMPLES, SEED)
    same = len(rows) == len(predictions) == len(reference)
    note = f"the {len(rows):,} test rows{'' if same else SHARED}"
    if found.identical:
        return Place(place.name, place.value, 0.0, 0.0, 0.0, note)
    figure = found.difference[problem.metric]
    note = note if figure["low"] is not None else f"{note} are in too few clusters"
    return Place(place.name, place.value, figure["value"], figure["low"], figure["high"], note)
