"""One run of the graph on a sample by real DVC: what must hold whatever the dataset."""

import pytest

from sample_run import SampleRun

# One worker of `pytest -n` does all tests of the run: another would wait for it.
pytestmark = pytest.mark.xdist_group("sample")


def test_every_stage_left_its_outputs(project: SampleRun) -> None:
    stages = project.yaml("dvc.yaml")["stages"]
    assert project.yaml("dvc.lock")["stages"].keys() == stages.keys()
    outputs = [
        next(iter(out)) if isinstance(out, dict) else out
        for stage in stages.values()
        for out in stage.get("outs", []) + stage.get("metrics", [])
    ]
    assert [path for path in outputs if not (project.root / path).exists()] == []


def test_a_second_run_has_nothing_to_do_until_a_stage_is_edited(project: SampleRun) -> None:
    assert "Running stage" not in project.run("dvc", "repro")
    assert "are in step" in project.run("seedbed", "check")
    (module,) = project.root.glob("src/*/stages/evaluate.py")
    text = module.read_text(encoding="utf-8")
    try:
        module.write_text(text + "# an edit\n", encoding="utf-8")
        stale = project.run("seedbed", "status")
    finally:
        module.write_text(text, encoding="utf-8")
    assert "evaluate" in stale
    assert "featurize" not in stale


def test_no_row_is_both_learned_from_and_tested_on(project: SampleRun) -> None:
    features = project.table("features")
    assert features["_row"].is_unique
    assert set(features["_split"]) == {"train", "validation", "test"}
    assert features["_split"].value_counts().idxmax() == "train"


def test_only_test_rows_are_predicted(project: SampleRun) -> None:
    features, predictions = project.table("features"), project.table("predictions")
    test_rows = features.loc[features["_split"] == "test", "_row"]
    assert set(predictions["_row"]) == set(test_rows)


def test_every_row_has_a_target(project: SampleRun) -> None:
    assert project.table("features")["_target"].notna().all()


@pytest.mark.parametrize("stage", ["train", "evaluate"])
def test_figures_are_numbers(project: SampleRun, stage: str) -> None:
    figures = project.yaml(f"reports/{stage}/metrics.json")
    numbers = [value for part in figures.values() for value in part.values()]
    assert numbers
    assert all(isinstance(value, float) and abs(value) < float("inf") for value in numbers)


def test_what_is_served_answers_as_it_was_evaluated(project: SampleRun) -> None:
    from seedbed.serving import load_bundle

    answers = load_bundle(project.root / "models/bundle").predict(project.table("raw"))
    recorded = project.table("predictions")[[f"_{name}" for name in answers]]
    assert len(recorded)
    found, expected = (set(rows.itertuples(index=False, name=None)) for rows in (answers, recorded))
    assert expected <= found
