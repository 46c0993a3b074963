"""Stage gate: the figures of the test rows against what is asked of a model; a verdict with its reason."""

from pathlib import Path

from seedbed.config.schema import Gate, Problem
from seedbed.files import read_json
from seedbed.models.gate import judge
from seedbed.stages.run import run

DETAILS = Path("reports/evaluate/details.json")
VERDICT = Path("reports/gate.json")


def gate(problem: Problem, gate: Gate) -> None:
    """Write reports/gate.json. A "no" is an answer, not an error: stopping is for package to do."""
    verdict = judge(read_json(DETAILS), gate, problem)
    verdict.write(VERDICT)
    print(f"{'yes' if verdict.passed else 'no'}: {verdict.reason}")


if __name__ == "__main__":
    run(gate)
