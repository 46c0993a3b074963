"""The recipes of docs/extending.md, followed to the letter."""

import re
from pathlib import Path

import pandas as pd
import pytest

from seedbed.config.yaml_files import load_yaml
from seedbed.files import read_json

from support import REPOSITORY, Project

PAGE = (REPOSITORY / "docs/extending.md").read_text("utf-8")
RECIPES = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.S | re.M))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.S | re.M)


def follow(project: Project, recipe: str) -> str:
    """Write what the recipe's blocks hold to the files they name, and run its commands; return what those printed."""
    printed = ""
    for language, text in BLOCK.findall(RECIPES[recipe]):
        if language == "sh":
            # `make` would first bring .venv in step, and that is not the copy's own.
            commands = "\n".join(line for line in text.splitlines() if not line.startswith("make "))
            environment = {"PATH": f"{project.root}/.venv/bin:/usr/bin:/bin"}
            printed += project.run("sh", "-e", "-c", commands, **environment).stdout
        else:
            write(project.root, text)
    return printed


def write(root: Path, text: str) -> None:
    first, _, content = text.partition("\n")
    named = re.fullmatch(r"# (\S+)(?: \((append|below: (.*))\))?", first)
    assert named, f"the block names no file: {first}"
    path = root / named[1]
    before = path.read_text("utf-8") if named[2] else ""
    if named[3]:
        head, line, tail = before.partition(f"{named[3]}\n")
        assert line, f"{path} has no line {named[3]!r}"
        content = head + line + content + tail
    else:
        assert named[2] or not path.exists(), f"{path} is there already"
        content = before + content
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, "utf-8")


def details(project: Project) -> dict:
    return read_json(project.root / "reports/evaluate/details.json")


def card(project: Project) -> str:
    return (project.root / "models/bundle/MODEL_CARD.md").read_text("utf-8")


@pytest.mark.slow
def test_the_recipe_for_your_own_data(project: Project) -> None:
    printed = follow(project, "Your own data")
    assert "Running stage 'ingest'" in printed
    raw = pd.read_parquet(project.root / "data/raw")
    assert (len(raw), list(raw.columns)[-1]) == (569, "diagnosis")
    assert details(project)["test"]["roc_auc"]["value"] > 0.95
    brought_in = load_yaml(project.root / "reports/overrides.yaml")["changed"]
    assert "dataset" not in brought_in, "it is conf/'s own now"
    assert "Is diagnosis malignant?" in card(project)
    assert "When the cells have been measured under the microscope" in card(project)


@pytest.mark.slow
def test_the_recipe_for_a_stage(project: Project) -> None:
    printed = follow(project, "A stage")
    assert "Running stage 'balance'" in printed
    counts = pd.read_csv(project.root / "reports/balance.csv")
    rows = len(pd.read_parquet(project.root / "data/features"))
    assert counts["rows"].sum() == 3 * rows, "split, origin, carrier"
    assert project.stages_run("balance") == []
    project.edit("src/project/stages/balance.py", "Return the rows", "Return the number of rows")
    assert project.stages_run("balance") == ["code", "balance"]

    # A stage may have parameters of its own.
    stage = "src/project/stages/balance.py"
    project.edit(stage, "(problem: Problem)", "(problem: Problem, project)")
    project.edit(stage, "    table =", "    print(project)\n    table =")
    project.edit("dvc.yaml", "[problem, {code.yaml: [balance]}]", "[problem, project.balance]")
    assert "Write {code.yaml: [balance]} among its params" in project.refused("dvc", "repro")
    project.edit("dvc.yaml", "project.balance]", "project.balance, {code.yaml: [balance]}]")
    project.edit("conf/config.yaml", "seed: 0", "project: {balance: {least: 10}}\nseed: 0")
    assert "{'balance': {'least': 10}}" in project.dvc("repro", "balance")
    project.edit("conf/config.yaml", "least: 10", "least: 11")
    assert project.stages_run("balance") == ["compose", "balance"]


@pytest.mark.slow
def test_the_recipe_for_a_metric(project: Project) -> None:
    printed = follow(project, "A metric")
    assert "Running stage 'featurize'" not in printed
    found = details(project)
    matthews = found["test"]["matthews"]
    assert matthews["low"] < matthews["value"] < matthews["high"]
    assert found["baseline"]["matthews"]["value"] == 0
    assert "| matthews |" in card(project)
    project.dvc("exp", "run", "--name", "asked", "-S", "+gate.thresholds.matthews=0.99")
    assert "below the threshold 0.99" in project.experiment_file("asked", "reports/verdict.json")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "name"), [("A feature", "gustiness"), ("A kind of feature", "gust_excess")]
)
def test_the_recipes_for_features(project: Project, recipe: str, name: str) -> None:
    printed = follow(project, recipe)
    assert "Running stage 'featurize'" in printed
    assert "Running stage 'ingest'" not in printed
    assert name in details(project)["importance"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "target"),
    [
        ("A model", "sklearn.ensemble.ExtraTreesClassifier"),
        ("An estimator of your own", "project.models.HourlyRate"),
    ],
)
def test_the_recipes_for_models(project: Project, recipe: str, target: str) -> None:
    printed = follow(project, recipe)
    assert "Running stage 'train'" in printed
    assert "Running stage 'featurize'" not in printed
    assert target in card(project)
    load = "from seedbed.serving import load_bundle; load_bundle('bundle')"
    project.run("python", "-c", load, cwd=project.root / "models")


@pytest.mark.slow
def test_the_recipe_for_a_source(project: Project) -> None:
    # The overlay of the tests asks for a metric of flights.
    project.edit("conf/experiment/tiny.yaml", "  thresholds: {roc_auc: 0.0}\n", "")
    project.commit()
    printed = follow(project, "A source")
    assert "178 rows, 14 columns" in printed
    wine = ("dvc", "exp", "run", "-S", "dataset=wine")
    refused = project.refused(*wine, "-S", "source.kind=sqlight")
    assert "there is no such source (did you mean sqlite?)" in refused
