"""What a served model was asked and answered, handed to a process that writes it to the log.

A request costs the server no more than to copy the bytes that it has received and sent. They are
handed over a few times a second; if the writer falls behind, requests are dropped and counted.
"""

import asyncio
import pickle
import random
import sys
import time
from asyncio.subprocess import PIPE
from collections import deque
from contextlib import suppress

import orjson
from starlette.responses import Response

from seedbed.errors import one_line
from seedbed.serving.bundle import Bundle
from seedbed.serving.http.logs import log_event
from seedbed.serving.http.metrics import Metrics
from seedbed.serving.http.refusals import Record
from seedbed.serving.log_files import LoggedModel, LogSettings

PROGRAM = """
import os, signal
for asking_to_end in (signal.SIGINT, signal.SIGTERM):  # the server may still have something
    signal.signal(asking_to_end, signal.SIG_IGN)
from seedbed.serving.http.log_writer import main
os.nice(10)
main()
"""
"""Where there are more processes than cores, answering goes first, but for the writer's imports: in
the time that these may take then, more would wait to be written than is held."""
WRITER = (sys.executable, "-P", "-c", PROGRAM)
TICK = 0.2
"""Seconds between two times that requests are handed over: each of them alone would cost more."""
TIME_GOES_ON = pickle.dumps(None)
CHUNK = 2**20
"""Bytes that are handed over at once: so long the event loop does nothing else."""
CLOSE_WITHIN = 30.0
"""Seconds that a server which ends waits for its writer."""
PAUSE = 5.0
"""Seconds until a writer that has failed is started again."""


class PredictionLog:
    """Keeps requests and their answers, as long as an event loop runs.

    Parameters
    ----------
    settings : LogSettings
        Its folder is there.
    metrics : Metrics
        Count the requests that are not kept.
    """

    def __init__(self, settings: LogSettings, metrics: Metrics) -> None:
        self._settings, self._dropped = settings, metrics.log_dropped
        self._models: dict[str, LoggedModel] = {}
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._handed_over = 0
        """Requests whose end the writer has not yet reported."""
        self._problem: str | None = None
        self._closing = asyncio.Event()
        self._running = asyncio.create_task(self._run())

    def add(self, bundle: Bundle, record: Record, response: Response) -> None:
        """Keep a request that was answered, or leave it out, by the rate; nobody waits for it."""
        if self._settings.rate < 1 and random.random() >= self._settings.rate:
            return
        if self._size >= self._settings.most_bytes:
            self._dropped.inc()
            return
        version = bundle.version
        if version not in self._models:
            self._models[version] = LoggedModel.of(bundle, self._settings.without)
        sent, answered = (record.kind, record.body), (response.media_type, response.body)
        # The fields of log_writer.Asked, as a bare tuple: the time is that of a request.
        asked = pickle.dumps((record.id, version, time.time(), record.rows, *sent, *answered))
        self._waiting.append(asked)
        self._size += len(asked)

    async def close(self) -> None:
        """Return once all that was added is written, or the writer hangs, as on a lost disk."""
        self._closing.set()
        _, hanging = await asyncio.wait({self._running}, timeout=CLOSE_WITHIN)
        for task in hanging:
            task.cancel()
            await asyncio.wait({task})
            self._note_failure(f"what waits is not written within {CLOSE_WITHIN:g} s")

    async def _run(self) -> None:
        while self._waiting or not self._closing.is_set():
            failure = await self._run_writer()
            if failure:
                self._note_failure(failure)
                await self._pause(PAUSE)

    async def _run_writer(self) -> str | None:
        """Start a writer, feed it until its end, and return why it failed, if it did."""
        try:
            # In a session of its own: Ctrl+C is meant for the server, which closes the pipe.
            writer = await asyncio.create_subprocess_exec(
                *WRITER, stdin=PIPE, stdout=PIPE, start_new_session=True
            )
        except OSError as error:
            return f"the process that writes it cannot be started ({one_line(error)})"
        assert writer.stdin and writer.stdout
        feeding = asyncio.create_task(self._feed(writer.stdin))
        try:
            async for line in writer.stdout:
                self._note_report(**orjson.loads(line))
        except asyncio.CancelledError:
            writer.kill()
            with suppress(TimeoutError):
                await asyncio.wait_for(writer.wait(), 1)
            raise
        finally:
            feeding.cancel()
        [broken] = await asyncio.gather(feeding, return_exceptions=True)
        code = await writer.wait()
        if code:
            return f"the process that writes it ended with exit code {code}"
        return f"requests cannot be handed over ({broken!r})" if broken else None

    async def _feed(self, pipe: asyncio.StreamWriter) -> None:
        known: set[str] = set()
        try:
            pipe.write(pickle.dumps(self._settings))
            while self._waiting or not self._closing.is_set():
                if (taken := self._take()) or self._handed_over:
                    for version in self._models.keys() - known:
                        pipe.write(pickle.dumps(self._models[version]))
                        known.add(version)
                    self._handed_over += len(taken)
                    pipe.write(b"".join(taken) or TIME_GOES_ON)
                    await pipe.drain()
                if self._size < CHUNK:
                    await self._pause(TICK)
        finally:
            pipe.close()

    def _take(self) -> list[bytes]:
        taken: list[bytes] = []
        size = 0
        while self._waiting and size < CHUNK:
            taken.append(self._waiting.popleft())
            size += len(taken[-1])
        self._size -= size
        return taken

    async def _pause(self, seconds: float) -> None:
        """Wait, but not once the log is closed."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)

    def _note_report(self, requests: int, problem: str | None) -> None:
        self._handed_over -= requests
        if problem:
            self._dropped.inc(requests)
        self._note(problem)

    def _note_failure(self, problem: str) -> None:
        lost, self._handed_over = self._handed_over, 0
        if self._closing.is_set():  # it is not started once more
            lost += len(self._waiting)
            self._waiting.clear()
        self._dropped.inc(lost)
        self._note(problem)

    def _note(self, problem: str | None) -> None:
        if problem != self._problem:
            self._problem = problem
            log_event("prediction log", problem=problem or "writing again")
