"""train: fits one pipeline on the train rows, cross-validates it, and chooses its threshold."""

from pathlib import Path

from seedbed.config.schema import Evaluation, Features, Model, Problem, Split
from seedbed.data.tables import read_table
from seedbed.files import replacing_folder, write_json
from seedbed.models.images import draw_training
from seedbed.models.plots import training_plots, write_plots
from seedbed.models.serialization import dump_pipeline, installed_packages
from seedbed.models.training import Trained, train_model
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
    write_trained(trained, model.name, Path("models/model"), Path("reports/train"))
    print(trained)


def write_trained(trained: Trained, name: str, model: Path, report: Path) -> None:
    """Write pipeline, decision and installed packages into `model`, figures into `report`."""
    with replacing_folder(model) as folder:
        dump_pipeline(trained.pipeline, folder / "pipeline.skops")
        trained.decision.write(folder / "decision.json")
        write_json(folder / "packages.json", installed_packages())
    outcome, baseline, details = trained.outcome, trained.baseline, trained.details
    tables = training_plots(outcome, details)
    with replacing_folder(report / "plots") as folder:
        write_plots(folder, tables)
    with replacing_folder(report / "images") as folder:
        draw_training(folder, outcome, baseline, tables, details, name)
    write_json(report / "details.json", details)
    write_json(report / "metrics.json", trained.headline)
