"""Rows as a model in use sees them: counted, scored, with outcomes where these have come."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from seedbed.data.profiles import Profile, profiled_columns
from seedbed.data.roles import group_column, target_column, time_column
from seedbed.errors import UserError
from seedbed.serving.bundle import Bundle
from seedbed.serving.reference import Reference, scores_of

SAMPLED = 40_000
"""Rows that are kept as they are, drawn at random, for what needs rows."""


@dataclass(frozen=True)
class Watched:
    """What is known of n rows.

    Attributes
    ----------
    inputs, scores : Profile
        Of the cleaned inputs and of what the model predicts.
    sample : DataFrame, shape (at most SAMPLED, n_profiled)
        Cleaned inputs.
    answers : DataFrame, shape (n, n_answers)
        As the bundle gives them.
    target, times, groups : Series, shape (n,), or None
        Where the rows have such a column.
    slices : dict of str to Series
        The columns of ``problem.slices`` that there are.
    """

    inputs: Profile
    scores: Profile
    sample: pd.DataFrame
    answers: pd.DataFrame
    target: pd.Series | None
    times: pd.Series | None
    groups: pd.Series | None
    slices: dict[str, pd.Series]

    @property
    def months(self) -> set[str]:
        """The months of the year that the rows are of, as profiles name them."""
        return set(self.month_shares)

    @property
    def month_shares(self) -> dict[str, float]:
        """The share of each month in the rows that have a time."""
        if self.times is None:
            return {}
        months = self.times.dropna().dt.strftime("%m")
        return dict(months.value_counts(normalize=True).sort_index())


def watch(
    bundle: Bundle, frames: Iterable[pd.DataFrame], reference: Reference | None, seed: int = 0
) -> Watched:
    """Score rows and count their values.

    Parameters
    ----------
    bundle : Bundle
    frames : iterable of DataFrame
        The rows, part by part, each column in its type. Only scores, outcomes and a sample of the
        rows are held in memory.
    reference : Reference, optional
        Whose bins to count in. Without it the bins are made of the rows, all of which are held.

    Raises
    ------
    UserError
        If rows do not fit the bundle's signature, or there are none.
    """
    columns, random = bundle.recipe.columns, np.random.default_rng(seed)
    names = profiled_columns(columns, [column.name for column in bundle.signature.columns])
    beside = [time_column(columns), group_column(columns), target_column(columns)]
    wanted = [*(name for name in beside if name), *bundle.recipe.problem.slices]
    if reference is None and (held := list(frames)):
        frames = [pd.concat(held, ignore_index=True)]
    profiles: list[tuple[Profile, Profile]] = []
    sample, keys = pd.DataFrame(), np.empty(0)
    answers, others = [], []
    for frame in frames:
        checked = bundle.check(frame.reset_index(drop=True))
        answers.append(bundle.predict(checked))
        inputs, scores = checked.cleaned[names], scores_of(answers[-1])
        bins = (reference.inputs.bins, reference.scores.bins) if reference else (None, None)
        profiles.append((Profile.of(inputs, bins=bins[0]), Profile.of(scores, bins=bins[1])))
        others.append(frame[[name for name in dict.fromkeys(wanted) if name in frame]])
        # The rows with the smallest of random keys are a random sample of all.
        sample = pd.concat([sample, inputs], ignore_index=True)
        keys = np.append(keys, random.random(len(inputs)))
        kept = np.sort(np.argsort(keys, kind="stable")[:SAMPLED])
        sample, keys = sample.iloc[kept], keys[kept]
    if not answers:
        raise UserError(
            f"There are no rows to look at that the bundle {bundle.version} has answered or could "
            "answer. Give others, or another --bundle."
        )
    beside_rows = pd.concat(others, ignore_index=True)
    time, group, target = (beside_rows.get(name) if name else None for name in beside)
    return Watched(
        inputs=_sum(profile for profile, _ in profiles),
        scores=_sum(profile for _, profile in profiles),
        sample=sample.reset_index(drop=True),
        answers=pd.concat(answers, ignore_index=True),
        target=target,
        times=time,
        groups=group,
        slices={
            name: beside_rows[name] for name in bundle.recipe.problem.slices if name in beside_rows
        },
    )


def _sum(profiles: Iterable[Profile]) -> Profile:
    first, *others = profiles
    for profile in others:
        first = first + profile
    return first
