"""Many connections ask while workers are killed and the champion changes: are all answers right?"""

import asyncio
import itertools
import json
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from http_server import Server, serving
from seedbed.serving import load_bundle

CONNECTIONS = 64
MEGABYTE = 2**20
WARM = 0.2
"""The part of the time after which memory is looked at first."""


@dataclass
class Report:
    """What was answered under load.

    Attributes
    ----------
    right, wrong : int
        Answers that are, and are not, what the bundle says that they name.
    errors : Counter of str
        Requests that got no answer, by the reason.
    versions : Counter of str
        Answers by the version that they name.
    kills, changes : int
    memory : list of float
        Megabytes of the worker that is never killed, from when the server was warm.
    seconds : float
    """

    right: int = 0
    wrong: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    versions: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    changes: int = 0
    memory: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def lines(self) -> list[str]:
        """Return the report as text."""
        asked = self.right + self.wrong + self.errors.total()
        rate = self.errors.total() / max(asked, 1)
        return [
            f"{asked:,} requests in {self.seconds:.0f} s, {asked / self.seconds:,.0f} a second",
            f"{self.kills} workers killed, {self.changes} promotions, {dict(self.versions)}",
            f"wrong answers: {self.wrong}",
            f"errors: {self.errors.total()} ({rate:.4%}) {dict(self.errors)}",
            f"memory: {self.memory[0]:.0f} MB when warm, {max(self.memory):.0f} at most, "
            f"{self.memory[-1]:.0f} at last",
        ]


def put(bundle: Path, place: Path) -> None:
    """Replace a bundle as a promotion does: by another folder under the same name."""
    beside = place.with_name("beside")
    shutil.copytree(bundle, beside)
    shutil.rmtree(place, ignore_errors=True)
    beside.rename(place)


def workers_of(server: Server) -> list[psutil.Process]:
    """Return the living processes that answer; multiprocessing has a helper of its own."""
    found = []
    for child in psutil.Process(server.process.pid).children():
        with suppress(psutil.Error):
            if "resource_tracker" not in " ".join(child.cmdline()):
                found.append(child)
    return found


def load(
    bundles: Sequence[Path],
    folder: Path,
    seconds: float,
    *,
    kill_every: float,
    change_every: float,
) -> Report:
    """Ask a server of two workers from many connections; kill workers, change the champion.

    Parameters
    ----------
    bundles : sequence of Path
        Bundles on the same dataset, which are promoted in turn.
    folder : Path
        For the champion and the log.
    seconds, kill_every, change_every : float
    """
    place, report = folder / "champion", Report()
    loaded = [load_bundle(path) for path in bundles]
    rows = loaded[0].samples.rows
    expected = {one.version: one.answer(rows).rows for one in loaded}
    bodies = [_request(row) for row in rows]
    put(bundles[0], place)
    with serving(place, folder / "log", "--workers", "2") as server:
        server.wait_for("bundle taken", 2)
        asyncio.run(
            _ask_all(
                server, bodies, expected, report, seconds, kill_every, change_every, place, bundles
            )
        )
        assert server.process_lives()
    return report


async def _ask_all(
    server: Server,
    bodies: list[bytes],
    expected: dict[str, list[Any]],
    report: Report,
    seconds: float,
    kill_every: float,
    change_every: float,
    place: Path,
    bundles: Sequence[Path],
) -> None:
    begin = time.monotonic()
    end = begin + seconds
    spared = min(workers_of(server), key=psutil.Process.create_time)

    async def each(pause: float) -> Any:
        while time.monotonic() + pause < end:
            await asyncio.sleep(pause)
            yield

    async def kill() -> None:
        async for _ in each(kill_every):
            for worker in {*workers_of(server)} - {spared}:
                os.kill(worker.pid, signal.SIGKILL)
                report.kills += 1

    async def change() -> None:
        turn = itertools.cycle(bundles)
        next(turn)
        async for _ in each(change_every):
            await asyncio.to_thread(put, next(turn), place)
            report.changes += 1

    async def weigh() -> None:
        async for _ in each(seconds / 50):
            if time.monotonic() - begin > WARM * seconds:
                report.memory.append(spared.memory_info().rss / MEGABYTE)

    tasks = [_ask(server.port, bodies, expected, report, end) for _ in range(CONNECTIONS)]
    await asyncio.gather(kill(), change(), weigh(), *tasks)
    report.seconds = time.monotonic() - begin


async def _ask(
    port: int, bodies: list[bytes], expected: dict[str, list[Any]], report: Report, end: float
) -> None:
    writer = None
    while time.monotonic() < end:
        place = random.randrange(len(bodies))
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(bodies[place])
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            body = await reader.readexactly(length)
        except (OSError, EOFError) as error:
            report.errors[type(error).__name__] += 1
            if writer is not None:
                writer.close()
            writer = None
            continue
        if not head.startswith(b"HTTP/1.1 200"):
            report.errors[head[9:12].decode()] += 1
            continue
        answer = json.loads(body)
        version = answer["model"]["version"]
        report.versions[version] += 1
        if answer["answers"] == [expected[version][place]]:
            report.right += 1
        else:
            report.wrong += 1
    if writer is not None:
        writer.close()


def _request(row: Any) -> bytes:
    body = json.dumps({"rows": [row]}).encode()
    head = b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    return head + b"content-length: %d\r\n\r\n" % len(body) + body
