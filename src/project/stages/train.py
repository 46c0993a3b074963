"""train: fits one pipeline on the train rows, cross-validates it, and chooses its threshold on validation rows."""

from pathlib import Path

from seedbed.config.schema import Evaluation, Model, Problem, Split
from seedbed.data.tables import read_table
from seedbed.files import replacing_folder, write_json
from seedbed.models.images import draw_training
from seedbed.models.plots import write_training_plots
from seedbed.models.serialization import dump_pipeline, installed_packages
from seedbed.models.training import Trained, train_model
from seedbed.stages import stage

FEATURES = Path("data/features")
MODEL = Path("models/model")
REPORT = Path("reports/train")


@stage
def train(problem: Problem, split: Split, model: Model, evaluation: Evaluation, seed: int) -> None:
    """Write models/model and reports/train from data/features."""
    trained = train_model(read_table(FEATURES), problem, split, model, evaluation, seed)
    write_trained(trained, model.name, MODEL, REPORT)
    print(trained.in_words())


def write_trained(trained: Trained, name: str, model: Path, report: Path) -> None:
    """Write the fitted pipeline, its decision and the packages it was fitted with into `model`, figures and plots into `report`."""
    with replacing_folder(model) as folder:
        dump_pipeline(trained.pipeline, folder / "pipeline.skops")
        trained.decision.write(folder / "decision.json")
        write_json(folder / "packages.json", installed_packages())
    with replacing_folder(report / "plots") as folder:
        write_training_plots(folder, trained.outcome, trained.details)
    with replacing_folder(report / "images") as folder:
        draw_training(folder, trained.outcome, trained.baseline, trained.details, name)
    write_json(report / "details.json", trained.details)
    write_json(report / "metrics.json", trained.headline)
