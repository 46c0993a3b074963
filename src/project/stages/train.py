"""train: fits one pipeline on the train rows, cross-validates it, and chooses its threshold."""

from pathlib import Path

from seedbed.config.schema import Evaluation, Model, Problem, Split
from seedbed.data.tables import read_table
from seedbed.files import replacing_folder, write_json
from seedbed.models.reports import write_report
from seedbed.models.serialization import dump_pipeline, installed_packages
from seedbed.models.training import train_model
from seedbed.stages import stage


@stage
def train(problem: Problem, split: Split, model: Model, evaluation: Evaluation, seed: int) -> None:
    """Write models/model and reports/train from data/features."""
    rows = read_table(Path("data/features"))
    trained = train_model(rows, problem, split, model, evaluation, seed)
    with replacing_folder(Path("models/model")) as folder:
        dump_pipeline(trained.pipeline, folder / "pipeline.skops")
        trained.decision.write(folder / "decision.json")
        write_json(folder / "packages.json", installed_packages())
    write_report(trained, model.name, Path("reports/train"))
    print(trained)
