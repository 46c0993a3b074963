"""The registry of metrics: what each is called, which way is better, and for which tasks.

The functions register themselves, so that a metric is one function with its facts beside it.
Checking a configuration imports NumPy for that, and never scikit-learn.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from seedbed.config.extensions import (
    Registry,
    check_function,
    place_of,
    refuse_unknown,
    refuse_without_brackets,
)
from seedbed.config.modelling import Task
from seedbed.errors import CodeError, UserError, did_you_mean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Direction = Literal["maximize", "minimize"]
Function = TypeVar("Function", bound=Callable[[Any], Any])

BUILT_IN = "seedbed.models.metrics"
"""Registers the package's own metrics when it is imported."""


class NoNumberError(Exception):
    """What a metric has called for a resample gives no number; the message says what."""


@dataclass(frozen=True)
class Metric:
    """A metric and its facts."""

    name: str
    direction: Direction
    tasks: tuple[Task, ...]
    # takes a :class:`~seedbed.models.outcome.Sample` of b resamples, returns shape (b,)
    function: Callable[[Any], Any]

    def compute(self, sample: Any) -> "NDArray[np.float64]":
        """Return the value of each of b resamples, shape (b,); NaN also where it is infinite.

        Raises CodeError if the function gives anything but an array of b numbers.
        """
        import numpy as np

        where, needed = f"{place_of(self.function)}: the metric {self.name}", (len(sample.counts),)
        try:
            given = self.function(sample)
        except NoNumberError as error:
            raise CodeError(f"{where} {error}") from None
        fits = isinstance(given, np.ndarray) and given.dtype.kind in "iuf"
        if not fits or given.shape != needed:
            shape = f" and shape {given.shape}" if hasattr(given, "shape") else ""
            raise CodeError(
                f"{where} gives a value of type {type(given).__name__}{shape}, where an array of "
                f"numbers of shape {needed} is needed, one for each resample. Return "
                "sample.mean(...) of a value for each row, or sample.each(...) of a function that "
                "returns one number."
            )
        return np.where(np.isfinite(given), given, np.nan)

    def of(self, outcome: Any) -> float:
        """Return the value on all rows of an :class:`~seedbed.models.outcome.Outcome`, or NaN."""
        return float(self.compute(outcome.sample())[0])

    @property
    def sign(self) -> int:
        """1 if more is better, else -1."""
        return 1 if self.direction == "maximize" else -1


METRICS: Registry[Metric] = Registry("metric", "metrics")
"""The package's own, and those of the project's metrics.py."""


def metric(direction: Direction, *tasks: Task) -> Callable[[Function], Function]:
    """Register the decorated function as the metric of its name.

    Parameters
    ----------
    direction : {"maximize", "minimize"}
        Which way is better.
    *tasks : {"binary", "multiclass", "regression"}
        The tasks that it is a metric of, at least one.

    Raises
    ------
    UserError
        If another function has registered that name, a word is none of these, or what is decorated
        is no function of one argument.

    Examples
    --------
    >>> @metric("minimize", "regression")
    ... def largest_error(sample):
    ...     def largest(truth, scores, weights):
    ...         return abs(truth - scores)[weights > 0].max()
    ...     return sample.each(largest)
    """

    refuse_without_brackets(direction, 'metric("maximize", "binary")')

    def register(function: Function) -> Function:
        check_function("metric", function, ["sample"])
        name = function.__name__
        refuse_unknown("the direction of @metric", [direction], get_args(Direction))
        if not tasks:
            raise UserError(f"@metric names no task. It may be {', '.join(get_args(Task))}.")
        refuse_unknown("a task of @metric", tasks, get_args(Task))
        METRICS.add(name, Metric(name, direction, tasks, function), function)
        return function

    return register


def known_metrics() -> dict[str, Metric]:
    """Return all metrics by name, in the order of reports."""
    import_module(BUILT_IN)
    return METRICS.all()


def metrics_of(task: Task) -> dict[str, Metric]:
    """Return the metrics that are defined for a task, by name, in the order of reports."""
    return {name: found for name, found in known_metrics().items() if task in found.tasks}


def find_metric(name: str, task: Task) -> Metric:
    """Return the metric that decides (problem.metric).

    Raises UserError if there is no such metric for the task.
    """
    if why := why_not(name, task):
        raise UserError(f"problem.metric is {name!r}, which {why}. Edit the conf/dataset file.")
    return known_metrics()[name]


def why_not(name: str, task: Task) -> str | None:
    """Return why a name is no metric of the task, and which are; None if it is one."""
    known = metrics_of(task)
    if name in known:
        return None
    why = f"is not a known metric{did_you_mean(name, known)}"
    if other := known_metrics().get(name):
        why = f"is a metric of {' and '.join(other.tasks)} problems"
    return f"{why}: for a {task} problem choose one of {', '.join(known)}"
