"""Batches are answered one after the other or by several processes; the answers keep the order."""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from seedbed.data.batches import read_ahead
from seedbed.errors import UserError
from seedbed.models.parallel import cores
from seedbed.serving.bundle import Bundle
from seedbed.serving.loading import load_bundle
from seedbed.serving.scoring.batches import Batch
from seedbed.serving.scoring.predicting import Scored, score_batch
from seedbed.serving.scoring.reading import Wording

AHEAD = 2
"""Batches that each process has waiting."""
Submit = Callable[[Batch], Future[Scored]]


@contextmanager
def scoring(bundle: Bundle, path: Path, wording: Wording, processes: int) -> Iterator[Submit]:
    """Yield what answers batches: a thread of this process, or processes that load the bundle."""
    if processes == 1:
        with ThreadPoolExecutor(1) as pool:
            yield lambda batch: pool.submit(score_batch, bundle, batch, wording)
        return
    has_server = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if has_server else "spawn")
    if has_server:
        context.set_forkserver_preload([__name__, "skops.io", "sklearn.ensemble"])
    start = (path.absolute(), bundle.version, wording, max(1, cores() // processes))
    with ProcessPoolExecutor(processes, context, _start, start) as workers:
        try:
            yield lambda batch: workers.submit(_score, _pack(batch))
        except BrokenProcessPool:
            raise UserError(
                "A process that predicts has ended, as happens where memory is short. What was "
                "answered until then is kept: type the same command again to go on, with fewer "
                "--processes if memory is short."
            ) from None
        finally:
            workers.shutdown(cancel_futures=True)


def score_all(
    batches: Iterable[Batch], submit: Submit, width: int
) -> Generator[tuple[Batch, Scored]]:
    """Yield each batch with its answers, in their order, a few at a time; reading goes on."""
    waiting: deque[tuple[Batch, Future[Scored]]] = deque()
    with read_ahead(lambda: batches) as ready:
        for batch in ready:
            waiting.append((batch, submit(batch)))
            if len(waiting) > width * AHEAD:
                first, future = waiting.popleft()
                yield first, future.result()
    while waiting:
        first, future = waiting.popleft()
        yield first, future.result()


_prepared: dict[str, tuple[Bundle, Wording] | UserError] = {}
"""In a process that predicts: its model, or why it has none."""
MODEL = "model"


def _start(path: Path, version: str, wording: Wording, threads: int) -> None:
    """Prepare a process that predicts."""
    from threadpoolctl import threadpool_limits

    threading.Thread(target=_end_with_parent, daemon=True).start()
    pa.set_cpu_count(threads)
    try:
        bundle = load_bundle(path)
        if bundle.version != version:
            raise UserError(f"{path}: the bundle was replaced meanwhile. Type the command again.")
        _prepared[MODEL] = bundle, wording
    except UserError as error:  # the first batch tells it: of a process that starts, nobody hears
        _prepared[MODEL] = error
    threadpool_limits(threads)


def _end_with_parent() -> None:
    """End this process when the one that started it was killed: nobody else would end it."""
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


def _pack(batch: Batch) -> tuple[Batch, bytes]:
    """Return a batch without its table, and the table as Arrow's stream: no more than its rows."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.columns.schema) as stream:
        stream.write_table(batch.columns)
    bare = Batch(batch.columns.schema.empty_table(), batch.numbers, batch.taken, batch.rejected)
    return bare, sink.getvalue().to_pybytes()


def _score(packed: tuple[Batch, bytes]) -> Scored:
    bare, content = packed
    if isinstance(prepared := _prepared[MODEL], UserError):
        raise prepared
    bundle, wording = prepared
    table = pa.ipc.open_stream(content).read_all()
    return score_batch(bundle, Batch(table, bare.numbers, bare.taken, bare.rejected), wording)
