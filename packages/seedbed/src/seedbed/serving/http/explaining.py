"""POST /explain: few rows in, and out why each has its score."""

from dataclasses import asdict

import orjson
import pandas as pd
from starlette.requests import Request
from starlette.responses import Response

from seedbed.errors import UserError
from seedbed.serving.explaining import METHOD, MOST_ROWS, explain
from seedbed.serving.http.refusals import Record, Refusal
from seedbed.serving.http.service import JSON, Service, wanted_kind
from seedbed.serving.http.table_limits import refuse_many_rows


async def explain_rows(service: Service, request: Request) -> Response:
    """Explain the answers to the rows of a request.

    Raises Refusal if they cannot be explained.
    """
    served = service.served
    record: Record = request.scope["state"]["record"]
    if wanted_kind(record) != JSON:
        raise Refusal(406, "headers.accept", "An explanation is no table.", JSON)
    sent = await service.receive_rows(request, served)
    refuse_many_rows(sent.count, MOST_ROWS)
    rows = sent.rows
    if isinstance(rows, pd.DataFrame):
        rows = rows.to_dict(orient="records")
    try:
        await service.in_thread(served.bundle.check, rows)
        # Row by row: a request that takes too long keeps its thread for one row more.
        found = [await service.in_thread(explain, served.bundle, row) for row in rows]
    except UserError as error:
        raise Refusal.of(error, sent.by_columns) from None
    body = {
        "model": served.model_json,
        "explanations": [asdict(explanation) for explanation in found],
        "method": METHOD,
    }
    return Response(orjson.dumps(body), media_type=JSON)
