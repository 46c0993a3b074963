"""What train and evaluate write: the model, its figures, plots for DVC and pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from seedbed.files import replacing_folder, write_json
from seedbed.models.decision import Decision
from seedbed.models.images import draw_images
from seedbed.models.outcome import Outcome
from seedbed.models.plots import plot_tables, write_plots
from seedbed.models.serialization import dump_pipeline, installed_packages

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


class Measured(Protocol):
    """What train measured on the validation rows, or evaluate on the test rows."""

    @property
    def outcome(self) -> Outcome:
        """Truth and scores."""

    @property
    def baseline(self) -> Outcome:
        """The baseline's on the same rows."""

    @property
    def details(self) -> dict[str, Any]:
        """All figures."""

    @property
    def headline(self) -> dict[str, Any]:
        """The few figures that stand in `dvc exp show`."""


def write_model(pipeline: "Pipeline", decision: Decision, path: Path) -> None:
    """Write pipeline, decision and the versions of installed packages into the folder `path`."""
    with replacing_folder(path) as folder:
        dump_pipeline(pipeline, folder / "pipeline.skops")
        decision.write(folder / "decision.json")
        write_json(folder / "packages.json", installed_packages())


def write_report(measured: Measured, model: str, path: Path) -> None:
    """Write details.json, metrics.json, plots/ and images/ into the folder `path`.

    Parameters
    ----------
    measured : Measured
    model : str
        Name of the model, for the titles of pictures.
    """
    outcome, details = measured.outcome, measured.details
    tables = plot_tables(outcome, details)
    with replacing_folder(path / "plots") as folder:
        write_plots(folder, tables)
    with replacing_folder(path / "images") as folder:
        draw_images(folder, outcome, measured.baseline, tables, details, model)
    write_json(path / "details.json", details)
    write_json(path / "metrics.json", measured.headline)
