"""evaluate: the only stage that reads the test rows, for the model one has decided on."""

from pathlib import Path

from seedbed.config.schema import Evaluation, Model, Problem
from seedbed.data.tables import read_table, write_table
from seedbed.files import replacing_folder, write_json
from seedbed.models.decision import Decision
from seedbed.models.evaluating import Evaluated, evaluate_model
from seedbed.models.images import draw_evaluation
from seedbed.models.plots import evaluation_plots, write_plots
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
    write_evaluated(evaluated, model.name, Path("data/predictions"), Path("reports/evaluate"))
    print(evaluated)


def write_evaluated(evaluated: Evaluated, name: str, predictions: Path, report: Path) -> None:
    """Write the predictions of the test rows into one folder, figures into `report`."""
    write_table(evaluated.predictions, predictions)
    outcome, baseline, details = evaluated.outcome, evaluated.baseline, evaluated.details
    tables = evaluation_plots(outcome, details)
    with replacing_folder(report / "plots") as folder:
        write_plots(folder, tables)
    with replacing_folder(report / "images") as folder:
        draw_evaluation(folder, outcome, baseline, tables, details, name)
    write_json(report / "details.json", details)
    write_json(report / "metrics.json", evaluated.headline)
