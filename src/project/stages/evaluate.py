"""evaluate: the only stage that reads the test rows, for the model one has decided on."""

from pathlib import Path

from seedbed.config.schema import Evaluation, Model, Problem
from seedbed.data.tables import read_table, write_table
from seedbed.models.decision import Decision
from seedbed.models.evaluating import evaluate_model
from seedbed.models.reports import write_report
from seedbed.models.serialization import load_pipeline
from seedbed.stages import stage

MODEL = Path("models/model")


@stage
def evaluate(problem: Problem, model: Model, evaluation: Evaluation, seed: int) -> None:
    """Write reports/evaluate and data/predictions from data/features and models/model."""
    pipeline = load_pipeline(MODEL / "pipeline.skops")
    decision = Decision.read(MODEL / "decision.json")
    rows = read_table(Path("data/features"))
    evaluated = evaluate_model(pipeline, decision, rows, problem, evaluation, seed, model)
    write_table(evaluated.predictions, Path("data/predictions"))
    write_report(evaluated, model.name, Path("reports/evaluate"))
    print(evaluated)
