"""The gate: may a model be packaged? Yes or no, with the one sentence that says why."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from seedbed.config.modelling import AgainstChampion, Gate, Problem
from seedbed.errors import UserError
from seedbed.files import read_json, write_json, write_text
from seedbed.models.comparison import Comparison
from seedbed.models.metrics import Metric, find_metric, metrics_of

PASSED = "none"
"""What the file of the refusal holds when there is none: every "yes" is the same there."""
RECORDED = "Recorded in an experiment: `dvc repro` judges again."
"""The last line of a refusal that stopped nothing."""


@dataclass(frozen=True)
class Verdict:
    """Whether a model may be packaged, and the sentence that says why."""

    passed: bool
    reason: str

    @property
    def headline(self) -> dict[str, Any]:
        """What stands in `dvc exp show`; the reason would be its widest column."""
        return {"gate": {"passed": "yes" if self.passed else "no"}}

    def write(self, path: Path, **more: Any) -> None:
        """Write the verdict as JSON, and more beside it."""
        write_json(path, {**asdict(self), **more})

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a verdict.

        Raises UserError if there is none in that file.
        """
        try:
            found = read_json(path)
            return cls({True: True, False: False}[found["passed"]], str(found["reason"]))
        except (OSError, ValueError, KeyError, TypeError):
            raise UserError(
                f"{path}: no verdict of the gate can be read from it. Run `dvc repro gate`."
            ) from None


def write_refusal(path: Path, verdict: Verdict, recorded: bool = False) -> None:
    """Write why the gate refuses a model, the same for every "yes".

    Parameters
    ----------
    recorded : bool
        Whether an experiment recorded the refusal as its bundle. DVC runs a stage only if a file
        differs from what dvc.lock holds: without a difference, `dvc repro` of an applied
        experiment would take the refusal for a finished bundle and succeed in silence. One more
        line is that difference, of gate's output and so, once gate ran, of package's dependency.
    """
    reason = PASSED if verdict.passed else verdict.reason
    write_text(path, f"{reason}\n{RECORDED}\n" if recorded else f"{reason}\n")


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
        raise UserError(f"{path}: there is no verdict of the gate. Run `dvc repro gate`.") from None
    return None if reason == PASSED else reason.removesuffix(RECORDED).strip()


def judge(
    details: Mapping[str, Any], gate: Gate, problem: Problem, comparison: Comparison | None = None
) -> Verdict:
    """Compare the figures of the test rows with what conf/gate asks.

    Parameters
    ----------
    details : mapping
        What reports/evaluate/details.json holds.
    comparison : Comparison or None
        With the champion on the same rows; None without one.

    Returns
    -------
    Verdict
        The reason of a "no" names everything that was missed, that of a "yes" everything that was
        asked; a range in it is a 95 % interval.

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
        metric = find_metric(problem.metric, problem.task)
        answers.append(_beats_baseline(metric, details["difference"]))
    if comparison:
        answers.append(_beats_champion(comparison, gate.champion, problem.metric))
    if not answers:
        return Verdict(True, "conf/gate asks nothing of the model.")
    passed = all(met for met, _ in answers)
    return Verdict(passed, f"{'; '.join(words for met, words in answers if met == passed)}.")


def _reaches(
    name: str, test: Mapping[str, Any], bound: float, problem: Problem
) -> tuple[bool, str]:
    known = metrics_of(problem.task)
    if name not in test or name not in known:
        raise UserError(
            f"conf/gate: thresholds.{name} = {bound:g} is for a metric that is not measured on a "
            f"{problem.task} problem. Measured are {', '.join(sorted(test))}: choose one of them, "
            f"or take the threshold out with -S '~gate.thresholds.{name}'."
        )
    value, sign = test[name]["value"], known[name].sign
    asked, missed = ("at least", "below") if sign > 0 else ("at most", "above")
    if value is None:
        return False, f"{name} is not defined on the test rows, and {asked} {bound:g} is asked"
    if sign * value >= sign * bound:
        return True, f"{name} {_beyond(value, bound)} is {asked} {bound:g}"
    return False, f"{name} {_beyond(value, bound)} is {missed} the threshold {bound:g}"


def _beats_baseline(metric: Metric, difference: Mapping[str, Any]) -> tuple[bool, str]:
    name = metric.name
    if name not in difference:
        raise UserError(
            f"reports/evaluate/details.json: it holds no difference to the baseline in {name}, the "
            "metric that decides (problem.metric). Run `dvc repro evaluate`."
        )
    low, high = difference[name]["low"], difference[name]["high"]
    if difference[name]["value"] is None:
        return False, f"{name} is not defined on the test rows, for the model or for the baseline"
    if low is None:
        return False, f"{_too_few(name)} with the baseline's"
    span = f"{_beyond(low, 0)} to {_beyond(high, 0)}"
    if low > 0:
        return True, f"{name} beats the baseline's by {span}"
    return False, f"{name} does not beat the baseline's beyond chance: the difference is {span}"


def _beats_champion(comparison: Comparison, asked: AgainstChampion, name: str) -> tuple[bool, str]:
    if comparison.obstacle:
        return False, (
            f"the champion cannot be compared: {comparison.obstacle}; gate.champion.compare=false "
            "decides without it"
        )
    if comparison.identical:
        return True, "it predicts for every row what the champion predicts"
    found, champion = comparison.difference[name], comparison.champion[name]["value"]
    low, high = found["low"], found["high"]
    if low is None or champion is None:
        return False, f"{_too_few(name)} with the champion's"
    margin = 0.0 if asked.superiority else asked.tolerance * abs(champion)
    # As many decimals as it takes to see on which side of the bound the lower end is.
    decimals = next((n for n in range(4, 17) if round(low, n) != round(-margin, n)), 4)
    allowed = f"less than {margin:.{decimals}f} worse"
    return low > -margin, (
        f"{name} against the champion's is {_better(low, decimals)} to {_better(high, decimals)}, "
        f"and {'better beyond chance' if asked.superiority else allowed} is asked"
    )


def _too_few(name: str) -> str:
    return f"the test rows, or the groups they are in, are too few to compare {name}"


def _better(difference: float, decimals: int) -> str:
    if not difference:
        return "equal"
    return f"{abs(difference):.{decimals}f} {'better' if difference > 0 else 'worse'}"


def _beyond(value: float, bound: float) -> str:
    """Return a figure with three decimals, or more where that would hide its side of the bound."""
    for decimals in range(3, 17):
        text = f"{value:.{decimals}f}"
        if value == bound or (float(text) != bound and (float(text) > bound) == (value > bound)):
            return "0" if float(text) == 0 else text
    return repr(value)
