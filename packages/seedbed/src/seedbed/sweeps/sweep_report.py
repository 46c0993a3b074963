"""What a sweep found, as a table and Optuna's pictures: reports/sweeps/<name>."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seedbed.files import replacing_folder, write_text
from seedbed.sweeps.objective import Objective, pareto_front
from seedbed.sweeps.records import Record

MOST_PARAMETERS = 12
"""Panels of a picture, before they are too small to read; those with the most values are drawn."""


def write_report(folder: Path, records: Sequence[Record], objectives: list[Objective]) -> None:
    """Write jobs.csv and the pictures of a sweep, over what an earlier run of it wrote.

    Parameters
    ----------
    folder : Path
        reports/sweeps/<name>.
    records : sequence of Record
        All jobs, in the order in which they began.
    objectives : list of Objective
        What was optimised.
    """
    names = [objective.name for objective in objectives]
    jobs = jobs_table(records, names)
    done = jobs[jobs["error"] == ""]
    if len(objectives) > 1:
        directions = [objective.direction for objective in objectives]
        jobs.insert(len(names) + 1, "on_front", False)
        jobs.loc[done.index, "on_front"] = pareto_front(done[names].to_numpy().tolist(), directions)
    parameters = swept_parameters(done)
    with replacing_folder(folder) as new:
        write_text(new / "jobs.csv", jobs.to_csv(index=False, lineterminator="\n"))
        if len(done) > 1 and parameters:
            draw(new, done, parameters, objectives)


def jobs_table(records: Sequence[Record], objectives: list[str]) -> pd.DataFrame:
    """Return one row a job: experiment, objectives, seconds, error, and a column for each key."""
    rows = []
    for record in records:
        values = record.values or [np.nan] * len(objectives)
        set_by = [override.lstrip("+~").partition("=") for override in record.overrides]
        rows.append(
            {
                "experiment": record.experiment,
                **dict(zip(objectives, values, strict=True)),
                "seconds": round(record.seconds, 2),
                "error": record.error,
                **{key: value for key, _, value in set_by},
            }
        )
    table = pd.DataFrame(rows, columns=None if rows else ["experiment", *objectives, "error"])
    for key in table.columns[table.columns.get_loc("error") + 1 :]:
        numbers = pd.to_numeric(table[key], errors="coerce")
        if (numbers.notna() == table[key].notna()).all():
            table[key] = numbers
    return table


def swept_parameters(done: pd.DataFrame) -> list[str]:
    """Return the override columns that differ between jobs, those with the most values first."""
    keys = done.columns[done.columns.get_loc("error") + 1 :]
    counts = done[keys].nunique(dropna=False).sort_values(ascending=False, kind="stable")
    return list(counts[counts > 1].index)


def as_study(done: pd.DataFrame, parameters: list[str], objectives: list[Objective]) -> Any:
    """Return finished jobs, be they of a grid or of a search, as an Optuna study."""
    import optuna
    from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(directions=[objective.direction for objective in objectives])
    spaces: dict[str, BaseDistribution] = {}
    for key in parameters:
        column = done[key].dropna()
        if pd.api.types.is_numeric_dtype(column):
            low, high = float(column.min()), float(column.max())
            # Values over more than a decade are mostly those of tag(log, ...).
            spaces[key] = FloatDistribution(low, high, log=low > 0 and high > 10 * low)
        else:
            spaces[key] = CategoricalDistribution(sorted(column.unique()))
    for _, row in done.iterrows():
        params = {
            key: float(row[key]) if isinstance(space, FloatDistribution) else row[key]
            for key, space in spaces.items()
            if pd.notna(row[key])
        }
        study.add_trial(
            optuna.create_trial(
                params={_short(key): value for key, value in params.items()},
                distributions={_short(key): spaces[key] for key in params},
                values=[float(row[objective.name]) for objective in objectives],
            )
        )
    return study


def draw(
    folder: Path, done: pd.DataFrame, parameters: list[str], objectives: list[Objective]
) -> None:
    """Draw the first objective over time and by parameter, importances, and the Pareto front."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib.ticker import MaxNLocator
    from optuna.visualization import matplotlib as plots

    with mpl.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # all of these are experimental
        if 1 < len(objectives) <= 3:
            study = as_study(done, parameters, objectives)
            names = [objective.name for objective in objectives]
            axes: Any = plots.plot_pareto_front(study, target_names=names)
            axes.get_legend().remove()
            _save(axes, folder / "front.png", "Red: no other job is better in all objectives")
        first = as_study(done, parameters, objectives[:1])
        name = objectives[0].name
        axes = plots.plot_optimization_history(first, target_name=name)
        _save(axes, folder / "history.png", f"{name} of each job")
        most = parameters[:MOST_PARAMETERS]
        whole = {_short(key) for key in most if pd.api.types.is_integer_dtype(done[key])}
        axes = plots.plot_slice(first, params=[_short(key) for key in most], target_name=name)
        for panel in np.ravel(axes):
            panel.tick_params(axis="x", labelrotation=45)
            if panel.get_xlabel() in whole:
                panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        _save(axes, folder / "parameters.png", f"{name} against each parameter")
        if len(parameters) > 1 and len(done) >= 4 and done[name].nunique() > 1:
            axes = plots.plot_param_importances(first, target_name=name)
            axes.get_legend().remove()
            axes.set(xlabel="share of the variance that it explains", ylabel="")
            _save(axes, folder / "importances.png", f"Importance of each parameter for {name}")


def _save(axes: Any, path: Path, title: str) -> None:
    """Save a picture of Optuna's under our title; its trials are jobs, counted in whole numbers."""
    from matplotlib import pyplot
    from matplotlib.ticker import MaxNLocator

    figure = np.ravel(axes)[0].figure
    for panel in figure.axes:
        for place in ("center", "left"):
            panel.set_title("", loc=place)
        for axis in (panel.xaxis, panel.yaxis):
            if axis.get_label_text() == "Trial":
                axis.set_label_text("job")
                axis.set_major_locator(MaxNLocator(integer=True))
    figure.suptitle(title)
    figure.savefig(path, bbox_inches="tight", dpi=110)
    pyplot.close(figure)


def _short(key: str) -> str:
    """Return a parameter's key as an axis has room for it."""
    return key.removeprefix("model.").removeprefix("arguments.").removeprefix("preprocessing.")
