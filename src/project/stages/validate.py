"""Stage validate: raw rows against the expectations; a critical failure stops the pipeline here."""

from pathlib import Path

from seedbed.config.schema import Expectations
from seedbed.data.tables import read_table
from seedbed.data.validation import describe_failures, validate_rows, write_data_docs
from seedbed.errors import UserError
from seedbed.files import write_json
from seedbed.stages import stage


@stage
def validate(expectations: Expectations) -> None:
    """Write reports/validation/result.json, and beside it, outside DVC's outputs, the Data Docs."""
    result, outcome = validate_rows(read_table(Path("data/raw")), expectations)
    write_data_docs(outcome, Path("reports/validation/data_docs/index.html"))
    if not result["passed"]:
        failed = "; ".join(describe_failures(result, "critical"))
        raise UserError(
            f"data/raw does not meet the expectations, so nothing is learned from it. {failed}. "
            "Mend the source, narrow dataset.window, or, if the expectation is wrong, edit the "
            "conf/expectations file. "
            "All results: reports/validation/data_docs/index.html"
        )
    write_json(Path("reports/validation/result.json"), result)
    for sentence in describe_failures(result, "warning", "info"):
        print(sentence)
