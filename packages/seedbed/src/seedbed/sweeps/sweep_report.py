"""What a sweep found, as a table and pictures: reports/sweeps/<name>."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from seedbed.files import replacing_folder, write_text
from seedbed.plotting import MODEL, OTHER, PALETTE, new_figure, save_figure
from seedbed.sweeps.objective import Direction, front
from seedbed.sweeps.records import Record

MARKERS = "osD^vPX*"
MOST_PARAMETERS = 12
"""Panels of a picture, before they are too small to read; those with the most distinct values are drawn."""


def write_report(
    folder: Path, records: Sequence[Record], objectives: list[str], directions: list[Direction]
) -> None:
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
        jobs.loc[finished, "on_front"] = front(
            jobs.loc[finished, objectives].to_numpy(), directions
        )
    with replacing_folder(folder) as new:
        write_text(new / "jobs.csv", jobs.to_csv(index=False, lineterminator="\n"))
        done = jobs[jobs["state"] == "done"]
        parameters = varied(done)
        if len(done) < 2 or not parameters:
            return
        draw_history(new / "history.png", done, objectives[0], directions[0])
        draw_parameters(
            new / "parameters.png", done[parameters], done[objectives[0]], objectives[0]
        )
        if importances := importances_by_model(done, parameters, objectives[0], directions[0]):
            draw_importances(new / "importances.png", importances, objectives[0])
        if len(objectives) > 1:
            draw_front(new / "front.png", done, objectives, directions)


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
    return pd.DataFrame(
        rows,
        columns=None if rows else ["experiment_name", "state", *objectives, "seconds", "error"],
    )


def varied(done: pd.DataFrame) -> list[str]:
    """Return the override columns that differ between jobs."""
    keys = list(done.columns[done.columns.get_loc("error") + 1 :])
    return [key for key in keys if done[key].nunique(dropna=False) > 1]


def importances_by_model(
    done: pd.DataFrame, parameters: list[str], objective: str, direction: Direction
) -> dict[str, dict[str, float]]:
    """Return the importances over all jobs, and over those of each model, which may have a space of its own."""
    groups = {f"all {len(done)} jobs": done}
    if "model" in parameters:
        groups |= {f"{model}, {len(jobs)} jobs": jobs for model, jobs in done.groupby("model")}
    found = {
        name: importance(jobs[parameters], jobs[objective], direction)
        for name, jobs in groups.items()
    }
    return {name: importances for name, importances in found.items() if importances}


def importance(
    parameters: pd.DataFrame, values: pd.Series, direction: Direction
) -> dict[str, float]:
    """Return how much of the objective's variance each parameter explains (fANOVA, Hutter et al. 2014), largest first.

    Parameters that only some of the jobs have are left out. Empty where that cannot be told: fewer than four jobs, all with the
    same value, or one parameter alone.
    """
    common = [
        key for key in parameters if parameters[key].notna().all() and parameters[key].nunique() > 1
    ]
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
            key: float(row[key]) if isinstance(spaces[key], FloatDistribution) else str(row[key])
            for key in common
        }
        study.add_trial(optuna.create_trial(params=told, distributions=spaces, value=float(value)))
    return dict(get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0)))


def draw_history(path: Path, done: pd.DataFrame, objective: str, direction: Direction) -> None:
    """Draw the objective of each job in order, and the best so far."""
    values = done[objective].to_numpy()
    so_far = (
        np.maximum.accumulate(values) if direction == "maximize" else np.minimum.accumulate(values)
    )
    figure, axes = new_figure()
    places = np.arange(1, len(values) + 1)
    axes.plot(places, values, "o", color=MODEL, label="job")
    axes.step(places, so_far, where="post", color=OTHER, label="best so far")
    axes.set(
        xlabel="job, in the order of their beginning",
        ylabel=objective,
        title=f"{objective} of {len(values)} jobs",
    )
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(loc="best")
    save_figure(figure, path)


def draw_parameters(
    path: Path, parameters: pd.DataFrame, values: pd.Series, objective: str
) -> None:
    """Draw the objective against each parameter that differs, each model in a colour and shape of its own."""
    keys = sorted(parameters, key=lambda key: -parameters[key].nunique())[:MOST_PARAMETERS]
    columns = min(3, len(keys))
    rows = -(-len(keys) // columns)
    figure, axes = new_figure(rows, columns, width=max(5.0, 3.8 * columns), height=3.2 * rows)
    panels = np.atleast_1d(axes).ravel()
    models = (
        parameters["model"].astype(str)
        if "model" in parameters
        else pd.Series("", parameters.index)
    )
    for panel, key in zip(panels, keys, strict=False):
        column = parameters[key].dropna()
        places = _scale(panel, column)
        for number, model in enumerate(sorted(models.unique())):
            own = places[models[places.index] == model]
            look = {
                "color": PALETTE[number % len(PALETTE)],
                "marker": MARKERS[number % len(MARKERS)],
            }
            panel.plot(own, values[own.index], linestyle="", alpha=0.7, label=model, **look)
        panel.set(xlabel=_short(key), ylabel=objective)
    for panel in panels[len(keys) :]:
        panel.set_visible(False)
    figure.suptitle(f"{objective} against each parameter")
    if models.nunique() > 1:
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    save_figure(figure, path)


def _scale(panel: Any, column: pd.Series) -> pd.Series:
    """Give a panel the axis that suits a parameter; return where its values stand there.

    Numbers over a decade and more have a logarithmic axis if that spreads them more evenly, as those of tag(log, ...).
    """
    if not pd.api.types.is_numeric_dtype(column):
        names = sorted(column.astype(str).unique())
        panel.set_xticks(range(len(names)), names, rotation=30, ha="right", fontsize=8)
        panel.set_xlim(-0.5, len(names) - 0.5)
        return column.astype(str).map(names.index)
    low, middle, high = column.min(), column.median(), column.max()
    if (
        low > 0
        and high >= 10 * low
        and abs(middle - np.sqrt(low * high)) < abs(middle - (low + high) / 2)
    ):
        panel.set_xscale("log")
        panel.xaxis.set_major_locator(LogLocator(subs=(1,) if high > 1000 * low else (1, 2, 5)))
        panel.xaxis.set_major_formatter("{x:g}")
        panel.xaxis.set_minor_formatter(NullFormatter())
    elif (column % 1 == 0).all():
        panel.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    return column


def draw_importances(path: Path, importances: dict[str, dict[str, float]], objective: str) -> None:
    """Draw the parameters' importances, the largest on top, a panel for each group of jobs."""
    rows = [len(group) for group in importances.values()]
    figure, axes = new_figure(len(rows), height=1.0 + sum(0.6 + 0.3 * row for row in rows))
    panels = np.atleast_1d(axes).ravel()
    panels[0].get_gridspec().set_height_ratios([row + 0.5 for row in rows])
    for panel, (name, group) in zip(panels, importances.items(), strict=True):
        names = list(group)[::-1]
        panel.barh(
            [_short(key) for key in names], [group[key] for key in names], color=MODEL, height=0.7
        )
        panel.set(xlim=(0, 1), title=name)
    panels[-1].set_xlabel(f"share of the variance of {objective} (fANOVA)")
    figure.suptitle("Importance of the parameters")
    save_figure(figure, path)


def draw_front(
    path: Path, done: pd.DataFrame, objectives: list[str], directions: list[Direction]
) -> None:
    """Draw the first two objectives against each other, and the jobs that no other job beats in all of them."""
    on_front = done["on_front"].to_numpy(dtype=bool)
    values = done[objectives[:2]].to_numpy()
    figure, axes = new_figure()
    axes.plot(*values[~on_front].T, "o", color="0.6", label="beaten by another")
    edge = values[on_front][np.argsort(values[on_front][:, 0])]
    # What lies behind the steps is beaten; of more than two objectives they would show but two.
    steps = "steps-pre" if directions[0] == "maximize" else "steps-post"
    line = {"linestyle": "-", "drawstyle": steps} if len(objectives) == 2 else {"linestyle": ""}
    axes.plot(*edge.T, marker="D", color=OTHER, label="Pareto front", **line)
    better = ["more" if direction == "maximize" else "less" for direction in directions]
    axes.set(
        xlabel=f"{objectives[0]} ({better[0]} is better)",
        ylabel=f"{objectives[1]} ({better[1]} is better)",
        title=f"{on_front.sum()} of {len(values)} jobs are on the front of\n{', '.join(objectives)}",
    )
    figure.legend(loc="outside lower center", ncols=2)
    save_figure(figure, path)


def _short(key: str) -> str:
    """Return a parameter's key as an axis has room for it."""
    return key.removeprefix("model.").removeprefix("arguments.")


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
