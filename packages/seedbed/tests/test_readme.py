"""What the README and the docs draw and name is there."""

import itertools
import re
from pathlib import Path

import yaml

from seedbed.files import read_json

from support import REPOSITORY

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
        name: {writes[dep] for dep in stage.get("deps", []) if dep in writes}
        | ({"compose"} if "params" in stage else set())
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


def test_the_picture_of_the_graph_is_the_graph() -> None:
    assert drawn_edges() == true_edges()


def test_every_link_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_choice_of_the_readme_is_a_file() -> None:
    text = PAGES[0].read_text("utf-8")
    for group in ("split", "model", "features", "source", "evaluation", "dataset"):
        members = {path.stem for path in Path(REPOSITORY / "conf" / group).glob("*.yaml")}
        row = re.search(rf"^\| {group} \| (.*) \|$", text, re.MULTILINE)
        assert row
        assert all(member in row[1] for member in members), f"{group}: {members}"


def test_the_figures_of_the_default_model_are_those_of_its_reports() -> None:
    row = re.search(
        r"^\| hist_gradient_boosting, as it stands \|(.*)\|$",
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
