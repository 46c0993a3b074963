"""Stage gate: the test rows' figures against what is asked of a model and what the champion reaches; a verdict."""

from pathlib import Path

from seedbed.config.columns import resolve_columns
from seedbed.config.schema import Cleaning, ColumnLists, Evaluation, Gate, Problem
from seedbed.data.tables import read_table
from seedbed.files import read_json, write_json
from seedbed.models.gate import judge, write_refusal
from seedbed.serving.champion import compare_with_champion, has_champion
from seedbed.stages import stage

DETAILS = Path("reports/evaluate/details.json")
VERDICT = Path("reports/gate.json")
REFUSAL = Path("reports/refusal.txt")
COMPARISON = Path("reports/champion.json")


@stage
def gate(
    columns: ColumnLists,
    problem: Problem,
    cleaning: Cleaning,
    evaluation: Evaluation,
    gate: Gate,
    seed: int,
) -> None:
    """Write the verdict. A "no" is an answer, not an error: stopping is for package to do.

    package depends on reports/refusal.txt alone, the same for every "yes": a promotion changes the reason of a "yes",
    and makes no bundle anew.
    """
    comparison = None
    if gate.champion.compare and has_champion():
        raw, predictions = read_table(Path("data/raw")), read_table(Path("data/predictions"))
        known = resolve_columns(columns, raw)
        comparison = compare_with_champion(
            raw, predictions, known, problem, cleaning, evaluation, seed
        )
    verdict = judge(read_json(DETAILS), gate, problem, comparison)
    verdict.write(VERDICT)
    write_refusal(REFUSAL, verdict)
    write_json(
        COMPARISON,
        comparison.to_dict() if comparison else {"compared": False, "why": "there is no champion"},
    )
    print(f"{'yes' if verdict.passed else 'no'}: {verdict.reason}")
