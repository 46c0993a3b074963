"""Fits in parallel, with results that do not depend on how many cores there are.

One model per core beats one model on all cores: OpenMP's threads wait for each other by spinning,
so that anything else that runs on the machine makes such a fit many times slower.
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

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

    with one_blas_thread():  # taken here too, it outlasts the first call
        work = joblib.Parallel(at_once, backend="threading", batch_size=1, return_as="generator")
        return list(track(work(joblib.delayed(one)(call) for call in calls), len(calls), label))


@contextmanager
def one_blas_thread(openmp: int | None = 1) -> Iterator[None]:
    """Hold BLAS to one thread: the last bits of its sums depend on the number of threads.

    The limit is the whole process's. It lasts until the last of those ends that hold it at the same
    time, in whatever threads they are. A server that holds it as long as it runs makes each of its
    predictions pay a few microseconds for it.

    Parameters
    ----------
    openmp : int or None, default=1
        Threads for OpenMP, which scikit-learn uses in ways that change no bit of a result. This
        limit is the calling thread's own. None leaves them as they are.
    """
    from threadpoolctl import get_cached_controller

    libraries = get_cached_controller()
    _HELD.enter(libraries)
    try:
        if openmp is None:
            yield
        else:
            with libraries.select(user_api="openmp").limit(limits=openmp):
                yield
    finally:
        _HELD.leave()


class _HeldBlas:
    """How many hold BLAS to one thread, and what its libraries were set to before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders = 0
        self._limits: list[tuple[Any, Any]] = []

    def enter(self, libraries: Any) -> None:
        with self._lock:
            self._holders += 1
            if all(held is not libraries for held, _ in self._limits):  # more were loaded since
                blas = libraries.select(user_api="blas")
                self._limits.append((libraries, self._set(lambda: blas.limit(limits=1))))

    def leave(self) -> None:
        with self._lock:
            self._holders -= 1
            while not self._holders and self._limits:
                self._set(self._limits.pop()[1].restore_original_limits)

    @staticmethod
    def _set(change: Callable[[], T]) -> T:
        """Change the limits, whichever thread made them: threadpoolctl would ignore another's."""
        from threadpoolctl import OpenBLASController

        OpenBLASController.clear_controlling_thread(force=True)
        try:
            return change()
        finally:
            OpenBLASController.clear_controlling_thread(force=True)


_HELD = _HeldBlas()
