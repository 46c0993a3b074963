"""gate: the test rows' figures against what is asked of a model and what the champion reaches."""

from pathlib import Path

from seedbed.config.columns import resolve_columns
from seedbed.config.schema import Cleaning, ColumnLists, Evaluation, Gate, Problem
from seedbed.data.tables import read_table
from seedbed.files import read_json, write_json
from seedbed.models.gate import judge, write_refusal
from seedbed.serving.champion import compare_with_champion, has_champion
from seedbed.stages import stage


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

    package depends on reports/refusal.txt alone, the same for every "yes": a promotion changes the
    reason of a "yes", and makes no bundle anew.
    """
    comparison = None
    if gate.champion.compare and has_champion():
        raw, predictions = read_table(Path("data/raw")), read_table(Path("data/predictions"))
        known = resolve_columns(columns, raw)
        comparison = compare_with_champion(
            raw, predictions, known, problem, cleaning, evaluation, seed
        )
    details = read_json(Path("reports/evaluate/details.json"))
    verdict = judge(details, gate, problem, comparison)
    champion = comparison.to_dict() if comparison else {"compared": False, "why": "there is none"}
    verdict.write(Path("reports/verdict.json"), champion=champion)
    write_json(Path("reports/gate.json"), verdict.headline)
    write_refusal(Path("reports/refusal.txt"), verdict)
    print(f"{verdict.headline['gate']['passed']}: {verdict.reason}")
