"""evaluate: the only stage that reads the test rows, for the model one has decided on."""

from pathlib import Path

from seedbed.config.schema import Evaluation, Model, Problem
from seedbed.data.tables import read_table, write_table
from seedbed.files import replacing_folder, write_json
from seedbed.models.decision import Decision
from seedbed.models.evaluating import Evaluated, evaluate_model
from seedbed.models.images import draw_evaluation
from seedbed.models.plots import write_evaluation_plots
from seedbed.models.serialization import load_pipeline
from seedbed.stages import stage

FEATURES = Path("data/features")
MODEL = Path("models/model")
REPORT = Path("reports/evaluate")
PREDICTIONS = Path("data/predictions")


@stage
def evaluate(problem: Problem, model: Model, evaluation: Evaluation, seed: int) -> None:
    """Write reports/evaluate and data/predictions from data/features and models/model."""
    pipeline, decision = (
        load_pipeline(MODEL / "pipeline.skops"),
        Decision.read(MODEL / "decision.json"),
    )
    evaluated = evaluate_model(pipeline, decision, read_table(FEATURES), problem, evaluation, seed)
    write_evaluated(evaluated, model.name, PREDICTIONS, REPORT)
    print(evaluated.in_words())


def write_evaluated(evaluated: Evaluated, name: str, predictions: Path, report: Path) -> None:
    """Write the predictions of the test rows into one folder, figures and plots into `report`."""
    write_table(evaluated.predictions, predictions)
    with replacing_folder(report / "plots") as folder:
        write_evaluation_plots(folder, evaluated.outcome, evaluated.details)
    with replacing_folder(report / "images") as folder:
        draw_evaluation(folder, evaluated.outcome, evaluated.baseline, evaluated.details, name)
    write_json(report / "details.json", evaluated.details)
    write_json(report / "metrics.json", evaluated.headline)
