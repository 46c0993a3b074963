"""How `dvc exp show` becomes readable: only the columns in which experiments differ, the best one first."""

from seedbed.config.schema import Problem
from seedbed.models.metrics import find_metric

HIDDEN = r"conf_hash|.*_target_.*|problem\.(question|moment|excluded|success)|(conf|data|models|reports|src|requirements)\b.*"
"""Columns that tell nobody how two experiments differ: hashes of data and code, and whole sentences."""


def show_command(problem: Problem) -> list[str]:
    """Return the words of the command.

    Sorted by the deciding metric in cross-validation: what a model may be chosen by, and what experiments of sweeps have.
    """
    metric = find_metric(problem.metric, problem.task)
    order = "desc" if metric.direction == "maximize" else "asc"
    sorting = ["--sort-by", f"cv.{metric.name}", "--sort-order", order]
    return ["exp", "show", "--only-changed", "--drop", HIDDEN, *sorting]
