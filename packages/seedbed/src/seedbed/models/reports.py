"""The report that train and evaluate write: figures, plots for DVC and pictures."""

from pathlib import Path
from typing import TYPE_CHECKING

from seedbed.files import replacing_folder, write_json
from seedbed.models.images import draw_images
from seedbed.models.plots import plot_tables, write_plots

if TYPE_CHECKING:
    from seedbed.models.evaluating import Evaluated
    from seedbed.models.training import Trained


def write_report(measured: "Trained | Evaluated", model: str, folder: Path) -> None:
    """Write details.json, metrics.json, plots/ and images/ into `folder`.

    Parameters
    ----------
    measured : Trained or Evaluated
        What train measured on the validation rows, or evaluate on the test rows.
    model : str
        Name of the model, for the titles of pictures.
    """
    outcome, details = measured.outcome, measured.details
    tables = plot_tables(outcome, details)
    with replacing_folder(folder / "plots") as plots:
        write_plots(plots, tables)
    with replacing_folder(folder / "images") as images:
        draw_images(images, outcome, measured.baseline, tables, details, model)
    write_json(folder / "details.json", details)
    write_json(folder / "metrics.json", measured.headline)
