"""The report on a pull request: what moved in short, the tables folded away, curves as charts and bars as tables."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from seedbed.sweeps.compare import Revision, plot_definitions
from seedbed.sweeps.pull_request import MARK, POINTS, to_comment

from support import REPOSITORY

CURVE = (
    "Curve",
    {"x": "x", "y": {"a.csv": "y", "b.csv": "y"}, "x_label": "the x", "template": "simple"},
)
BARS = ("Bars", {"x": "value", "y": {"bars.csv": "name"}, "template": "bar_horizontal_sorted"})


def side(name: str, **parts: Any) -> Revision:
    return Revision(
        name,
        name * 40,
        **{"metrics": {}, "params": {"problem.metric": "auc"}, "data": {}, "plots": {}, **parts},
    )


def curve(*points: tuple[float, float]) -> pd.DataFrame:
    return pd.DataFrame(points, columns=["x", "y"])


def lines(text: str) -> list[list[float]]:
    return [
        [float(value) for value in found.split(", ")]
        for found in re.findall(r"line \[(.*)\]", text)
    ]


def test_what_moved_is_said_first() -> None:
    sides = [
        side("main", metrics={"test.auc": 0.7, "test.brier": 0.2, "gate.passed": "yes", "rows": 5}),
        side(
            "branch", metrics={"test.auc": 0.75, "test.brier": 0.2, "gate.passed": "no", "rows": 5}
        ),
    ]
    text = to_comment(sides, [])
    assert text.startswith(
        f"{MARK}\n\n## What this branch changes against main\n\n1 of 4 figures moved.\n"
    )
    assert "- test.auc: 0.7 → **0.75** (+0.05)" in text
    assert "- gate.passed: yes → **no**\n" in text
    assert "- test.brier" not in text
    assert "| test.brier | 0.2 | 0.2 | +0 |" in text


def test_where_nothing_moved_it_says_so() -> None:
    same = {"test.auc": 0.7}
    assert "No figure moved." in to_comment(
        [side("main", metrics=same), side("branch", metrics=same)], []
    )


def test_a_curve_is_read_off_at_equal_steps_for_both_sides() -> None:
    sides = [
        side("main", plots={"b.csv": curve((0, 0), (1, 1))}),
        side("branch", plots={"a.csv": curve((0, 9)), "b.csv": curve((1, 1), (0, 0), (0.5, 1))}),
    ]
    text = to_comment(sides, [CURVE])
    straight, bent = lines(text)
    assert straight == pytest.approx(np.linspace(0, 1, POINTS))
    assert bent == pytest.approx(np.minimum(1, 2 * np.linspace(0, 1, POINTS)))
    assert "**Curve (`b.csv`)**: blue is main, orange is branch" in text
    assert 'x-axis "the x" 0 --> 1' in text


def test_no_number_of_a_chart_has_an_exponent() -> None:
    table = curve((-7.876e-5, -2.3e-7), (1.5e9, 3.25e12))
    text = to_comment([side("main"), side("branch", plots={"a.csv": table})], [CURVE])
    chart = text.partition("xychart-beta")[2].partition("```")[0]
    assert not re.search(r"\de[+-]?\d", chart)
    assert 'x-axis "the x" -0.00007876 --> 1500000000' in chart
    assert lines(text)[0][-1] == 3.25e12


def test_a_side_without_data_keeps_the_others_colour() -> None:
    text = to_comment(
        [side("main"), side("branch", plots={"a.csv": curve((0, 1), (1, 2))})], [CURVE]
    )
    assert len(lines(text)) == 1
    assert "orange is branch" in text
    assert "blue" not in text
    assert 'plotColorPalette: "#D55E00"' in text


def test_bars_are_a_table_with_the_longest_first() -> None:
    sides = [
        side("main", plots={"bars.csv": pd.DataFrame({"name": ["a|b", "c"], "value": [0.1, 0.3]})}),
        side(
            "branch", plots={"bars.csv": pd.DataFrame({"name": ["a|b", "d"], "value": [0.25, 0.5]})}
        ),
    ]
    text = to_comment(sides, [BARS])
    assert (
        text.index("| d |  | 0.5 |")
        < text.index("| a\\|b | 0.1 | 0.25 |")
        < text.index("| c | 0.3 |  |")
    )


def test_a_plot_without_data_is_left_out() -> None:
    assert "Plots" not in to_comment([side("main"), side("branch")], [CURVE, BARS])


def test_what_stopped_and_what_was_out_of_step_is_told_as_text() -> None:
    text = to_comment(
        [side("main"), side("branch")], [], ["train"], stopped="a <b>\n```\n", link="https://x/1"
    )
    assert "<pre>a &lt;b&gt;\n```</pre>" in text
    assert "not in step:** train ran here" in text
    assert "[artifacts of this run](https://x/1)" in text
    assert "Not compared" not in text
    assert "Not compared: no access to the champion." in to_comment(
        [side("main"), side("branch")], [], uncompared=True
    )


def test_every_plot_of_the_graph_but_the_confusion_is_drawn() -> None:
    plots = plot_definitions(REPOSITORY)
    drawn = 0
    for title, definition in plots:
        (path, column), *_ = reversed(definition["y"].items())
        table = pd.DataFrame({definition["x"]: [0.0, 1.0], column: [0.0, 1.0]})
        text = to_comment(
            [side("main"), side("branch", plots={path: table})], [(title, definition)]
        )
        drawn += title in text
    assert drawn == len(plots) - 1
