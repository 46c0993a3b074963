"""Ctrl-C ends a sweep in bounded time, even where a launcher's own way to stop its workers hangs."""

import contextlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from types import FrameType

import psutil

GRACE = 20.0
"""Seconds that a launcher has to stop its workers."""


def end_soon_after_ctrl_c(told: str, let_go: Callable[[], None], grace: float = GRACE) -> None:
    """Raise KeyboardInterrupt at Ctrl-C, and at SIGTERM too; but if this process is there `grace` seconds later, end it.

    Then what it started is killed, `let_go` is called, and `told` is said. For the main thread.
    """

    def interrupted(number: int, frame: FrameType | None) -> None:
        # A daemon thread: where all goes well it ends with the process.
        timer = threading.Timer(grace, _end, (told, let_go))
        timer.daemon = True
        timer.start()
        signal.default_int_handler(number, frame)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)


def _end(told: str, let_go: Callable[[], None]) -> None:
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            process.kill()
    try:
        let_go()
    except Exception:
        traceback.print_exc()
    print(told, file=sys.stderr, flush=True)
    os._exit(1)
