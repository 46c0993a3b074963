"""Fits in parallel, with results that do not depend on how many cores there are.

One model per core beats one model on all cores: OpenMP's threads wait for each other by spinning,
so that anything else that runs on the machine makes such a fit many times slower.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from seedbed.progress import track

T = TypeVar("T")


def cores() -> int:
    """Return how many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads() -> int:
    """Return how many threads to use: OMP_NUM_THREADS, and no more than there are cores."""
    chosen = os.environ.get("OMP_NUM_THREADS", "")
    return min(int(chosen), cores()) if chosen.isdigit() and int(chosen) > 0 else cores()


def run_in_parallel(calls: Sequence[Callable[[], T]], label: str) -> list[T]:
    """Call all of them, as many at a time as there are threads; return their results in order.

    Put the longest call first. Cores that are left over go to the calls themselves.
    """
    import joblib

    at_once = max(1, min(len(calls), threads()))
    inner = threads() // at_once

    def one(call: Callable[[], T]) -> T:
        with one_blas_thread(inner), joblib.parallel_config("threading", n_jobs=inner):
            return call()

    # The limit on BLAS holds for the whole process: taken here too, it outlasts the first call.
    with one_blas_thread():
        work = joblib.Parallel(at_once, backend="threading", batch_size=1, return_as="generator")
        return list(track(work(joblib.delayed(one)(call) for call in calls), len(calls), label))


@contextmanager
def one_blas_thread(openmp: int = 1) -> Iterator[None]:
    """Hold BLAS to one thread: the last bits of its sums depend on the number of threads.

    Parameters
    ----------
    openmp : int
        Threads for OpenMP, which scikit-learn uses in ways that change no bit of a result.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits({"blas": 1, "openmp": openmp}):
        yield
