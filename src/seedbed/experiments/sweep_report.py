"""What a sweep found, as a table and pictures: reports/sweeps/<name>."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seedbed.experiments.objective import Direction, front
from seedbed.experiments.records import Record
from seedbed.files import replacing_folder, write_text
from seedbed.plotting import MODEL, OTHER, new_figure, save_figure

MOST_PARAMETERS = 12
"""Panels of a picture, before they are too small to read; those with the most distinct values are drawn."""


def write_report(folder: Path, records: Sequence[Record], objectives: list[str], directions: list[Direction]) -> None:
    """Write jobs.csv and the pictures of a sweep, over what an earlier run of it wrote.

    Parameters
    ----------
    folder : Path
        reports/sweeps/<name>.
    records : sequence of Record
        All jobs, in the order in which they began.
    objectives, directions : list
        What was optimised, and which way each is better.
    """
    jobs = to_table(records, objectives)
    if len(objectives) > 1:
        finished = jobs["state"] == "done"
        jobs.insert(len(objectives) + 2, "on_front", False)
        jobs.loc[finished, "on_front"] = front(jobs.loc[finished, objectives].to_numpy(), directions)
    with replacing_folder(folder) as new:
        write_text(new / "jobs.csv", jobs.to_csv(index=False, lineterminator="\n"))
        done = jobs[jobs["state"] == "done"]
        parameters = varied(done)
        if len(done) < 2 or not parameters:
            return
        draw_history(new / "history.png", done, objectives[0], directions[0])
        draw_parameters(new / "parameters.png", done[parameters], done[objectives[0]], objectives[0])
        if importances := importance(done[parameters], done[objectives[0]], directions[0]):
            draw_importances(new / "importances.png", importances, objectives[0])
        if len(objectives) > 1:
            draw_front(new / "front.png", done, objectives[:2], directions[:2])


def to_table(records: Sequence[Record], objectives: list[str]) -> pd.DataFrame:
    """Return one row per job: experiment, state, objectives, seconds, error, then one column per override key."""
    rows = []
    for record in records:
        values = record.values if record.state == "done" else [np.nan] * len(objectives)
        set_by = [override.lstrip("+~").partition("=") for override in record.overrides]
        rows.append(
            {
                "experiment_name": record.name,
                "state": record.state,
                **dict(zip(objectives, values, strict=True)),
                "seconds": round(record.seconds, 2),
                "error": record.error,
                **{key: _plain(value) for key, _, value in set_by},
            }
        )
    return pd.DataFrame(rows, columns=None if rows else ["experiment_name", "state", *objectives, "seconds", "error"])


def varied(done: pd.DataFrame) -> list[str]:
    """Return the override columns that differ between jobs."""
    keys = list(done.columns[done.columns.get_loc("error") + 1 :])
    return [key for key in keys if done[key].nunique(dropna=False) > 1]


def importance(parameters: pd.DataFrame, values: pd.Series, direction: Direction) -> dict[str, float]:
    """Return how much of the objective's variance each parameter explains (fANOVA, Hutter et al. 2014), largest first.

    Parameters that only some jobs have, as the spaces of several models, are left out. Empty where that cannot be told:
    fewer than four jobs, all with the same value, or one parameter alone.
    """
    common = [key for key in parameters if parameters[key].notna().all() and parameters[key].nunique() > 1]
    if len(parameters) < 4 or values.nunique() < 2 or len(common) < 2:
        return {}

    import optuna
    from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    spaces: dict[str, BaseDistribution] = {
        key: FloatDistribution(float(parameters[key].min()), float(parameters[key].max()))
        if pd.api.types.is_numeric_dtype(parameters[key])
        else CategoricalDistribution(sorted(parameters[key].astype(str).unique()))
        for key in common
    }
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction=direction)
    for (_, row), value in zip(parameters[common].iterrows(), values, strict=True):
        told: dict[str, Any] = {
            key: float(row[key]) if isinstance(spaces[key], FloatDistribution) else str(row[key]) for key in common
        }
        study.add_trial(optuna.create_trial(params=told, distributions=spaces, value=float(value)))
    return dict(get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0)))


def draw_history(path: Path, done: pd.DataFrame, objective: str, direction: Direction) -> None:
    """Draw the objective of each job in order, and the best so far."""
    values = done[objective].to_numpy()
    so_far = np.maximum.accumulate(values) if direction == "maximize" else np.minimum.accumulate(values)
    figure, axes = new_figure()
    places = np.arange(1, len(values) + 1)
    axes.plot(places, values, "o", color=MODEL, label="job")
    axes.step(places, so_far, where="post", color=OTHER, label="best so far")
    axes.set(
        xlabel="job, in the order of their beginning", ylabel=objective, title=f"{objective} of {len(values)} jobs"
    )
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(loc="best")
    save_figure(figure, path)


def draw_parameters(path: Path, parameters: pd.DataFrame, values: pd.Series, objective: str) -> None:
    """Draw the objective against each parameter that differs; numbers that span decades on a logarithmic axis."""
    keys = sorted(parameters, key=lambda key: -parameters[key].nunique())[:MOST_PARAMETERS]
    columns = min(3, len(keys))
    rows = -(-len(keys) // columns)
    figure, axes = new_figure(rows, columns, width=max(5.0, 3.8 * columns), height=3.2 * rows)
    panels = np.atleast_1d(axes).ravel()
    for panel, key in zip(panels, keys, strict=False):
        column = parameters[key]
        shown = column.notna()
        if pd.api.types.is_numeric_dtype(column):
            panel.plot(column[shown], values[shown], "o", color=MODEL, alpha=0.7)
            if column.min() > 0 and column.max() / column.min() > 30:
                panel.set_xscale("log")
        else:
            names = sorted(column[shown].astype(str).unique())
            places = column[shown].astype(str).map({name: place for place, name in enumerate(names)})
            panel.plot(places, values[shown], "o", color=MODEL, alpha=0.7)
            panel.set_xticks(range(len(names)), names, rotation=30, ha="right", fontsize=8)
            panel.set_xlim(-0.5, len(names) - 0.5)
        panel.set(xlabel=key.removeprefix("model.").removeprefix("arguments."), ylabel=objective)
    for panel in panels[len(keys) :]:
        panel.set_visible(False)
    figure.suptitle(f"{objective} against each parameter")
    save_figure(figure, path)


def draw_importances(path: Path, importances: dict[str, float], objective: str) -> None:
    """Draw the parameters' importances, the largest on top."""
    figure, axes = new_figure(height=1.6 + 0.3 * len(importances))
    names = list(importances)[::-1]
    axes.barh(names, [importances[name] for name in names], color=MODEL, height=0.7)
    axes.set(xlabel=f"share of the variance of {objective} (fANOVA)", title="Importance of the parameters")
    save_figure(figure, path)


def draw_front(path: Path, done: pd.DataFrame, objectives: list[str], directions: list[Direction]) -> None:
    """Draw two objectives against each other, and the jobs that no other job beats in both."""
    values = done[objectives].to_numpy()
    on_front = front(values, directions)
    figure, axes = new_figure()
    axes.plot(*values[~on_front].T, "o", color="0.6", label="beaten by another")
    edge = values[on_front][np.argsort(values[on_front][:, 0])]
    axes.plot(*edge.T, "o-", color=OTHER, label="Pareto front")
    better = ["more" if direction == "maximize" else "less" for direction in directions]
    axes.set(
        xlabel=f"{objectives[0]} ({better[0]} is better)",
        ylabel=f"{objectives[1]} ({better[1]} is better)",
        title=f"{on_front.sum()} of {len(values)} jobs are on the front",
    )
    axes.legend(loc="best")
    save_figure(figure, path)


def _plain(value: str) -> Any:
    """Return a number where the text is one, else the text."""
    try:
        return int(value)
    except ValueError:
        pass
    try:
        return float(value)
    except ValueError:
        return value
