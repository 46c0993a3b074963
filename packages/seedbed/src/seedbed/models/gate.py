"""The gate: may a model be packaged? Yes or no, with the one sentence that says why."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from seedbed.config.schema import AgainstChampion, Gate, Problem
from seedbed.errors import UserError
from seedbed.files import read_json, write_json, write_text
from seedbed.models.comparison import Comparison
from seedbed.models.metrics import Metric, find_metric, metrics_of

OPEN = "Recorded in an experiment: `dvc repro` judges again."
"""The last line of a refusal that stopped nothing."""


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


def write_refusal(path: Path, verdict: Verdict) -> None:
    """Write why the gate refuses a model, the same for every "yes"."""
    write_text(path, "none\n" if verdict.passed else f"{verdict.reason}\n")


def leave_open(path: Path) -> None:
    """Say in a refusal that an experiment recorded it, so that `dvc repro` judges the model again.

    DVC runs a stage only if a file differs from what dvc.lock holds. Without a difference, `dvc repro`
    of an applied experiment would take its refusal for a finished bundle and succeed in silence. The
    sentence is that difference: of gate's output and so, once gate ran, of package's dependency.
    """
    write_text(path, f"{read_refusal(path)}\n{OPEN}\n")


def read_refusal(path: Path) -> str | None:
    """Return why the gate refuses a model, or None where it lets it pass.

    Raises
    ------
    UserError
        If there is no such file.
    """
    try:
        reason = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise UserError(
            f"{path}: there is no verdict of the gate. Run `dvc repro gate` to make it anew."
        ) from None
    return None if reason == "none" else reason.removesuffix(OPEN).strip()


def judge(
    details: Mapping[str, Any], gate: Gate, problem: Problem, comparison: Comparison | None = None
) -> Verdict:
    """Hold the figures of the test rows against everything that the gate asks.

    Parameters
    ----------
    details : mapping
        What evaluate found: `test` and `difference`, each `{metric: {"value", "low", "high"}}`, where a difference is
        signed so that positive means better than the baseline.
    gate : Gate
        The thresholds (at least for a metric to maximize, at most for one to minimize; equal is enough), and whether
        the deciding metric must beat the baseline's by more than chance: the lower end of the 95 % interval of the
        paired difference above 0. Against the champion the model must not be inferior: the lower end of the
        interval above minus the tolerance (or above 0 where superiority is asked). A model that says of every row what
        the champion says passes, whatever is asked.
    problem : Problem
        Its task and its deciding metric.
    comparison : Comparison or None
        With the champion on the same rows; None without one.

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
    answers = [
        _reaches(name, details["test"], bound, problem)
        for name, bound in sorted(gate.thresholds.items())
    ]
    if gate.better_than_baseline:
        answers.append(
            _beats_baseline(find_metric(problem.metric, problem.task), details["difference"])
        )
    if comparison:
        answers.append(_stands_against(comparison, gate.champion, problem.metric))
    if not answers:
        return Verdict(
            True,
            "Nothing is asked of the model: the gate has no thresholds and no comparison with the baseline.",
        )
    passed = all(met for met, _ in answers)
    told = [sentence for met, sentence in answers if met == passed]
    return Verdict(passed, f"{'; '.join(told)}.")


def _reaches(
    name: str, test: Mapping[str, Any], bound: float, problem: Problem
) -> tuple[bool, str]:
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
        return (
            True,
            f"{name} {_apart(value, bound)} is {'at least' if at_least else 'at most'} {bound:g}",
        )
    return (
        False,
        f"{name} {_apart(value, bound)} is {'below' if at_least else 'above'} the threshold {bound:g}",
    )


def _beats_baseline(metric: Metric, difference: Mapping[str, Any]) -> tuple[bool, str]:
    if metric.name not in difference:
        raise UserError(
            f"reports/evaluate/details.json: it holds no difference to the baseline in {metric.name}, the metric that "
            "decides (problem.metric). Run `dvc repro evaluate` to make it anew."
        )
    found = difference[metric.name]
    if found["value"] is None or found["low"] is None:
        return (
            False,
            f"the test rows, or the groups they are in, are too few to say whether {metric.name} beats the baseline's",
        )
    if found["low"] > 0:
        return (
            True,
            f"{metric.name} beats the baseline's by {_apart(found['low'], 0)} to {_apart(found['high'], 0)}",
        )
    return False, (
        f"{metric.name} does not beat the baseline's beyond chance: "
        f"the difference is {_apart(found['low'], 0)} to {_apart(found['high'], 0)}"
    )


def _stands_against(
    comparison: Comparison, asked: AgainstChampion, metric: str
) -> tuple[bool, str]:
    if comparison.obstacle:
        return False, (
            f"the champion cannot be compared: {comparison.obstacle}; gate.champion.compare=false decides without it"
        )
    if comparison.identical:
        return True, "it says of every row what the champion says"
    found, champion = comparison.difference[metric], comparison.champion[metric]["value"]
    if found["low"] is None or champion is None:
        return (
            False,
            f"the test rows, or the groups they are in, are too few to compare {metric} with the champion's",
        )
    margin = 0.0 if asked.superiority else asked.tolerance * abs(champion)
    # As many decimals as it takes to see on which side of the bound the lower end is.
    decimals = next((n for n in range(4, 17) if round(found["low"], n) != round(-margin, n)), 4)
    low, high = (_better(found[end], decimals) for end in ("low", "high"))
    wanted = (
        "better beyond chance" if asked.superiority else f"less than {margin:.{decimals}f} worse"
    )
    return found[
        "low"
    ] > -margin, f"{metric} against the champion's is {low} to {high}, and {wanted} is asked"


def _better(difference: float, decimals: int) -> str:
    return (
        f"{abs(difference):.{decimals}f} {'better' if difference > 0 else 'worse'}"
        if difference
        else "equal"
    )


def _apart(value: float, bound: float) -> str:
    """Return a figure with three decimals, or as many more as it takes to be seen on its side of the bound."""
    for decimals in range(3, 17):
        text = f"{value:.{decimals}f}"
        if value == bound or (float(text) != bound and (float(text) > bound) == (value > bound)):
            return "0" if float(text) == 0 else text
    return repr(value)
