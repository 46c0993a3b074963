"""Around every request: who may ask, for how long, its number, its line in the log, its figures."""

import asyncio
import hmac
import itertools
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seedbed.serving.http.logs import log_event
from seedbed.serving.http.metrics import Metrics
from seedbed.serving.http.refusals import FAILED, Record, Refusal
from seedbed.serving.http.settings import Settings

OPEN = ("/", "/health")
"""Routes that need no token, and that answer however many connections there are."""
REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
MOST_LETTERS = 200
"""Of a place in the log: the name of a column may be as long as a body."""
GONE = 499
"""What nginx logs for a client that hung up."""


class Gate:
    """An ASGI application around another.

    Parameters
    ----------
    app : ASGI application
    settings : Settings
    metrics : Metrics
    routes : frozenset of str
        The paths that the metrics tell apart.
    direct : mapping of str to callable
        What answers a POST to these paths without the application: its router and middleware take
        longer than a model of trees.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        metrics: Metrics,
        routes: frozenset[str],
        direct: Mapping[str, Callable[[Request], Awaitable[Response]]],
    ) -> None:
        self._app, self._metrics, self._routes, self._direct = app, metrics, routes, direct
        self._seconds = settings.seconds
        self._token = f"Bearer {settings.token}".encode() if settings.token else None
        self._prefix, self._numbers = secrets.token_hex(6), itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin = time.perf_counter()
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id")
        if given and REQUEST_ID.fullmatch(given):
            number = given
        else:
            number = f"{self._prefix}-{next(self._numbers):x}".encode()
        record = Record(number.decode(), headers)
        record.has_body = scope["method"] in ("GET", "HEAD")  # there is none to wait for
        scope["state"]["record"] = record

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
                message["headers"].append((b"x-request-id", number))
            await send(message)

        try:
            self._refuse_stranger(scope, headers.get(b"authorization"))
            async with asyncio.timeout(self._seconds):
                answer = self._direct.get(scope["path"]) if scope["method"] == "POST" else None
                if answer is None:
                    await self._app(scope, receive, sending)
                else:
                    response = await answer(Request(scope, receive))
                    await response(scope, receive, sending)
        except Refusal as refusal:
            await refusal.response(record)(scope, receive, sending)
        except TimeoutError:
            if record.status:  # the answer is on its way, and the client does not take it
                record.error = "client does not read"
                return
            await self._too_slow(record)(scope, receive, sending)
        except ClientDisconnect:
            record.status, record.error = record.status or GONE, "client gone"
        except Exception:  # a mistake of ours: the log has its traceback
            logging.getLogger(__name__).exception("a request failed")
            if not record.status:
                await FAILED.response(record)(scope, receive, sending)
        finally:
            self._note(scope, record, time.perf_counter() - begin)

    def _refuse_stranger(self, scope: Scope, token: bytes | None) -> None:
        if scope["path"] in OPEN:
            return
        if scope["state"].get("busy"):
            what = "There are more connections than this server takes. Try again."
            raise Refusal(503, "connection", what, "fewer connections", retry_after="1")
        if self._token is not None and not hmac.compare_digest(token or b"", self._token):
            raise Refusal(
                401,
                "headers.authorization",
                "The token is missing or wrong.",
                "Authorization: Bearer <token>",
                www_authenticate="Bearer",
            )

    def _too_slow(self, record: Record) -> Response:
        allowed = f"{self._seconds:g} seconds for a request"
        if record.has_body:
            what = "The answer was not ready in time. Send fewer rows, or use `seedbed score`."
            return Refusal(503, "rows", what, allowed, retry_after="1").response(record)
        return Refusal(408, "body", "The body was not there in time.", allowed).response(record)

    def _note(self, scope: Scope, record: Record, seconds: float) -> None:
        route = scope["path"] if scope["path"] in self._routes else "other"
        metrics = self._metrics
        metrics.seconds[route, record.status].observe(seconds)
        fields: dict[str, Any] = {
            "id": record.id,
            "method": scope["method"],
            "route": route,
            "status": record.status,
            "ms": round(seconds * 1000, 3),
        }
        if record.rows:
            fields["rows"] = record.rows
        if record.version:
            fields["model"] = record.version
        if record.error:
            metrics.errors[record.error].inc()
            fields["error"], fields["where"] = record.error, record.where[:MOST_LETTERS]
        log_event("request", **fields)
