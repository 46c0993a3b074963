"""What the README and the docs draw and name is there."""

import itertools
import re

import yaml

from seedbed.files import read_json

from support import REPOSITORY, composed

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


def drawn_edges() -> set[tuple[str, str]]:
    picture = re.search(r"```mermaid\n(.*?)```", PAGES[0].read_text("utf-8"), re.DOTALL)
    assert picture
    chains = [line.split(" --> ") for line in picture[1].splitlines() if "-->" in line]
    return {(a.strip(), b.strip()) for chain in chains for a, b in itertools.pairwise(chain)}


def true_edges() -> set[tuple[str, str]]:
    """Every stage after the one whose output it reads, without the edges that longer ways imply."""
    stages = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text("utf-8"))["stages"]
    writes = {}
    for name, stage in stages.items():
        for out in [*stage.get("outs", []), *stage.get("metrics", [])]:
            writes[out if isinstance(out, str) else next(iter(out))] = name
    before = {
        name: {
            writes[dep]
            for dep in [*stage.get("deps", []), *read_for_params(stage)]
            if dep in writes
        }
        for name, stage in stages.items()
    }

    def ancestors(name: str) -> set[str]:
        return before[name].union(*(ancestors(earlier) for earlier in before[name]))

    return {
        (earlier, name)
        for name in stages
        for earlier in before[name]
        if not any(earlier in ancestors(other) for other in before[name])
    }


def read_for_params(stage: dict) -> list[str]:
    """Return the files whose keys are a stage's parameters."""
    entries = stage.get("params", [])
    return ["params.yaml" if isinstance(entry, str) else next(iter(entry)) for entry in entries]


def test_the_picture_of_the_graph_is_the_graph() -> None:
    assert drawn_edges() == true_edges()


def test_every_link_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_names_every_group_of_choices_and_every_dataset() -> None:
    paragraph = re.search(r"^Every choice is .*?\n\n", PAGES[0].read_text("utf-8"), re.M | re.S)
    assert paragraph
    groups = {folder.name for folder in (REPOSITORY / "conf").iterdir() if folder.is_dir()}
    assert set(re.findall(r"`(\w+)`", paragraph[0])) == groups - {"hydra"}
    for dataset in (REPOSITORY / "conf/dataset").glob("*.yaml"):
        assert dataset.stem in paragraph[0]


def test_every_override_of_the_readme_composes() -> None:
    commands = re.findall(r"-S ([^\s`]+)", PAGES[0].read_text("utf-8"))
    assert len(commands) > 3
    for override in commands:
        assert composed(override) != composed(), override


def test_the_figures_of_the_default_model_are_those_of_its_reports() -> None:
    row = re.search(
        r"^\| hist_gradient_boosting, the default \|(.*)\|$",
        PAGES[0].read_text("utf-8"),
        re.MULTILINE,
    )
    assert row
    trained, evaluated = (
        read_json(REPOSITORY / f"reports/{stage}/metrics.json") for stage in ("train", "evaluate")
    )
    folds, validation, test = trained["cv"], trained["validation"], evaluated["test"]
    expected = [
        folds["roc_auc"],
        folds["std"],
        validation["roc_auc"],
        test["roc_auc"],
        test["low"],
        test["high"],
    ]
    assert [float(figure) for figure in re.findall(r"\d\.\d+", row[1])] == [
        round(figure, 3) for figure in expected
    ]
