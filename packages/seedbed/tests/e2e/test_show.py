"""Comparing experiments: the tables a person reads hold what tells them apart, and little else."""

import csv
import json
import re

import pytest
import yaml

from seedbed.config.yaml_files import flatten

from support import EXPERIMENTS, Project

HEADLINES = 8


def experiments(project: Project) -> dict[str, dict[str, str]]:
    """Return the rows of `dvc exp show` by experiment."""
    rows = csv.DictReader(project.dvc("exp", "show", "--csv").splitlines())
    return {row["Experiment"] or row["rev"]: row for row in rows}


@pytest.mark.slow
def test_each_experiment_is_a_row_of_figures_and_parameters(with_experiments: Project) -> None:
    rows = experiments(with_experiments)
    assert rows["linear"]["model.name"] == "logistic_regression"
    assert rows["second"]["seed"] == "2"
    assert rows["main"]["seed"] == "0"
    for name in ("linear", "second"):
        file = with_experiments.experiment_file(name, "reports/evaluate/metrics.json")
        recorded = json.loads(file)
        assert float(rows[name]["test.roc_auc"]) == pytest.approx(recorded["test"]["roc_auc"])
        assert rows[name]["test.roc_auc"] != rows["main"]["test.roc_auc"]


@pytest.mark.slow
def test_the_headline_metrics_are_few(with_experiments: Project) -> None:
    shown = json.loads(with_experiments.dvc("metrics", "show", "--json"))
    figures = [name for file in shown[""]["data"].values() for name in flatten(file["data"])]
    assert 3 <= len(figures) <= HEADLINES, figures


@pytest.mark.slow
def test_metrics_diff_and_params_diff_name_what_changed(with_experiments: Project) -> None:
    metrics = json.loads(with_experiments.dvc("metrics", "diff", "HEAD", "linear", "--json"))
    assert metrics["reports/evaluate/metrics.json"]["test.roc_auc"]["diff"] != 0
    params = json.loads(with_experiments.dvc("params", "diff", "HEAD", "second", "--json"))
    assert params["params.yaml"] == {"seed": {"old": 0, "new": 2, "diff": 2}}


@pytest.mark.slow
def test_make_show_is_a_table_of_what_differs(with_experiments: Project) -> None:
    printed = with_experiments.make("show")
    heading = next(line for line in printed.splitlines() if "Experiment" in line)
    columns = heading.split()
    assert {"test.roc_auc", "seed", "model.name"} <= set(columns)
    for hidden in ("_target_", "conf_hash", "problem.question", "models/model", "reports/", "src/"):
        assert hidden not in heading
    figures = {
        name: float(row["cv.roc_auc"])
        for name, row in experiments(with_experiments).items()
        if name in EXPERIMENTS
    }
    assert sorted(EXPERIMENTS, key=printed.index) == sorted(
        figures, key=lambda name: -figures[name]
    )
    # What does not differ between the three rows is not shown.
    assert not {"split.folds", "gate.thresholds.roc_auc"} & set(columns)
    with_experiments.commit("after the experiments")
    later = with_experiments.make("show")
    assert all(name in later for name in EXPERIMENTS), "experiments of an earlier commit are gone"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "revisions"), [("show", {"workspace"}), ("diff", {"HEAD", "linear"})]
)
def test_dvc_plots_draws_every_plot_of_the_graph(
    with_experiments: Project, command: str, revisions: set[str]
) -> None:
    asked = [*([] if command == "show" else ["HEAD", "linear"]), "--out", "drawn"]
    assert "drawn/index.html" in with_experiments.dvc("plots", command, *asked)
    page = (with_experiments.root / "drawn/index.html").read_text(encoding="utf-8")
    specs = re.findall(r"var spec = (\{.*?\});\n", page, flags=re.DOTALL)
    drawn = [json.loads(spec) for spec in specs]
    graph = yaml.safe_load((with_experiments.root / "dvc.yaml").read_text(encoding="utf-8"))
    planned = [name for plot in graph["plots"] for name in plot]
    assert [plot["title"]["text"] for plot in drawn] == planned
    for plot in drawn:
        assert {row["rev"] for row in plot["data"]["values"]} == revisions
    (confusion,) = (plot for plot in drawn if plot["title"]["text"].startswith("Confusion"))
    assert {row["actual"] for row in confusion["data"]["values"]} == {"no", "yes"}
