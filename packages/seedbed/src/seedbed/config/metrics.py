"""The names of the metrics, and which way is better for which tasks, as conf/ is judged by."""

from typing import Literal

from seedbed.config.schema import Task

Direction = Literal["maximize", "minimize"]

METRICS: dict[str, tuple[Direction, tuple[Task, ...]]] = {
    "roc_auc": ("maximize", ("binary",)),
    "average_precision": ("maximize", ("binary",)),
    "log_loss": ("minimize", ("binary", "multiclass")),
    "brier": ("minimize", ("binary",)),
    "accuracy": ("maximize", ("binary", "multiclass")),
    "balanced_accuracy": ("maximize", ("binary", "multiclass")),
    "f1": ("maximize", ("binary",)),
    "precision": ("maximize", ("binary",)),
    "recall": ("maximize", ("binary",)),
    "f1_macro": ("maximize", ("multiclass",)),
    "roc_auc_ovr": ("maximize", ("multiclass",)),
    "rmse": ("minimize", ("regression",)),
    "mae": ("minimize", ("regression",)),
    "r2": ("maximize", ("regression",)),
}
"""Which way is better, and the tasks a metric is defined for, in the order of reports.

:mod:`seedbed.models.metrics` computes them.
"""


def why_not(name: str, task: Task) -> str | None:
    """Return why a name is none of a metric for the task, and which are; None if it is one."""
    known = [other for other, (_, tasks) in METRICS.items() if task in tasks]
    if name in known:
        return None
    why = (
        f"is a metric of {' and '.join(METRICS[name][1])} problems"
        if name in METRICS
        else "is not a known metric"
    )
    return f"{why}: for a {task} problem choose one of {', '.join(known)}"
