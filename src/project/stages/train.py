"""train: fits one pipeline on the train rows, cross-validates it, and chooses its threshold."""

from pathlib import Path

from seedbed.config.schema import Evaluation, Features, Model, Problem, Split
from seedbed.data.tables import read_table
from seedbed.models.reports import write_model, write_report
from seedbed.models.training import train_model
from seedbed.stages import stage


@stage
def train(
    problem: Problem,
    features: Features,
    split: Split,
    model: Model,
    evaluation: Evaluation,
    seed: int,
) -> None:
    """Write models/model and reports/train from data/features."""
    rows = read_table(Path("data/features"))
    trained = train_model(rows, problem, split, model, evaluation, seed, features)
    write_model(trained.pipeline, trained.decision, Path("models/model"))
    write_report(trained, model.name, Path("reports/train"))
    print(trained)
