"""What `seedbed monitor` found as one HTML page that needs nothing but itself, the worst first."""

from pathlib import Path

from seedbed.models.intervals import with_interval
from seedbed.monitoring.checking import Report, State

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
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"interval": with_interval, "share": "{:.1%}".format}
    environment.filters["count"] = "{:,}".format
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        report=report,
        words=WORDS[report.state],
        shown=report.columns[:MOST_COLUMNS],
        left_out=len(report.columns) - MOST_COLUMNS,
    )
