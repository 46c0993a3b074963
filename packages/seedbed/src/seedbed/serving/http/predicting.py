"""POST /predict: rows in, answers out."""

import json
import time
from typing import Any

import orjson
import pandas as pd
from starlette.requests import Request
from starlette.responses import Response

from seedbed.errors import UserError
from seedbed.serving.bundle import Bundle, CheckedRows
from seedbed.serving.http.current import Served
from seedbed.serving.http.metrics import AnswerCounter
from seedbed.serving.http.refusals import Record, Refusal
from seedbed.serving.http.sent import Sent
from seedbed.serving.http.service import JSON, Service, wanted_kind
from seedbed.serving.http.tables import write_table

CHUNK = 2000
"""Rows of a table that are predicted at once: between chunks the clock is looked at."""
PAUSE = 0.001
"""Seconds between chunks: a request of one row may wait for the lock on the bundle's code."""
MOST_WARNING_BYTES = 4000
"""Of the header that has the warnings; the last are left out."""


async def predict(service: Service, request: Request) -> Response:
    """Answer the rows of a request.

    Raises Refusal if they cannot be answered.
    """
    served = service.served
    record: Record = request.scope["state"]["record"]
    wanted = wanted_kind(record)
    sent = await service.receive_rows(request, served)
    try:
        if wanted == JSON and not isinstance(sent.rows, pd.DataFrame) and sent.is_few:
            response = _answer_few(service, served, sent)
        else:
            deadline = time.monotonic() + service.settings.seconds
            counter = service.counter(served)  # here: the event loop alone replaces counters
            response = await service.in_thread(
                _answer_many, service, counter, served, sent, wanted, deadline
            )
    except UserError as error:
        raise Refusal.of(error, sent.by_columns) from None
    if service.log:
        service.log.add(served.bundle, record, response)
    return response


def _answer_few(service: Service, served: Served, sent: Sent) -> Response:
    rows: Any = sent.rows
    answers = served.bundle.answer(rows)
    warnings = answers.warnings
    if max(map(len, rows), default=0) > len(served.names):  # all that are asked for are there
        warnings = [*warnings, _extra_warning(served, set().union(*rows))]
    service.counter(served).count_few(rows, answers)
    if service.shadow:
        service.shadow.offer(rows, answers.rows, sent.count)
    if service.watch:
        service.watch.offer(served.bundle, rows, answers.rows)
    return _json_answer(served, answers.rows, warnings)


def _answer_many(
    service: Service,
    counter: AnswerCounter,
    served: Served,
    sent: Sent,
    wanted: str,
    deadline: float,
) -> Response:
    checked = served.bundle.check(sent.rows)
    answers = _predict_until(served.bundle, checked, deadline)
    warnings = served.bundle.warn(checked)
    frame = sent.frame
    if wanted != JSON and (twice := [name for name in answers if name in frame]):
        what = f"The column {twice[0]} that was sent would be overwritten. Rename it."
        raise Refusal(422, f"columns.{twice[0]}", what, "another name")
    if not served.names.issuperset(frame.columns):
        warnings.append(_extra_warning(served, set(frame.columns)))
    counter.count_many(checked.cleaned, answers)
    if service.shadow:
        loop = service.shadow.loop
        loop.call_soon_threadsafe(service.shadow.offer, sent.rows, answers, sent.count)
    if service.watch:
        service.watch.offer(served.bundle, frame, answers)
    if wanted == JSON:
        return _json_answer(served, answers.to_dict(orient="records"), warnings)
    body = write_table(pd.concat([frame, answers.set_axis(frame.index)], axis=1), wanted)
    while len(written := json.dumps(warnings)) > MOST_WARNING_BYTES:
        warnings.pop()
    headers = {"x-model-version": served.bundle.version, "x-warnings": written}
    return Response(body, media_type=wanted, headers=headers)


def _predict_until(bundle: Bundle, rows: CheckedRows, deadline: float) -> pd.DataFrame:
    found = []
    for start in range(0, len(rows.index), CHUNK):
        if time.monotonic() > deadline:
            what = "The answer was not ready in time. Send fewer rows, or use `seedbed score`."
            raise Refusal(503, "rows", what, "fewer rows", retry_after="1")
        part = slice(start, start + CHUNK)
        found.append(bundle.predict(CheckedRows(rows.cleaned.iloc[part], rows.index[part])))
        time.sleep(PAUSE)
    return pd.concat(found)


def _extra_warning(served: Served, names: set[str]) -> str:
    extra = sorted(str(name) for name in names - served.names)
    shown = ", ".join(name[:50] for name in extra[:5])
    more = f" and {len(extra) - 5} more" if len(extra) > 5 else ""
    return f"The model does not look at {shown}{more}."


def _json_answer(served: Served, answers: list[dict[Any, Any]], warnings: list[str]) -> Response:
    body = {"model": served.model_json, "answers": answers, "warnings": warnings}
    return Response(orjson.dumps(body), media_type=JSON)
