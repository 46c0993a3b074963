"""The page shows metrics, and of parameters and data what differs; it needs nothing but itself."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from seedbed.cli.comparing import compare
from seedbed.comparing.page import MOST_REVISIONS, MOST_ROWS, to_html
from seedbed.comparing.plots import draw
from seedbed.comparing.ranking import rank
from seedbed.comparing.revisions import Revision, plot_definitions
from seedbed.errors import UserError

from support import REPOSITORY

PROBLEM = {"problem.task": "binary", "problem.metric": "roc_auc"}
PLOTS = plot_definitions(yaml.safe_load((REPOSITORY / "dvc.yaml").read_text("utf-8")))
LINES = {"x": "x", "y": {"a.csv": "y"}, "template": "simple"}


def revision(name: str, value: float = 0.5, **parts: Any) -> Revision:
    params = {**PROBLEM, **parts.pop("params", {})}
    metrics = {"test.roc_auc": value, **parts.pop("metrics", {})}
    return Revision(name, metrics=metrics, params=params, **parts)


def page(*revisions: Revision, plots: Any = ()) -> str:
    return to_html(revisions, rank(revisions), plots)


def rows(text: str, title: str) -> dict[str, list[str]]:
    """Return the cells of the table under a heading, by the name of their row."""
    section = text.partition(f"<h2>{title}</h2>")[2].partition("<h2>")[0]
    body = section.partition("<tbody>")[2].partition("</tbody>")[0]
    found = re.findall(r'<tr>\s*<th scope="row">(.*?)</th>(.*?)</tr>', body, re.DOTALL)
    return {name: re.findall("<td>(.*?)</td>", cells) for name, cells in found}


OLD = revision(
    "old", 0.7, metrics={"cv.rmse": 2.0, "cv.f1": 0.1, "gone": 1, "gate.passed": "yes"},
    params={"seed": 1, "model._target_": "x.A", "conf_hash": "1", "sizes": [1, 2], "same": 5, "rate": 0.100001},
    data={"data/clean": "11, 1 bytes", "data/raw": "22, 2 bytes"},
)  # fmt: skip
NEW = revision(
    "new", 0.65, metrics={"cv.rmse": 1.0, "cv.f1": 0.2, "gate.passed": "no", "test.brier": 0.123456},
    params={"seed": 2, "model._target_": "x.B", "conf_hash": "2", "sizes": [1, 3], "same": 5, "rate": 0.100002},
    data={"data/clean": "11, 1 bytes", "data/raw": "33, 2 bytes"},
)  # fmt: skip


def test_the_better_one_comes_first_then_what_is_best_and_what_differs() -> None:
    text = page(OLD, NEW)
    assert text.index("old is better than new by 0.05") < text.index("<table")
    assert list(rows(text, "By test.roc_auc")) == ["old", "new"]
    assert rows(text, "Metrics") == {
        "test.roc_auc": ["<b>0.7</b>", "<mark>0.65</mark>"],
        "cv.rmse": ["2", "<mark>1</mark>"],
        "cv.f1": ["0.1", "<mark><b>0.2</b></mark>"],
        "gone": ["1", ""],
        "gate.passed": ["yes", "<mark>no</mark>"],
        "test.brier": ["", "<mark>0.1235</mark>"],
    }
    assert rows(text, "Parameters that differ") == {
        "seed": ["1", "<mark>2</mark>"],
        "sizes": ["[1, 2]", "<mark>[1, 3]</mark>"],
        "rate": ["0.100001", "<mark>0.100002</mark>"],
    }
    assert rows(text, "Data and models that differ") == {
        "data/raw": ["22, 2 bytes", "<mark>33, 2 bytes</mark>"]
    }


def test_what_people_wrote_is_escaped_and_nothing_is_loaded_from_elsewhere() -> None:
    table = pd.DataFrame({"x": [0, 1], "y": [0, 1]})
    revisions = [
        revision("<i>old", metrics={"a<b": 1.0}, plots={"a.csv": table}, data={"data/<i>": "1"}),
        revision("new", params={"text": "<script>"}, plots={"a.csv": table}, missing=["<i>"]),
    ]
    text = page(*revisions, plots=[("<i>Curve", LINES)])
    assert not re.search('<script|<i>|src="|href="http|@import|url\\(http', text)
    assert "&lt;i&gt;old" in text
    assert text.count("<figure><svg") == 1
    assert text == page(*revisions, plots=[("<i>Curve", LINES)]), (
        "the same page for the same revisions"
    )


def test_many_revisions_parameters_and_long_values_are_cut_and_that_is_said() -> None:
    revisions = [
        revision(f"run-{number:02d}", 0.5 + number / 100, params={
            **{f"key{key:03d}": number for key in range(MOST_ROWS + 7)}, "key000": "a" * 900 + f"{number:02d}" + "z" * 900,
        })
        for number in range(30)
    ]  # fmt: skip
    text = page(*revisions)
    assert f"Tables and plots show it and the best {MOST_REVISIONS - 1}, without run-22" in text
    assert len(rows(text, "By test.roc_auc")) == 30
    shown = rows(text, "Parameters that differ")
    assert (len(shown), len(shown["key000"])) == (MOST_ROWS, MOST_REVISIONS)
    assert "7 more rows are left out" in text
    assert re.fullmatch("…a+00z+…", shown["key000"][0])
    assert re.fullmatch("<mark>…a+29z+…</mark>", shown["key000"][-1])


@pytest.mark.parametrize(("title", "definition"), PLOTS, ids=[title for title, _ in PLOTS])
def test_each_plot_of_this_repository_can_be_drawn(title: str, definition: dict[str, Any]) -> None:
    bars = definition["template"].startswith("bar")
    marks = [f"a name that is far too long for a plot {number}" for number in range(40)] if bars else np.arange(40)  # fmt: skip
    table = pd.DataFrame(
        {definition["x"]: np.arange(40), **dict.fromkeys(definition["y"].values(), marks)}
    )
    revisions = [revision(name * 30, plots=dict.fromkeys(definition["y"], table)) for name in "ab"]
    # Two matrices cannot be laid one over the other.
    drawn = "" if definition["template"].startswith("confusion") else "<svg"
    assert draw(title, definition, revisions)[:4] == drawn


def test_a_revision_without_the_data_or_the_columns_of_a_plot_is_left_out_of_it() -> None:
    other = revision("other", plots={"a.csv": pd.DataFrame({"x": [0], "value": [1]})})
    assert draw("Curve", LINES, [OLD, other]) == ""
    now = revision("now", plots={"a.csv": pd.DataFrame({"x": [0], "y": [1]})})
    assert draw("Curve", LINES, [OLD, other, now]).startswith("<svg")


@pytest.mark.parametrize("names", [["HEAD"], ["HEAD", "HEAD"]])
def test_one_revision_is_compared_with_nothing(
    names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPOSITORY)
    with pytest.raises(UserError, match=r"HEAD alone cannot be compared\. Name another"):
        compare(names)
