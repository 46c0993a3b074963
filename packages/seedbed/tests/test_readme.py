"""What the README and the docs draw and name is there."""

import re

import networkx as nx
import yaml

from seedbed.files import read_json

from support import REPOSITORY, composed

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
README = PAGES[0].read_text("utf-8")


def test_the_picture_of_the_graph_is_the_graph() -> None:
    picture = re.search(r"```mermaid\n(.*?)```", README, re.DOTALL)
    assert picture
    drawn = nx.DiGraph()
    for line in picture[1].splitlines():
        nx.add_path(drawn, [] if "-->" not in line else map(str.strip, line.split("-->")))
    stages = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text("utf-8"))["stages"]
    writers = {
        out if isinstance(out, str) else next(iter(out)): name
        for name, stage in stages.items()
        for out in [*stage.get("outs", []), *stage.get("metrics", [])]
    }
    graph = nx.DiGraph()
    for name, stage in stages.items():
        params = stage.get("params", [])
        files = ["params.yaml" if isinstance(entry, str) else next(iter(entry)) for entry in params]
        read = [*stage.get("deps", []), *files]
        graph.add_edges_from((writers[path], name) for path in read if path in writers)
    assert set(drawn.edges) == set(nx.transitive_reduction(graph).edges)


def test_every_link_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_names_every_group_of_choices_and_every_dataset() -> None:
    paragraph = re.search(r"^Every choice is .*?\n\n", README, re.M | re.S)
    assert paragraph
    groups = {folder.name for folder in (REPOSITORY / "conf").iterdir() if folder.is_dir()}
    assert set(re.findall(r"`(\w+)`", paragraph[0])) == groups - {"hydra"}
    for dataset in (REPOSITORY / "conf/dataset").glob("*.yaml"):
        assert dataset.stem in paragraph[0]


def test_every_override_of_the_readme_composes() -> None:
    overrides = re.findall(r"-S ([^\s`]+)", README)
    assert len(overrides) > 3
    for override in overrides:
        assert composed(override) != composed(), override


def test_the_figures_of_the_default_model_are_those_of_its_reports() -> None:
    row = re.search(r"^\| hist_gradient_boosting, the default \|(.*)\|$", README, re.M)
    assert row
    trained, evaluated = (
        read_json(REPOSITORY / f"reports/{stage}/metrics.json") for stage in ("train", "evaluate")
    )
    folds, validation, test = trained["cv"], trained["validation"], evaluated["test"]
    expected = [folds["roc_auc"], folds["std"], validation["roc_auc"]]
    expected += [test["roc_auc"], test["low"], test["high"]]
    found = [float(figure) for figure in re.findall(r"\d\.\d+", row[1])]
    assert found == [round(figure, 3) for figure in expected]
