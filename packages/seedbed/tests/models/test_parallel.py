"""Calls run in parallel, in order, within the threads that are allowed."""

import os
import threading
import time
from functools import partial

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from seedbed.models.parallel import one_blas_thread, run_in_parallel, threads


@pytest.mark.parametrize(
    ("value", "expected"), [("1", 1), ("", None), ("x", None), ("0", None), ("9999", None)]
)
def test_threads_are_capped_by_the_environment(
    value: str, expected: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert threads() == (expected or len(os.sched_getaffinity(0)))


@pytest.mark.parametrize("allowed", ["1", "2"])
def test_results_come_in_the_order_of_the_calls(
    allowed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", allowed)

    def call(number: int) -> int:
        time.sleep(0.02 * (4 - number))
        return number

    assert run_in_parallel([partial(call, number) for number in range(4)], "calls") == [0, 1, 2, 3]


def test_with_one_thread_nothing_runs_beside_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert len(set(run_in_parallel([threading.get_ident] * 5, "calls"))) == 1


def test_an_error_in_a_call_comes_out_as_it_is() -> None:
    def fail() -> None:
        raise KeyError("a fold")

    with pytest.raises(KeyError, match="a fold"):
        run_in_parallel([fail, fail], "calls")


def test_sums_are_made_in_one_thread() -> None:
    with one_blas_thread():
        assert {
            library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
        } <= {1}


def blas_threads() -> set[int]:
    return {found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"}


def test_the_limit_lasts_until_the_last_thread_that_holds_it_lets_go() -> None:
    with threadpool_limits({"blas": 2}):
        before = blas_threads()
        entered, leave, left = threading.Event(), threading.Event(), threading.Event()

        def hold() -> None:
            with one_blas_thread(openmp=None):
                entered.set()
                leave.wait(10)
            left.set()

        thread = threading.Thread(target=hold)
        with one_blas_thread():
            thread.start()
            assert entered.wait(10)
        assert blas_threads() == {1}
        leave.set()
        assert left.wait(10)
        thread.join()
        assert blas_threads() == before
