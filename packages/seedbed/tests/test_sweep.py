"""The command: jobs are composed from one conf/ whatever happens to it meanwhile, and Ctrl-C is the end."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from omegaconf import OmegaConf

from seedbed.config.conf_hash import conf_hash
from seedbed.errors import UserError
from seedbed.sweep import copied_conf

from support import REPOSITORY, wait_for

KILLED_WHILE_IT_SENDS = """
import os, struct, sys, threading, time
from joblib import Parallel, delayed
from seedbed.sweep import watch_workers

def job(place):
    frame = sys._getframe()
    while "result_queue" not in frame.f_locals:
        frame = frame.f_back
    pipe = frame.f_locals["result_queue"]._writer.fileno()
    time.sleep(3)  # a worker is seen before it dies
    os.write(pipe, struct.pack("!i", 1000) + b"the beginning")
    os.kill(os.getpid(), 9)

if __name__ == "__main__":
    threading.Thread(target=watch_workers, args=(1.0,), daemon=True).start()
    Parallel(n_jobs=2, backend="loky")(delayed(job)(place) for place in range(2))
"""


def test_what_is_composed_has_the_hash_of_what_was_copied(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "conf", tmp_path / "conf")
    (tmp_path / ".dvc").mkdir()
    before = conf_hash(tmp_path)
    with copied_conf(tmp_path) as copy:
        (tmp_path / "conf/config.yaml").write_text("seed: 5\n")
        config = OmegaConf.load(copy / "config.yaml")
        assert config.conf_hash == before != conf_hash(tmp_path)
        assert config.seed == 0
        assert (copy / "sweep.yaml").read_bytes() == (tmp_path / "conf/sweep.yaml").read_bytes()
    assert not copy.exists()


def test_a_file_that_hydra_would_not_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "conf/mine.yml").touch()
    with (
        pytest.raises(UserError, match=r"conf/mine\.yml: Hydra reads only \.yaml"),
        copied_conf(tmp_path),
    ):
        pass


def test_the_copies_of_killed_sweeps_are_removed(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "conf", tmp_path / "conf")
    with subprocess.Popen(["true"]) as ended:
        pass
    left, alive = (tmp_path / f".dvc/tmp/conf-{pid}-abc_d-e" for pid in (ended.pid, os.getpid()))
    for folder in (left, alive):
        folder.mkdir(parents=True)
    with copied_conf(tmp_path):
        assert (left.exists(), alive.exists()) == (False, True)


STOPPING = """
import signal, subprocess, sys, time
from seedbed import sweep

sweep.GRACE = 0.5
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, sweep._stop)
child = subprocess.Popen(["sleep", "60"])
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
    ("how", "message"),
    [("hangs", "sweep: stopped. What is done is kept"), ("ends", "stopped by it")],
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_a_sweep_whose_launcher_hangs(
    how: str, message: str, number: signal.Signals
) -> None:
    command = [sys.executable, "-c", STOPPING, how]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
    assert message in errors
    assert process.returncode == 1

    def gone() -> bool:
        try:
            return not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    wait_for(gone, "the child outlives what was stopped")


def test_a_worker_killed_while_it_sends_its_result_ends_the_sweep(tmp_path: Path) -> None:
    script = tmp_path / "sweep.py"
    script.write_text(KILLED_WHILE_IT_SENDS, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 1
    assert "sweep: a worker was killed, perhaps for want of memory. What is done" in done.stderr


FREED = """
import sys, time
from seedbed.sweep import interrupt_again

class Freed:
    def __del__(self):
        raise KeyboardInterrupt

sys.unraisablehook = interrupt_again
try:
    Freed()
    time.sleep(60)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_ctrl_c_that_comes_while_an_object_is_freed_is_not_lost() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FREED], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout, done.stderr) == ("interrupted\n", "")
