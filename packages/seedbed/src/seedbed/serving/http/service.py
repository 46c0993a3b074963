"""What all routes share, and how the rows of a request come in."""

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from seedbed.serving.http.current import TICK, Current, Served
from seedbed.serving.http.json_rows import read_json_rows
from seedbed.serving.http.metrics import AnswerCounter, Metrics
from seedbed.serving.http.prediction_log import PredictionLog
from seedbed.serving.http.refusals import Record, Refusal
from seedbed.serving.http.sent import Sent
from seedbed.serving.http.settings import Settings
from seedbed.serving.http.shadow import Shadow
from seedbed.serving.http.table_limits import refuse_many_rows
from seedbed.serving.http.tables import ARROW, CSV, PARQUET, read_table_rows
from seedbed.serving.http.watching import Watch

JSON = "application/json"
KINDS = (JSON, CSV, PARQUET, ARROW)
WEIGHT = re.compile(r"q=(0(\.\d{0,3})?|1(\.0{0,3})?)")
SMALL = 64 * 1024
"""Bytes of JSON that are parsed in the event loop; more in a thread."""
Result = TypeVar("Result")


@dataclass
class Service:
    """The bundle that answers, its shadow, what is kept, the figures, threads for large tables."""

    settings: Settings
    metrics: Metrics
    current: Current
    shadow: Shadow | None = None
    log: PredictionLog | None = None
    watch: Watch | None = None
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "table"))
    _counters: dict[str, AnswerCounter] = field(default_factory=dict)

    @property
    def served(self) -> Served:
        """The bundle that answers now; a request looks once and keeps it."""
        if self.current.served is None:
            what = "No bundle is loaded yet."
            raise Refusal(503, "model", what, "requests once /ready answers 200", retry_after="1")
        return self.current.served

    def counter(self, served: Served) -> AnswerCounter:
        """Return what counts the answers of a bundle."""
        version = served.bundle.version
        if version not in self._counters:
            self.flush()
            self._counters = {version: AnswerCounter(self.metrics, served.bundle)}
        return self._counters[version]

    def flush(self) -> None:
        """Hand what was counted to Prometheus."""
        for counter in self._counters.values():
            counter.flush()

    async def keep_flushing(self) -> None:
        """Do so every second: a worker that is killed takes no more than that with it."""
        while True:
            await asyncio.sleep(TICK)
            self.flush()

    async def in_thread(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """Do what takes long without keeping other requests waiting."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, work, *arguments)

    async def receive_rows(self, request: Request, served: Served) -> Sent:
        """Return the rows that a request sends, in any of the formats.

        Raises Refusal if the content type is another, the body too large, or no rows can be read
        from it.
        """
        record: Record = request.scope["state"]["record"]
        kind = _sent_kind(record)
        body = await read_body(record, request.receive, self.settings.max_bytes)
        limits = self.settings
        if kind != JSON:
            signature = served.bundle.signature
            sent = await self.in_thread(
                read_table_rows, body, kind, signature, limits.max_rows, limits.max_bytes
            )
        elif len(body) <= SMALL:
            sent = read_json_rows(body)
        else:
            sent = await self.in_thread(read_json_rows, body)
        refuse_many_rows(sent.count, limits.max_rows)
        record.rows, record.version = sent.count, served.bundle.version
        if self.log:
            record.kind, record.body = kind, body
        return sent


def _sent_kind(record: Record) -> str:
    header = record.headers.get(b"content-type", b"")
    if b"content-encoding" in record.headers:
        what = "The body is compressed."
        raise Refusal(415, "headers.content-encoding", what, "a body as it is")
    if header == b"application/json":
        return JSON
    kind = header.decode("latin-1").partition(";")[0].strip().lower()
    if kind not in KINDS:
        what = f"The content type is {kind[:100]!r}." if kind else "There is no content type."
        raise Refusal(415, "headers.content-type", what, ", ".join(KINDS))
    return kind


def wanted_kind(record: Record) -> str:
    """Return the format in which a request wants its answer: JSON unless a table is asked for."""
    header = record.headers.get(b"accept", b"*/*")
    if header in (b"*/*", b"application/json"):
        return JSON
    accept = header.decode("latin-1")
    ranges = [_range_of(part) for part in accept.lower().split(",")]
    excluded = [wanted for weight, wanted in ranges if not weight]
    # The highest weight first; of equal ones, those that name a type.
    for _, wanted in sorted(ranges, key=lambda one: (-one[0], "*" in one[1])):
        for kind in KINDS:
            fits = wanted in (kind, f"{kind.partition('/')[0]}/*", "*/*")
            if fits and not {kind, wanted}.intersection(excluded):
                return kind
    raise Refusal(
        406, "headers.accept", f"The answer cannot be {accept[:100]!r}.", ", ".join(KINDS)
    )


def _range_of(part: str) -> tuple[float, str]:
    """Return the weight and the media range of a part of the header Accept (RFC 9110, 12.5.1)."""
    name, *parameters = (piece.strip() for piece in part.split(";"))
    weights = [parameter[2:] for parameter in parameters if WEIGHT.fullmatch(parameter)]
    return float(weights[0]) if weights else 1.0, name


async def read_body(record: Record, receive: Receive, most: int) -> bytes:
    """Return the body of a request, whether it states its length or comes in chunks.

    Raises
    ------
    Refusal
        If there are more than `most` bytes.
    ClientDisconnect
        If the client hung up.
    """
    if int(record.headers.get(b"content-length", 0)) > most:
        raise _too_large(most)
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        part = message.get("body", b"")
        size += len(part)
        if size > most:
            raise _too_large(most)
        parts.append(part)
        if not message.get("more_body"):
            break
    record.has_body = True
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(most: int) -> Refusal:
    what = "The body is too large. Send the rows in parts, or use `seedbed score`."
    return Refusal(413, "body", what, f"at most {most:,} bytes")
