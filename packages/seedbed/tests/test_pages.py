"""The pages of `seedbed monitor` and `seedbed compare` are legible in light, in dark, on a phone."""

from pathlib import Path

import pandas as pd
import pytest

from chromium import Chromium, needs_browser
from seedbed.comparing import page as comparing
from seedbed.comparing.ranking import rank
from seedbed.comparing.revisions import Revision
from seedbed.monitoring import page as monitoring
from seedbed.monitoring.checking import Report, State
from seedbed.monitoring.performance import Performance
from seedbed.serving.drift import ColumnDrift

LONG = "a_name_that_is_wider_than_a_phone" * 3


def monitored() -> str:
    drift = ColumnDrift(
        LONG, psi=-0.0001, jensen_shannon=0.1, kolmogorov_smirnov=0.1, wasserstein=0.1,
        missing_before=0.0, missing=0.1, unseen=0.0, p=0.5,
        cells=((LONG, 0.4, 0.6), ("others", 0.6, 0.4)), reasons=(f"{LONG}: PSI 0.2",),
    )  # fmt: skip
    figure = {"value": 0.7, "low": 0.6, "high": 0.8}
    lost = Performance(f"{LONG} = a", 120, figure, figure, lost=True)
    return monitoring.to_html(
        Report(
            model="1a2b", rows=120, reference_rows=900, reference=LONG, columns=[drift],
            scores=[drift], domain=None, performance=[lost], estimated=None, metric="roc_auc",
            reasons=[LONG], state=State.PERFORMANCE_LOST, notes=[LONG],
        )
    )  # fmt: skip


def compared() -> str:
    plot = {"x": "x", "y": {"a.csv": "y"}, "template": "simple"}
    revisions = [
        Revision(
            f"{name}-{LONG}",
            metrics={"cv.roc_auc": value},
            params={"problem.task": "binary", "problem.metric": "roc_auc", LONG: name * 90},
            plots={"a.csv": pd.DataFrame({"x": [0, 1], "y": [0, value]})},
        )
        for name, value in (("main", 0.6), ("other", 0.7))
    ]
    return comparing.to_html(revisions, rank(revisions), [("Curve", plot)])


@pytest.mark.slow
@needs_browser
def test_reports_are_legible(tmp_path: Path) -> None:
    with Chromium(tmp_path / "profile") as browser:
        for name, html in (("monitor", monitored()), ("compare", compared())):
            page = tmp_path / f"{name}.html"
            page.write_text(html, "utf-8")
            browser.open(page.as_uri())
            for dark in (False, True):
                browser.picture(tmp_path / f"{name}.png", 390, 800, dark)
                browser.check_legible(390, dark)
        assert browser.complaints == []


def test_a_share_that_is_rounded_to_zero_has_no_sign() -> None:
    assert "PSI 0.000," in monitored()
