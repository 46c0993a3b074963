"""How `dvc exp show` becomes readable: only the columns in which experiments differ, the best one first."""

import re

from seedbed.config.schema import Problem
from seedbed.models.metrics import find_metric

HIDDEN_PARAMS = ("conf_hash", "problem.question", "problem.moment", "problem.excluded", "problem.success")
"""Parameters that tell nobody how two experiments differ: a fingerprint, and whole sentences. So do all `_target_`."""
HIDDEN = "|".join([*map(re.escape, HIDDEN_PARAMS), r".*_target_.*", r"(conf|data|models|reports|src|requirements)\b.*"])
"""Columns of `dvc exp show` that are left out: those, and the hashes of data and code."""


def show_command(problem: Problem) -> list[str]:
    """Return the words of the command.

    Sorted by the deciding metric in cross-validation: what a model may be chosen by, and what experiments of sweeps have.
    """
    metric = find_metric(problem.metric, problem.task)
    order = "desc" if metric.direction == "maximize" else "asc"
    sorting = ["--sort-by", f"cv.{metric.name}", "--sort-order", order]
    return ["exp", "show", "--only-changed", "--drop", HIDDEN, *sorting]
