"""The gate: may a model be packaged? Yes or no, with the one sentence that says why."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from seedbed.config.schema import Gate, Problem
from seedbed.errors import UserError
from seedbed.files import read_json, write_json
from seedbed.models.metrics import Metric, find_metric, metrics_of


@dataclass(frozen=True)
class Verdict:
    """Whether a model may be packaged, and the sentence that says why, naming figure and threshold."""

    passed: bool
    reason: str

    def to_dict(self) -> dict[str, dict[str, str]]:
        """Return the verdict as `dvc metrics show` and `dvc exp show` list it."""
        return {"gate": {"passed": "yes" if self.passed else "no", "reason": self.reason}}

    def write(self, path: Path) -> None:
        """Write the verdict as JSON."""
        write_json(path, self.to_dict())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a verdict.

        Raises
        ------
        UserError
            If there is none in that file.
        """
        try:
            found = read_json(path)["gate"]
            return cls({"yes": True, "no": False}[found["passed"]], str(found["reason"]))
        except (OSError, ValueError, KeyError, TypeError):
            raise UserError(
                f"{path}: no verdict of the gate can be read from it. Run `dvc repro gate` to make it anew."
            ) from None


def judge(details: Mapping[str, Any], gate: Gate, problem: Problem) -> Verdict:
    """Hold the figures of the test rows against everything that the gate asks.

    Parameters
    ----------
    details : mapping
        What evaluate found: `test` and `difference`, each `{metric: {"value", "low", "high"}}`, where a difference is
        signed so that positive means better than the baseline.
    gate : Gate
        The thresholds (at least for a metric to maximize, at most for one to minimize; equal is enough), and whether
        the deciding metric must beat the baseline's by more than chance: the lower end of the 95 % interval of the
        paired difference above 0.
    problem : Problem
        Its task and its deciding metric.

    Returns
    -------
    Verdict
        The reason of a "no" names everything that was missed, that of a "yes" everything that was asked; a range
        in it is a 95 % interval. It is kept short: it is a column of `dvc exp show`.

    Raises
    ------
    UserError
        If a threshold is for a metric that was not measured.
    """
    answers = [_reaches(name, details["test"], bound, problem) for name, bound in sorted(gate.thresholds.items())]
    if gate.better_than_baseline:
        answers.append(_beats_baseline(find_metric(problem.metric, problem.task), details["difference"]))
    if not answers:
        return Verdict(
            True, "Nothing is asked of the model: the gate has no thresholds and no comparison with the baseline."
        )
    passed = all(met for met, _ in answers)
    told = [sentence for met, sentence in answers if met == passed]
    return Verdict(passed, f"{'; '.join(told)}.")


def _reaches(name: str, test: Mapping[str, Any], bound: float, problem: Problem) -> tuple[bool, str]:
    known = metrics_of(problem.task)
    if name not in test or name not in known:
        raise UserError(
            f"conf/gate: thresholds.{name} = {bound:g} is for a metric that is not measured on a {problem.task} "
            f"problem. Measured are {', '.join(sorted(test))}: choose one of them, or take the threshold out with "
            f"-S '~gate.thresholds.{name}'."
        )
    value = test[name]["value"]
    at_least = known[name].direction == "maximize"
    if value is None:
        return (
            False,
            f"{name} is not defined on the test rows, and {'at least' if at_least else 'at most'} {bound:g} is asked",
        )
    if value >= bound if at_least else value <= bound:
        return True, f"{name} {_apart(value, bound)} is {'at least' if at_least else 'at most'} {bound:g}"
    return False, f"{name} {_apart(value, bound)} is {'below' if at_least else 'above'} the threshold {bound:g}"


def _beats_baseline(metric: Metric, difference: Mapping[str, Any]) -> tuple[bool, str]:
    if metric.name not in difference:
        raise UserError(
            f"reports/evaluate/details.json: it holds no difference to the baseline in {metric.name}, the metric that "
            "decides (problem.metric). Run `dvc repro evaluate` to make it anew."
        )
    found = difference[metric.name]
    if found["value"] is None or found["low"] is None:
        return False, f"the test rows are too few to say whether {metric.name} beats the baseline's"
    if found["low"] > 0:
        return True, f"{metric.name} beats the baseline's by {_apart(found['low'], 0)} to {_apart(found['high'], 0)}"
    return False, (
        f"{metric.name} does not beat the baseline's beyond chance: "
        f"the difference is {_apart(found['low'], 0)} to {_apart(found['high'], 0)}"
    )


def _apart(value: float, bound: float) -> str:
    """Return a figure with three decimals, or as many more as it takes to be seen on its side of the bound."""
    for decimals in range(3, 17):
        text = f"{value:.{decimals}f}"
        if value == bound or (float(text) != bound and (float(text) > bound) == (value > bound)):
            return "0" if float(text) == 0 else text
    return repr(value)
