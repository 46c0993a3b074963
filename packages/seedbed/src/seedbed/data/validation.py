"""Raw rows against a Great Expectations suite: what failed, how badly, in which rows."""

import json
import logging
import warnings
from pathlib import Path
from typing import Any, get_args

import great_expectations as gx
import pandas as pd
from great_expectations import expectations as gxe
from great_expectations.core import (
    ExpectationSuiteValidationResult,
    ExpectationValidationResult,
)

from seedbed.config.preparation import Expectation, Expectations, Severity
from seedbed.errors import UserError, did_you_mean, one_line
from seedbed.files import write_text

SAMPLE = 10
WHERE = "Edit the conf/expectations file."
MISTAKE = "This is a mistake in the suite, not in the data."

logging.getLogger("great_expectations").setLevel(logging.ERROR)


def validate_rows(
    frame: pd.DataFrame, expectations: Expectations
) -> tuple[dict[str, Any], ExpectationSuiteValidationResult]:
    """Validate rows; return a result that is the same for the same rows, and that of GX.

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
    expectations : Expectations
        Each with a severity of Great Expectations: critical, warning or info.

    Returns
    -------
    tuple of dict and ExpectationSuiteValidationResult
        The dict has `passed` (no critical failure), `rows`, `failed` (their number by severity) and
        `expectations`: per expectation `type`, `arguments`, `severity`, `passed`, `observed` or
        `unexpected` (count, percent, sample, rows).

    Raises
    ------
    UserError
        If an expectation cannot be evaluated: its class, an argument or a column does not exist.
        That is an error in the suite, which Great Expectations itself reports like bad data.
    """
    if not expectations.suite:
        raise UserError(f"expectations.suite is empty, so nothing would be validated. {WHERE}")
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    suite = gx.ExpectationSuite("suite")
    for place, expectation in enumerate(expectations.suite):
        suite.add_expectation(_build(place, expectation, frame))
        if len(suite.expectations) == place:
            raise UserError(
                f"expectations.suite[{place}]: {expectation.type} stands there twice. {WHERE}"
            )
    definition = (
        context.data_sources.add_pandas("rows")
        .add_dataframe_asset("raw")
        .add_batch_definition_whole_dataframe("all")
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outcome = definition.get_batch({"dataframe": frame}).validate(
            suite, result_format={"result_format": "SUMMARY", "partial_unexpected_count": SAMPLE}
        )
    found = sorted(outcome.results, key=lambda each: each.expectation_config.meta["place"])
    entries = [_entry(*each) for each in zip(expectations.suite, found, strict=True)]
    failed = [entry["severity"] for entry in entries if not entry["passed"]]
    result = {
        "passed": "critical" not in failed,
        "rows": len(frame),
        "failed": {severity: failed.count(severity) for severity in get_args(Severity)},
        "expectations": entries,
    }
    return result, outcome


def describe_failures(result: dict[str, Any], *severities: str) -> list[str]:
    """Return a sentence for each failed expectation of the given severities."""
    return [
        f"{entry['severity']}: {_in_words(entry)}"
        for entry in result["expectations"]
        if not entry["passed"] and entry["severity"] in severities
    ]


def write_data_docs(outcome: ExpectationSuiteValidationResult, path: Path) -> None:
    """Write the page of a validation. It holds times and random ids, so it is no stage's output."""
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    page = DefaultJinjaPageView().render(
        ValidationResultsPageRenderer(run_info_at_end=True).render(outcome)
    )
    write_text(path, page)


def _build(place: int, expectation: Expectation, frame: pd.DataFrame) -> Any:
    where = f"expectations.suite[{place}]"
    kind = getattr(gxe, expectation.type, None)
    if kind is None or not expectation.type.startswith("Expect"):
        raise UserError(f"{where}.type: Great Expectations has no {expectation.type}. {WHERE}")
    arguments = expectation.arguments
    named = [arguments.get(key) for key in ("column", "column_A", "column_B")]
    for name in [*named, *(arguments.get("column_list") or [])]:
        if isinstance(name, str) and name not in frame:
            raise UserError(
                f"{where}: {expectation.type} names the column {name}, which data/raw does not have"
                f"{did_you_mean(name, frame)}. {MISTAKE} {WHERE}"
            )
    try:
        return kind(
            **_with_times(arguments, frame), severity=expectation.severity, meta={"place": place}
        )
    except (ValueError, TypeError) as error:
        raise UserError(
            f"{where}: {expectation.type} does not take these arguments ({arguments}): "
            f"{one_line(error)[:300]}. {WHERE}"
        ) from None


def _with_times(arguments: dict[str, Any], frame: pd.DataFrame) -> dict[str, Any]:
    """Return the arguments with ISO texts as times where the column holds times."""
    column = arguments.get("column")
    if not (isinstance(column, str) and isinstance(frame[column].dtype, pd.DatetimeTZDtype)):
        return arguments
    zone = frame[column].dtype.tz
    times: dict[str, Any] = {
        key: pd.Timestamp(arguments[key], tz=zone)
        for key in ("min_value", "max_value")
        if arguments.get(key) is not None
    }
    if isinstance(arguments.get("value_set"), list):
        times["value_set"] = [pd.Timestamp(value, tz=zone) for value in arguments["value_set"]]
    return {**arguments, **times}


def _entry(expectation: Expectation, result: ExpectationValidationResult) -> dict[str, Any]:
    raised = result.exception_info or {}
    for error in [raised] if "raised_exception" in raised else raised.values():
        if error["raised_exception"]:
            place = result.expectation_config.meta["place"]
            raise UserError(
                f"expectations.suite[{place}]: {expectation.type} could not be evaluated: "
                f"{one_line(error['exception_message'])[:300]} {MISTAKE} {WHERE}"
            )
    # JSON has no infinite number: null stands for it, as for what is missing.
    found = json.loads(json.dumps(result.to_json_dict()["result"]), parse_constant=lambda _: None)
    entry: dict[str, Any] = {
        "type": expectation.type,
        "arguments": expectation.arguments,
        "severity": expectation.severity,
        "passed": bool(result.success),
    }
    if "unexpected_percent" in found:
        entry["unexpected"] = {
            "count": found["unexpected_count"],
            "percent": round(found["unexpected_percent"] or 0.0, 4),
            "sample": found.get("partial_unexpected_list", []),
            "rows": found.get("partial_unexpected_index_list") or [],
        }
    elif "observed_value" in found:
        # An expectation of distinct values observes None, and lists those it did not expect.
        observed = found["observed_value"]
        entry["observed"] = found.get("partial_unexpected_list") if observed is None else observed
    return entry


def _in_words(entry: dict[str, Any]) -> str:
    arguments = ", ".join(f"{key}={value}" for key, value in entry["arguments"].items())
    what = f"{entry['type']}({arguments})"
    if "unexpected" in entry:
        found = entry["unexpected"]
        rows = f"{found['count']:,} row{'s' * (found['count'] != 1)}"
        sample = "; ".join(
            f"index {row}" if value is None else f"index {row}: {value}"
            for row, value in zip(found["rows"], found["sample"], strict=False)
        )
        examples = f", such as {sample}" if sample else ""
        return f"{what} fails in {rows} ({found['percent']:.3g} %){examples}"
    return f"{what} fails, observed is {entry.get('observed')}"
