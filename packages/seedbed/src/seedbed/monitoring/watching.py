"""Rows as a model in use sees them: counted, scored, with outcomes where these have come."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from seedbed.data.profiles import Profile, profiled_columns
from seedbed.data.roles import group_column, target_column, time_column
from seedbed.errors import UserError
from seedbed.models.outcome import Floats
from seedbed.serving.bundle import Bundle
from seedbed.serving.log_files import ANSWER
from seedbed.serving.reference import Reference, scores_of
from seedbed.serving.scoring.predicting import answer_schema

SAMPLED = 40_000
"""Rows whose inputs are kept as they are, drawn at random, for what needs rows."""
SCORED = 100_000
"""Rows whose answers are kept, drawn at random: of all rows, and of those with an outcome."""


@dataclass(frozen=True)
class AnsweredRows:
    """Answers to n rows, and what is known of these."""

    answers: pd.DataFrame  # shape (n, n_answers): as the bundle gives them
    # shape (n,), where the rows have such a column
    target: pd.Series | None
    times: pd.Series | None
    groups: pd.Series | None
    slices: dict[str, pd.Series]  # the columns of ``problem.slices`` that there are


@dataclass(frozen=True)
class Watched:
    """What is known of rows, in a memory that does not grow with their number."""

    rows: int  # how many there are, and how many of these have an outcome
    known: int
    months: dict[str, int]  # rows by month of the year, as profiles name them
    inputs: Profile  # of the cleaned inputs and of what the model predicts
    scores: Profile
    sample: pd.DataFrame  # shape (at most SAMPLED, n_profiled): cleaned inputs
    scored: AnsweredRows  # at most SCORED of all rows, and of those with an outcome
    judged: AnsweredRows
    absent: tuple[str, ...] = ()  # inputs that a prediction log has left out, of some rows at least


def watch(
    bundle: Bundle, frames: Iterable[pd.DataFrame], reference: Reference | None, seed: int = 0
) -> Watched:
    """Score rows and count their values.

    Parameters
    ----------
    frames : iterable of DataFrame
        The rows, part by part, each column in its type. Rows of a prediction log have their answers
        with them, and are not scored again.
    reference : Reference, optional
        Whose bins to count in. Without it the bins are made of the rows, all of which are held.

    Raises UserError if rows do not fit the bundle's signature, or there are none.
    """
    columns, random = bundle.recipe.columns, np.random.default_rng(seed)
    needed = [column.name for column in bundle.signature.columns]
    names = profiled_columns(columns, needed)
    time, group, target = time_column(columns), group_column(columns), target_column(columns)
    slices = bundle.recipe.problem.slices
    beside = list(dict.fromkeys(filter(None, [time, group, target, *slices])))
    if reference is None and (held := list(frames)):
        frames = [pd.concat(held, ignore_index=True)]
    bins = (reference.inputs.bins, reference.scores.bins) if reference else (None, None)
    profiles: tuple[Profile, Profile] | None = None
    sample, scored, judged = _Drawn(SAMPLED), _Drawn(SCORED), _Drawn(SCORED)
    months: Counter[str] = Counter()
    absent: dict[str, None] = {}
    rows = known = 0
    for part in frames:
        frame = part.reset_index(drop=True)
        answers = _logged(bundle, frame)
        if answers is not None:  # a prediction log need not keep all inputs
            lacking = [name for name in needed if name not in frame]
            absent.update(dict.fromkeys(lacking))
            frame = frame.assign(**dict.fromkeys(lacking))
        checked = bundle.check(frame)
        if answers is None:
            answers = bundle.predict(checked)
        inputs = checked.cleaned[[name for name in names if name not in absent]]
        scores = scores_of(answers)
        found = Profile.of(inputs, bins=bins[0]), Profile.of(scores, bins=bins[1])
        profiles = (profiles[0] + found[0], profiles[1] + found[1]) if profiles else found
        if time and time in frame and time not in absent:
            months.update(frame[time].dropna().dt.strftime("%m").value_counts().to_dict())
        both = pd.concat(
            {
                "answer": answers,
                "row": frame[[name for name in beside if name in frame and name not in absent]],
            },
            axis=1,
        )
        has_outcome = frame[target].notna() if target in frame else pd.Series(False, frame.index)
        keys = random.random(len(frame))
        sample.add(inputs, keys)
        scored.add(both, keys)
        judged.add(both[has_outcome], keys[has_outcome])
        rows, known = rows + len(frame), known + int(has_outcome.sum())
    if profiles is None:
        raise UserError(
            f"There are no rows to look at that the bundle {bundle.version} has answered or could "
            "answer. Give others, or another --bundle."
        )

    def answered(drawn: pd.DataFrame) -> AnsweredRows:
        about = drawn["row"] if "row" in drawn else pd.DataFrame()
        return AnsweredRows(
            drawn["answer"],
            about.get(target),
            about.get(time) if time else None,
            about.get(group) if group else None,
            {name: about[name] for name in slices if name in about},
        )

    drawn = answered(scored.rows), answered(judged.rows)
    return Watched(rows, known, dict(months), *profiles, sample.rows, *drawn, tuple(absent))


class _Drawn:
    """At most so many of all rows that are added, drawn at random: those with the smallest keys."""

    def __init__(self, most: int) -> None:
        self.rows = pd.DataFrame()
        self._keys = np.empty(0)
        self._most = most

    def add(self, rows: pd.DataFrame, keys: Floats) -> None:
        """Draw from n more rows, each with a random key, shape (n,)."""
        keys = np.append(self._keys, keys)
        kept = np.sort(np.argsort(keys, kind="stable")[: self._most])
        old, new = kept[kept < len(self.rows)], kept[kept >= len(self.rows)] - len(self.rows)
        parts = [self.rows.iloc[old], rows.iloc[new]] if len(self.rows) else [rows.iloc[new]]
        self.rows, self._keys = pd.concat(parts, ignore_index=True), keys[kept]


def _logged(bundle: Bundle, frame: pd.DataFrame) -> pd.DataFrame | None:
    """Return the answers that rows of a prediction log have with them."""
    names = answer_schema(bundle).names
    if any(f"{ANSWER}{name}" not in frame for name in names):
        return None
    return pd.DataFrame({name: frame[f"{ANSWER}{name}"] for name in names})
