"""evaluate: the only stage that reads the test rows, for the model one has decided on."""

from pathlib import Path

from seedbed.config.schema import Evaluation, Model, Problem
from seedbed.data.tables import read_table, write_table
from seedbed.files import replacing_folder, write_json
from seedbed.models.decision import Decision
from seedbed.models.evaluating import evaluate_model
from seedbed.models.images import draw_evaluation
from seedbed.models.plots import write_evaluation_plots
from seedbed.models.serialization import load_pipeline
from seedbed.stages.run import run

FEATURES = Path("data/features")
MODEL = Path("models/model")
REPORT = Path("reports/evaluate")
PREDICTIONS = Path("data/predictions")


def evaluate(problem: Problem, model: Model, evaluation: Evaluation, seed: int) -> None:
    """Write reports/evaluate and data/predictions from data/features and models/model."""
    pipeline, decision = load_pipeline(MODEL / "pipeline.skops"), Decision.read(MODEL / "decision.json")
    evaluated = evaluate_model(pipeline, decision, read_table(FEATURES), problem, evaluation, seed)
    write_table(evaluated.predictions, PREDICTIONS)
    with replacing_folder(REPORT / "plots") as folder:
        write_evaluation_plots(folder, evaluated.outcome, evaluated.details)
    with replacing_folder(REPORT / "images") as folder:
        draw_evaluation(folder, evaluated.outcome, evaluated.baseline, evaluated.details, model.name)
    write_json(REPORT / "details.json", evaluated.details)
    write_json(REPORT / "metrics.json", evaluated.headline)


if __name__ == "__main__":
    run(evaluate)
