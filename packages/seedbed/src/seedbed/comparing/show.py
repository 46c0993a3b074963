"""How `dvc exp show` becomes readable: only the columns that differ, the best experiment first."""

import re
from pathlib import Path

from seedbed.config.modelling import Problem
from seedbed.config.repository import git
from seedbed.models.metrics import find_metric

HIDDEN_PARAMS = (
    "conf_hash",
    "problem.question",
    "problem.moment",
    "problem.excluded",
    "problem.success",
)
"""Parameters that do not show how two experiments differ: a hash, and sentences."""
HIDDEN = "|".join(
    [
        *map(re.escape, HIDDEN_PARAMS),
        r".*_target_.*",
        r"gate\.reason",  # of older commits
        r"(code|conf|data|models|reports|src|packages|pyproject|requirements)\b.*",
    ]
)
"""Columns of `dvc exp show` to leave out: those, and the hashes of data and code."""


def show_command(root: Path, problem: Problem) -> list[str]:
    """Return the arguments with which DVC shows the experiments of HEAD and the commits behind it.

    They are sorted by the deciding metric in cross-validation: what a model may be chosen by, and
    what the experiments of sweeps have.
    """
    metric = find_metric(problem.metric, problem.task)
    order = "desc" if metric.sign > 0 else "asc"
    sorting = ["--sort-by", f"cv.{metric.name}", "--sort-order", order]
    revisions = [word for commit in shown_commits(root) for word in ("--rev", commit)]
    return ["exp", "show", "--only-changed", "--drop", HIDDEN, *sorting, *revisions]


def shown_commits(root: Path) -> list[str]:
    """Return HEAD, and the commits behind it that have experiments."""
    listed = git(root, "for-each-ref", "--format=%(refname)", "refs/exps/??/*/*") or ""
    baselines = {"".join(ref.split("/")[2:4]) for ref in listed.splitlines()}
    history = (git(root, "rev-list", "HEAD~1") or "").splitlines() if baselines else []
    return ["HEAD", *(commit for commit in history if commit in baselines)]
