"""Stage clean: impossible values become missing; duplicates and rows without a target go."""

from pathlib import Path

from seedbed.config.columns import resolve_columns
from seedbed.config.schema import Cleaning, ColumnLists, Problem
from seedbed.data.cleaning import clean_rows, clean_values, count_changes, describe_duplicates
from seedbed.data.tables import read_table, write_table
from seedbed.files import write_json
from seedbed.stages import stage


@stage
def clean(columns: ColumnLists, problem: Problem, cleaning: Cleaning) -> None:
    """Write data/clean and reports/clean.json."""
    raw = read_table(Path("data/raw"))
    known = resolve_columns(columns, raw)
    cleaned = clean_values(raw, known, cleaning)
    rows, counts = clean_rows(cleaned, known, problem, cleaning)
    write_table(rows, Path("data/clean"))
    write_json(
        Path("reports/clean.json"), {**counts, "values_made_missing": count_changes(raw, cleaned)}
    )
    print(f"{counts['rows_out']:,} of {counts['rows_in']:,} rows kept")
    if counts["without_target"]:
        print(f"{counts['without_target']:,} rows dropped, since {columns.target} is missing")
    if counts["duplicates"]:
        print(
            f"{counts['duplicates']:,} rows dropped as duplicates: "
            f"{describe_duplicates(cleaned, known)}"
        )
