"""A mistake in conf/ or in the data stops `dvc repro` with a paragraph that names it, and costs nothing that was there."""

import re
from pathlib import Path

import pytest

from support import Project, outputs, stages_in

ARRIVALS = "{type: ExpectColumnValuesToBeBetween, severity: critical, arguments: {column: distance, min_value: 1, max_value: 2000}}"


def test_a_critical_expectation_stops_the_graph_and_names_the_rows(project: Project) -> None:
    before = outputs(project.root)
    with (project.root / "conf/expectations/flights.yaml").open("a", encoding="utf-8") as suite:
        suite.write(f"  - {ARRIVALS}\n")
    printed = project.refused("dvc", "repro")
    assert stages_in(printed) == ["compose", "validate"]
    failed = r"ExpectColumnValuesToBeBetween\(column=distance, .*\) fails in [\d,]+ rows"
    assert re.search(failed, printed)
    assert re.search(r"such as index \d+: \d+", printed)
    assert "conf/expectations" in printed

    project.git("checkout", "--", "conf")
    project.make("restore")
    # Compose had done its work when validate stopped.
    composed = ("params.yaml", "reports/overrides.yaml")
    assert {**outputs(project.root), **{name: before[name] for name in composed}} == before
    assert set(project.stages_run()) <= {"compose", "validate"}
    assert project.git("status", "--porcelain") == ""
    assert outputs(project.root) == before


SPLIT = "conf/split/time.yaml"


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        (SPLIT, "folds: 3", "fold: 3", ["split.fold is not a known key (value 3)", SPLIT]),
        (SPLIT, "folds: 3", "folds: [3", [f"{SPLIT}: this is not a YAML file", "line 6"]),
        (SPLIT, "folds: 3", "folds: ${fold}", ["split.folds is '${fold}'", "'fold' not found", SPLIT]),
        ("conf/config.yaml", "model: hist", "model: mist", ["mist_gradient_boosting", "logistic_regression"]),
    ],
    ids=["key", "no-yaml", "interpolation", "choice"],
)  # fmt: skip
def test_a_mistake_in_conf_stops_before_the_first_stage(
    project: Project, file: str, old: str, new: str, words: list[str]
) -> None:
    before = (project.root / "params.yaml").read_bytes()
    project.edit(file, old, new)
    printed = project.refused("dvc", "repro")
    # A dataset may name a package that brings its data: the stage `code` reads it before.
    assert [stage for stage in stages_in(printed) if stage != "code"] == ["compose"]
    lines = [line for line in printed.splitlines() if line.startswith("compose: ")]
    assert len(lines) == 1, printed
    for word in words:
        assert word in lines[0]
    assert (project.root / "params.yaml").read_bytes() == before


def test_data_without_the_target_column_stop_ingest(project: Project, tmp_path: Path) -> None:
    (tmp_path / "wines.csv").write_text("alcohol,hue\n" + "12.5,1.0\n" * 200, encoding="utf-8")
    source = ("-S", "source=csv", "-S", f"source.path={tmp_path}/wines.csv")
    wine = ("-S", "dataset=wine", "-S", "~gate.thresholds.roc_auc")
    printed = project.refused("dvc", "exp", "run", *wine, *source)
    assert stages_in(printed) == ["compose", "ingest"]
    missing = "columns.target names target, which is not in the data; they have alcohol, hue"
    assert f"ingest: {missing}" in printed
