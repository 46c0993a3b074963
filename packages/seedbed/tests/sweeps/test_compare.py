"""A comparison shows each figure, and of parameters and data what differs, as HTML and as Markdown."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from seedbed.errors import UserError
from seedbed.sweeps.compare import (
    Revision,
    differences,
    find_commit,
    plot_definitions,
    read_revision,
)
from seedbed.sweeps.compare_page import draw, table_of, to_html, to_markdown
from seedbed.sweeps.dvc_calls import NOT_RUN

from support import REPOSITORY, Project


def revision(name: str, **parts: dict[str, Any]) -> Revision:
    return Revision(
        name, name * 40, **{"metrics": {}, "params": {}, "data": {}, "plots": {}, **parts}
    )


def write(project: Project, name: str, content: object) -> None:
    (project.root / name).parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    (project.root / name).write_text(text, encoding="utf-8")


OLD = revision(
    "old",
    metrics={"test.roc_auc": 0.7, "gate.passed": True, "gone": 1},
    params={
        "seed": 1,
        "model.name": "a|b",
        "model._target_": "x.A",
        "conf_hash": "1",
        "sizes": [1, 2],
        "same": 5,
    },
    data={"data/clean": "11, 1 bytes", "data/raw": "22, 2 bytes"},
)
NEW = revision(
    "new",
    metrics={"test.roc_auc": 0.65, "gate.passed": True, "brier": 0.123456},
    params={"seed": 2, "model.name": "a|b\nc", "model._target_": "x.B", "conf_hash": "2", "sizes": [1, 3], "same": 5, "more": None},
    data={"data/clean": "11, 1 bytes", "data/raw": "33, 2 bytes"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("metrics", {"test.roc_auc": [0.7, 0.65], "gate.passed": [True, True], "gone": [1, None], "brier": [None, 0.123456]}),
        ("params", {"seed": [1, 2], "model.name": ["a|b", "a|b\nc"], "sizes": [[1, 2], [1, 3]]}),
        ("data", {"data/raw": ["22, 2 bytes", "33, 2 bytes"]}),
    ],
)  # fmt: skip
def test_what_differs_is_listed_and_of_figures_all(
    part: str, expected: dict[str, list[Any]]
) -> None:
    found = differences([OLD, NEW], part)
    assert list(found) == ["old", "new"]
    told = {key: [None if cell is None else cell for cell in row] for key, row in zip(found.index, found.to_numpy().tolist(), strict=True)}  # fmt: skip
    assert told == expected


def test_of_the_same_state_only_figures_are_left() -> None:
    again = revision("again", metrics=OLD.metrics, params=OLD.params, data=OLD.data)
    assert differences([OLD, again], "params").empty
    assert differences([OLD, again], "data").empty
    assert len(differences([OLD, again], "metrics")) == 3


def test_true_and_one_are_two_values() -> None:
    sides = [revision("a", params={"positive": True}), revision("b", params={"positive": 1})]
    assert list(differences(sides, "params").index) == ["positive"]


def test_of_two_revisions_the_change_is_told() -> None:
    table = table_of([OLD, NEW], "metrics")
    assert table.loc["test.roc_auc"].tolist() == ["0.7", "0.65", "-0.05"]
    assert table.loc["gone"].tolist() == ["1", "", ""]
    assert table.loc["brier"].tolist() == ["", "0.1235", ""]
    assert "change" not in table_of([OLD, NEW, revision("third")], "metrics")
    assert "change" not in table_of([OLD, NEW], "params")


def test_the_markdown_is_three_tables() -> None:
    again = revision(
        "again",
        metrics={"test.roc_auc": 0.7},
        params={**OLD.params, "model.name": "a|b\nc"},
        data=OLD.data,
    )
    side = revision("old", metrics={"test.roc_auc": 0.5}, params=OLD.params, data=OLD.data)
    assert to_markdown([side, again]) == (
        "### Figures\n\n"
        "|  | old | again | change |\n"
        "| --- | --- | --- | --- |\n"
        "| test.roc_auc | 0.5 | 0.7 | +0.2 |\n"
        "\n### Parameters that differ\n\n"
        "|  | old | again |\n"
        "| --- | --- | --- |\n"
        "| model.name | a\\|b | a\\|b c |\n"
        "\n### Data and models that differ\n\nNone.\n"
    )


def curve(*values: float) -> pd.DataFrame:
    return pd.DataFrame({"x": range(len(values)), "y": values})


LINES = {"x": "x", "y": {"reports/train/plots/a.csv": "y"}, "template": "simple"}


def test_the_page_needs_nothing_but_itself_and_escapes_what_people_wrote() -> None:
    sides = [
        revision("<b>old", metrics={"a<b": 1.0}, plots={"reports/train/plots/a.csv": curve(0, 1)}),
        revision(
            "new", params={"text": "<script>"}, plots={"reports/train/plots/a.csv": curve(1, 0)}
        ),
    ]
    page = to_html(sides, [("Curve", LINES)])
    assert page.startswith("<!doctype html>")
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;b&gt;old" in page
    assert page.count("<figure><svg") == 1
    for outside in ('src="', 'href="http', "@import", "url(http"):
        assert outside not in page, "the page asks for something elsewhere"
    assert page == to_html(sides, [("Curve", LINES)])


def test_without_data_there_is_no_picture() -> None:
    assert draw("Curve", LINES, [OLD, NEW]) == ""
    assert "<h2>Plots</h2>" not in to_html([OLD, NEW], [("Curve", LINES)])


def test_a_revision_whose_table_has_other_columns_is_left_out_of_the_picture() -> None:
    before = revision(
        "before", plots={"reports/train/plots/a.csv": curve(0, 1).rename(columns={"y": "value"})}
    )
    now = revision("now", plots={"reports/train/plots/a.csv": curve(1, 0)})
    assert draw("Curve", LINES, [before]) == ""
    assert draw("Curve", LINES, [before, now]).startswith("<svg")


@pytest.mark.parametrize(
    "number",
    range(len(plot_definitions(REPOSITORY))),
    ids=lambda number: plot_definitions(REPOSITORY)[number][0],
)
def test_each_plot_of_this_repository_can_be_drawn(number: int) -> None:
    title, definition = plot_definitions(REPOSITORY)[number]
    table = pd.DataFrame(
        {definition["x"]: [0.1, 0.2], **{column: [1.0, 2.0] for column in definition["y"].values()}}
    )
    sides = [revision(name, plots=dict.fromkeys(definition["y"], table)) for name in ("one", "two")]
    drawn = draw(title, definition, sides)
    if definition["template"].startswith("confusion"):
        assert drawn == "", "a matrix of two revisions cannot be laid one over the other"
    else:
        assert drawn.startswith("<svg")


@pytest.fixture
def repository(small: Project) -> Project:
    """A project with figures, parameters, a lock and a plot that Git holds; then a second commit with others."""
    (small.root / ".dvc/config").write_text("[core]\n    analytics = false\n")
    for seed in (1, 2):
        write(small, "params.yaml", f"seed: {seed}\nmodel: {{name: a}}\n")
        write(small, "reports/train/metrics.json", {"cv": {"roc_auc": seed / 10}})
        write(small, "reports/evaluate/metrics.json", {"test": {"roc_auc": seed / 5}})
        write(small, "reports/train/plots/a.csv", f"x,y\n0,{seed}\n")
        write(small, "reports/train/plots/empty.csv", "x,y\n")
        write(small, "reports/train/plots/nothing.csv", "")
        outs = [
            {"path": "data/clean", "md5": f"{seed}bcdefghijk", "size": 1234567},
            {"path": "reports/a.json", "md5": "2bcd", "size": 1},
        ]
        stages = {
            "clean": {"cmd": "true", "outs": outs},
            "evaluate": {
                "cmd": NOT_RUN,
                "outs": [{"path": "data/predictions", "md5": "d7517139.dir", "size": 0}],
            },
        }
        write(small, "dvc.lock", yaml.safe_dump({"schema": "2.0", "stages": stages}))
        small.commit(f"seed {seed}")
    return small


def test_a_revision_is_read_from_git(
    repository: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    plots = [f"reports/train/plots/{name}.csv" for name in ("a", "empty", "nothing", "nowhere")]
    found = read_revision(repository.root, "HEAD~1", plots)
    assert (found.name, found.commit) == ("HEAD~1", repository.git("rev-parse", "HEAD~1"))
    assert found.metrics == {"cv.roc_auc": 0.1, "test.roc_auc": 0.2}
    assert found.params == {"seed": 1, "model.name": "a"}
    assert found.data == {"data/clean": "1bcdefgh, 1,234,567 bytes"}
    assert {path: table.to_dict("list") for path, table in found.plots.items()} == {
        plots[0]: {"x": [0], "y": [1]}
    }


def test_a_commit_that_is_no_state_of_a_project_is_refused(small: Project) -> None:
    with pytest.raises(UserError, match=r"main: this revision holds no params\.yaml"):
        read_revision(small.root, "main", [])


def hang(project: Project, ref: str, on: str = "HEAD") -> str:
    commit = project.git("rev-parse", on)
    project.git("update-ref", f"refs/exps/{ref}", commit)
    return commit


@pytest.mark.parametrize(
    "name_of",
    [lambda small: "main", lambda small: "HEAD", lambda small: "v1", lambda small: small.git("rev-parse", "HEAD")[:8], lambda small: "mlp-1a2b"],
    ids=["branch", "HEAD", "tag", "commit", "experiment"],
)  # fmt: skip
def test_a_revision_is_found_by_any_name(small: Project, name_of: Callable[[Project], str]) -> None:
    small.git("tag", "-a", "v1", "-m", "one")
    commit = hang(small, "aa/bb/mlp-1a2b")
    assert find_commit(small.root, name_of(small)) == commit


def test_a_name_that_two_experiments_have_is_refused(small: Project) -> None:
    hang(small, "aa/bb/twice")
    small.commit("more")
    hang(small, "cc/dd/twice")
    with pytest.raises(UserError, match="twice: 2 experiments of different commits"):
        find_commit(small.root, "twice")


@pytest.mark.parametrize("name", ["nothing", "1a2b", "EXEC_HEAD", "--all", "", "HEAD:notes.md"])
def test_what_nobody_named_so_is_not_found(small: Project, name: str) -> None:
    hang(small, "aa/bb/mlp-1a2b")
    hang(small, "exec/EXEC_HEAD")
    with pytest.raises(UserError, match="no revision and no experiment has this name"):
        find_commit(small.root, name)
