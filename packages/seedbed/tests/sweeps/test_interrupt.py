"""Ctrl-C, or SIGTERM, ends a process that would otherwise wait for ever for what it started."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from support import wait_for

STOPPING = """
import subprocess, sys, time
from seedbed.sweeps.interrupt import end_soon_after_ctrl_c

child = subprocess.Popen(["sleep", "60"])
end_soon_after_ctrl_c("stopped", lambda: print("let go", flush=True), grace=0.5)
try:
    print(child.pid, flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    if sys.argv[1] == "hangs":
        time.sleep(60)
    child.kill()
    child.wait()
    sys.exit("stopped by itself")
"""


@pytest.mark.parametrize(
    ("how", "said", "warned"),
    [("hangs", "let go\n", "stopped\n"), ("ends", "", "stopped by itself\n")],
)
@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_is_the_end(how: str, said: str, warned: str, signal_: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPING, how],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    assert process.stdout is not None
    child = psutil.Process(int(process.stdout.readline()))
    process.send_signal(signal_)
    assert process.communicate(timeout=20) == (said, warned)
    assert process.returncode == 1
    # A killed process is gone when the kernel has taken it down, which may be after the one that killed it.
    wait_for(lambda: ended(child), "the child outlives what was stopped")


def ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
