"""dvc.yaml and dvc.lock read as text say what DVC says of them."""

from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo

from seedbed.experiments.dvc_files import ancestors, outputs, read_stages, split_lock

from support import REPOSITORY


@pytest.mark.parametrize(
    ("text", "head", "names"),
    [
        ("", "", []),
        ("schema: '2.0'\n", "schema: '2.0'\n", []),
        ("schema: '2.0'\nstages:\n", "schema: '2.0'\nstages:\n", []),
        (
            "schema: '2.0'\nstages:\n  a:\n    cmd: x\n  b@c-1:\n    cmd: y\n",
            "schema: '2.0'\nstages:\n",
            ["a", "b@c-1"],
        ),
        ("stages:\n  a:\n    cmd:\n    - 'x:'\n    - y\n    params:\n      p:\n        q:\n", "stages:\n", ["a"]),
    ],
)
def test_a_lock_is_split_into_its_entries(text: str, head: str, names: list[str]) -> None:
    found, parts = split_lock(text)
    assert (found, list(parts)) == (head, names)
    assert found + "".join(parts.values()) == text


@pytest.mark.parametrize("of", ["this repository", "a small one"])
def test_each_entry_is_that_of_its_stage(template: Path, of: str) -> None:
    text = (REPOSITORY / "dvc.lock" if of == "this repository" else template / "dvc.lock").read_text(encoding="utf-8")
    head, parts = split_lock(text)
    assert head + "".join(parts.values()) == text
    whole = yaml.safe_load(text)["stages"]
    assert {name: yaml.safe_load(part)[name] for name, part in parts.items()} == whole


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("clean", set()),
        ("train", {"clean", "featurize"}),
        ("gate", {"clean", "featurize", "train", "evaluate"}),
        ("explore", set()),
    ],
)
def test_all_that_leads_to_a_stage(template: Path, stage: str, expected: set[str]) -> None:
    assert ancestors(read_stages(template), stage) == expected


def test_what_leads_to_train_is_what_dvc_says(monkeypatch: pytest.MonkeyPatch) -> None:
    import networkx

    monkeypatch.chdir(REPOSITORY)
    with Repo(str(REPOSITORY)) as repo:
        graph = repo.index.graph
        target = next(stage for stage in graph if stage.addressing == "train")
        expected = {stage.addressing for stage in networkx.descendants(graph, target)}
    # A job writes params.yaml itself, so what DVC reads from it is not counted as coming from `compose`.
    assert ancestors(read_stages(REPOSITORY), "train") == expected - {"compose"} != set()


def test_metrics_and_plots_are_outputs_too() -> None:
    stage = {"outs": ["a", {"b": {"cache": False}}], "metrics": [{"c": {"cache": False}}], "plots": ["d"]}
    assert outputs(stage) == {"a": {}, "b": {"cache": False}, "c": {"cache": False}, "d": {}}


def test_a_file_within_an_output_leads_to_the_stage_that_writes_it() -> None:
    stages = {"make": {"outs": ["data/made"]}, "use": {"deps": ["data/made/a.csv"]}, "other": {"deps": ["data/made2"]}}
    assert ancestors(stages, "use") == {"make"}
    assert ancestors(stages, "other") == set()
