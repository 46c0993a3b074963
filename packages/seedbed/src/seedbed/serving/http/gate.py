"""Around every request: who may ask, for how long, its number, its line in the log, its figures."""

import asyncio
import hmac
import itertools
import re
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.responses import Response

from seedbed.serving.http.logs import log_event
from seedbed.serving.http.metrics import Metrics
from seedbed.serving.http.refusals import Record, Refusal
from seedbed.serving.http.settings import Settings

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
OPEN = ("/", "/health")
"""Routes that need no token, and that answer however many connections there are."""
REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
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
    """

    def __init__(
        self, app: Any, settings: Settings, metrics: Metrics, routes: frozenset[str]
    ) -> None:
        self._app, self._metrics, self._routes = app, metrics, routes
        self._seconds = settings.seconds
        self._token = f"Bearer {settings.token}".encode() if settings.token else None
        self._prefix, self._numbers = secrets.token_hex(6), itertools.count(1)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin = time.perf_counter()
        given = token = None
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                given = value
            elif name == b"authorization":
                token = value
        if given and REQUEST_ID.fullmatch(given):
            number = given
        else:
            number = f"{self._prefix}-{next(self._numbers):x}".encode()
        record = Record(number.decode())
        record.has_body = scope["method"] in ("GET", "HEAD")  # there is none to wait for
        scope["state"]["record"] = record

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
                message["headers"].append((b"x-request-id", number))
            await send(message)

        try:
            self._refuse_stranger(scope, token)
            async with asyncio.timeout(self._seconds):
                await self._app(scope, receive, sending)
        except Refusal as refusal:
            await refusal.response(record)(scope, receive, sending)
        except TimeoutError:
            if record.status:  # the answer is on its way, and the client does not take it
                record.error = "client does not read"
                return
            await self._too_slow(record)(scope, receive, sending)
        except ClientDisconnect:
            record.status, record.error = record.status or GONE, "client gone"
        finally:
            self._note(scope, record, time.perf_counter() - begin)

    def _refuse_stranger(self, scope: Message, token: bytes | None) -> None:
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

    def _note(self, scope: Message, record: Record, seconds: float) -> None:
        route = scope["path"] if scope["path"] in self._routes else "other"
        metrics = self._metrics
        metrics.requests[route, record.status].inc()
        metrics.seconds[route].observe(seconds)
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
            fields["error"], fields["where"] = record.error, record.where
        log_event("request", **fields)
