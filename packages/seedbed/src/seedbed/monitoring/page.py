"""What `seedbed monitor` found as one HTML page that needs nothing but itself, the worst first."""

from pathlib import Path

from seedbed.models.intervals import with_interval
from seedbed.monitoring.checking import Report, State
from seedbed.pages import STYLE
from seedbed.templates import render

TEMPLATE = Path(__file__).with_name("page.html.jinja")
MOST_COLUMNS = 60
"""Columns that are drawn, the worst; the JSON file has all."""
WORDS = {
    State.CALM: "Calm: nothing beyond what is tolerated",
    State.DRIFT: "Drift: the rows are not as they were",
    State.PERFORMANCE_LOST: "Performance lost",
    State.TOO_FEW_ROWS: "Too few rows to decide",
}


def to_html(report: Report) -> str:
    """Return the page."""
    return render(
        TEMPLATE,
        # With "z" a value that is rounded to zero has no sign.
        {"interval": with_interval, "index": "{:z.3f}".format},
        style=STYLE + TEMPLATE.with_name("page.css").read_text("utf-8"),
        report=report,
        words=WORDS[report.state],
        shown=report.columns[:MOST_COLUMNS],
        left_out=len(report.columns) - MOST_COLUMNS,
    )
