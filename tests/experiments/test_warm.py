"""Stages that DVC starts after the first find their packages imported, run their own code, and outlive no DVC."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from seedbed.experiments import warm, zygote

from support import wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each stage imports for itself")

SOURCE = Path(warm.__file__).parents[2]
TELL = "import sys\nfrom seedbed.state import word\nprint(__name__, word, 'warm' if 'heavy' in sys.modules else 'cold')"
STAGES = {
    "tell": TELL,
    "train": TELL,
    "until_ready": "import time\nfrom pathlib import Path\nwhile not list(Path('.dvc/tmp').glob('warm.*/ready')): time.sleep(0.01)",
    "evaluate": "import os, time\nfrom pathlib import Path\nPath('pid.tmp').write_text(str(os.getpid()))\n"
    "Path('pid.tmp').rename('pid')\ntime.sleep(60)",
}
"""Modules of a checkout, each the whole of a stage."""
LIMIT = 20
PID_MAX = 2**22 + 1
"""Higher than the process id of any process."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository of which only the way to start stages is real; what they stand on is one slow package, `heavy`."""
    package = tmp_path / "src/seedbed"
    for folder in ("experiments", "stages"):
        (package / folder).mkdir(parents=True)
        (package / folder / "__init__.py").touch()
    (package / "__init__.py").touch()
    (tmp_path / ".dvc/tmp").mkdir(parents=True)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    for name in ("stage.sh", "seedbed/experiments/zygote.py", "seedbed/experiments/zygote_client.py"):
        shutil.copyfile(SOURCE / name, tmp_path / "src" / name)
    text = Path(warm.__file__).read_text(encoding="utf-8")
    begin, end = text.index('PACKAGES = ("skrub"'), text.index("READY =")
    text = f'{text[:begin]}PACKAGES = ("heavy",)\n{text[end:]}'
    # Other tests may keep all cores busy.
    (package / "experiments/warm.py").write_text(
        text.replace("os.getloadavg()[0] <", "float((Path.cwd() / '../load').read_text()) <")
    )
    (tmp_path / ".dvc/tmp/load").write_text("0.5")
    (tmp_path / "src/heavy.py").write_text("import time\ntime.sleep(1)\n")
    (package / "state.py").write_text("word = 'old'\n")
    for name, code in STAGES.items():
        (package / f"stages/{name}.py").write_text(code + "\n")
    return tmp_path


DVC = """
import subprocess, sys
for command in sys.argv[2:]:
    subprocess.run([sys.argv[1], "-c", command], check=True)
"""
"""What DVC does with the commands of stages: it has a shell run them."""


def dvc(*commands: str, shell: str = "bash") -> list[str]:
    """Return the command of a process that runs stages, and other commands as they are."""
    return [
        sys.executable,
        "-c",
        DVC,
        shell,
        *(f"sh src/stage.sh {each}" if each in STAGES else each for each in commands),
    ]


def run(checkout: Path, *commands: str, shell: str = "bash", **environment: str) -> list[str]:
    """Run stages from one process, as DVC does; return the lines that they print."""
    done = subprocess.run(
        dvc(*commands, shell=shell),
        cwd=checkout,
        env={**outside(), "DVC_STAGE": "one", **environment},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def outside() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("SEEDBED_", "PYTHON", "DVC_"))}


def processes_in(checkout: Path) -> list[psutil.Process]:
    """The processes that work on a checkout."""
    found = []
    for each in psutil.process_iter():
        try:
            if each.status() != psutil.STATUS_ZOMBIE and Path(each.cwd()).is_relative_to(checkout):
                found.append(each)
        except (psutil.Error, OSError):
            continue
    return found


def nothing_left(checkout: Path) -> bool:
    return not processes_in(checkout) and not list((checkout / ".dvc/tmp").glob("warm.*"))


@pytest.mark.parametrize("shell", ["bash", "dash", "fish", "zsh"])
def test_the_first_stage_imports_and_the_later_ones_need_not(checkout: Path, shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    said = run(checkout, "tell", "until_ready", "tell", "train", shell=shell)
    assert said == ["__main__ old cold", "__main__ old warm", "__main__ old warm"]


def test_a_long_stage_waits_for_what_it_would_import_itself(checkout: Path) -> None:
    assert run(checkout, "tell", "sleep 0.4", "tell", "train") == [
        "__main__ old cold",
        "__main__ old cold",
        "__main__ old warm",
    ]


def test_what_is_edited_during_a_run_is_what_runs(checkout: Path) -> None:
    edit = "printf \"word = 'new, and longer'\" > src/seedbed/state.py"
    said = run(checkout, "until_ready", "tell", edit, "tell")
    assert said == ["__main__ old warm", "__main__ new, and longer warm"]


def test_nothing_stays_when_dvc_is_done(checkout: Path) -> None:
    run(checkout, "until_ready")
    wait_for(lambda: nothing_left(checkout), "the process beside the stages stays")


def test_nothing_stays_when_dvc_is_done_before_all_is_imported(checkout: Path) -> None:
    run(checkout, "tell")
    wait_for(lambda: nothing_left(checkout), "the process beside the stages stays")


def test_a_running_stage_ends_with_a_killed_dvc(checkout: Path) -> None:
    process = subprocess.Popen(
        dvc("until_ready", "evaluate"), cwd=checkout, env={**outside(), "DVC_STAGE": "one"}, start_new_session=True
    )
    wait_for((checkout / "pid").exists, "the stage did not begin")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: nothing_left(checkout), "a stage of a killed DVC goes on")


def test_what_is_left_of_one_killed_as_it_began_goes_with_the_next(checkout: Path) -> None:
    (checkout / f".dvc/tmp/warm.{PID_MAX}").mkdir()
    run(checkout, "until_ready")
    wait_for(lambda: nothing_left(checkout), "the folder stays")


@pytest.mark.parametrize("environment", [{"SEEDBED_COLD": "1"}, {"DVC_STAGE": ""}], ids=["off", "by hand"])
def test_it_is_not_started(checkout: Path, environment: dict[str, str]) -> None:
    said = run(checkout, "tell", "find .dvc/tmp -name 'warm.*'", "train", **environment)
    assert said == ["__main__ old cold"] * 2


def test_where_all_cores_are_busy_each_stage_imports_for_itself(checkout: Path) -> None:
    (checkout / ".dvc/tmp/load").write_text(str(os.cpu_count()))
    said = run(checkout, "tell", "sleep 2", "tell", "train")
    assert said == ["__main__ old cold"] * 3
    wait_for(lambda: nothing_left(checkout), "the process beside the stages stays")


def test_a_zygote_that_was_killed_is_missed_by_nobody(checkout: Path) -> None:
    code = checkout / "src/seedbed/experiments/warm.py"
    code.write_text(
        code.read_text().replace(
            "    os.setsid()\n", "    os.setsid()\n    Path('.dvc/tmp/pid').write_text(str(os.getpid()))\n"
        )
    )
    said = run(checkout, "until_ready", 'kill -9 "$(cat .dvc/tmp/pid)"', "tell", "train")
    assert said == ["__main__ old cold"] * 2


def test_nothing_of_seedbed_is_imported_beforehand() -> None:
    assert "pandas" in warm.PACKAGES
    assert not [name for name in warm.PACKAGES if name.startswith("seedbed")]
    assert set(warm.PACKAGES) < {*zygote.PRELOADED, "skrub"}
