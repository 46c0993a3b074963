"""How `dvc exp show` becomes readable: only the columns in which experiments differ, the best one first."""

import re
from collections.abc import Sequence
from pathlib import Path

from seedbed.config.repository import git
from seedbed.config.schema import Problem
from seedbed.models.metrics import find_metric

HIDDEN_PARAMS = (
    "conf_hash",
    "problem.question",
    "problem.card",
)
"""Parameters that tell nobody how two experiments differ: a fingerprint, and whole sentences. So do all `_target_`."""
HIDDEN = "|".join(
    [
        *map(re.escape, HIDDEN_PARAMS),
        r".*_target_.*",
        r"gate\.reason",
        r"(conf|data|models|reports|src|requirements)\b.*",
    ]
)
"""Columns of `dvc exp show` that are left out: those, the gate's reason, which is a sentence, and the hashes of data and code."""


def baselines(root: Path) -> list[str]:
    """Return HEAD, and the commits behind it that have experiments, the latest first: DVC shows those of HEAD alone."""
    listed = git(root, "for-each-ref", "--format=%(refname)", "refs/exps") or ""
    named = {
        "".join(found.groups())
        for found in re.finditer(r"^refs/exps/([0-9a-f]{2})/([0-9a-f]{38})/", listed, re.MULTILINE)
    }
    behind = (git(root, "rev-list", "HEAD~1") or "").splitlines() if named else []
    return ["HEAD", *(commit for commit in behind if commit in named)]


def show_command(problem: Problem, commits: Sequence[str]) -> list[str]:
    """Return the words of the command that shows the experiments of some commits.

    Sorted by the deciding metric in cross-validation: what a model may be chosen by, and what experiments of sweeps have.
    """
    metric = find_metric(problem.metric, problem.task)
    order = "desc" if metric.direction == "maximize" else "asc"
    sorting = ["--sort-by", f"cv.{metric.name}", "--sort-order", order]
    revisions = [word for commit in commits for word in ("--rev", commit)]
    return ["exp", "show", "--only-changed", "--drop", HIDDEN, *sorting, *revisions]
