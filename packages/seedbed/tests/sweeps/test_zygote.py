"""A zygote runs stages as their own command would: same folder, output and exit code; and it outlives nobody."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from seedbed.sweeps import repro, zygote_client
from seedbed.sweeps import zygote as module
from seedbed.sweeps.zygote import Zygote

from support import REPOSITORY, wait_for

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere stages start as they always do"
)

STAGES = {
    "speak": "import os, sys\nprint('said in', os.getcwd())\nprint('warned', file=sys.stderr)",
    "exit_3": "import sys\nsys.exit(3)",
    "exit_none": "import sys\nsys.exit()",
    "exit_told": "import sys\nsys.exit('stage: this is wrong')",
    "raise_error": "raise ValueError('broken')",
    "die": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "read": "import sys\nprint(repr(sys.stdin.read()))",
    "name": "print(__name__)",
    "environment": "import os, time\n"
    "print(os.environ['GREETING'], len(os.environ['LONG']), time.tzname[0], os.environ.get('ANOTHER'))",
    "late": "import sys\nprint('late' in sys.modules)",
    "collects": "import gc\nprint(gc.isenabled(), gc.get_freeze_count() > 0)",
    "count": "import state\nstate.count += 1\nprint(state.count)",
    "wait": "import os, subprocess, time\nfrom pathlib import Path\n"
    "child = subprocess.Popen(['sleep', '60'])\n"
    "Path('pids.tmp').write_text(f'{os.getpid()} {child.pid}')\nPath('pids.tmp').rename('pids')\ntime.sleep(60)",
}
"""Modules of a checkout, each the whole of a stage."""
LIMIT = 10


PROGRAM = """
from seedbed.sweeps.zygote import listen, preload, serve

server = listen()
preload(("broken", "state", "not.there"))
from some_stages import run_stage
serve(server, run_stage, during={"speak": ("late",)})
"""
"""What a zygote runs here, with its own stages."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of these stages, and of a module that cannot be imported."""
    root = tmp_path_factory.mktemp("zygote")
    source = root / "src"
    source.mkdir()
    (source / "state.py").write_text("count = 0\n")
    (source / "late.py").write_text("")
    (source / "broken.py").write_text("raise RuntimeError('it cannot be imported here')\n")
    (source / "some_stages.py").write_text(
        f"STAGES = {STAGES!r}\n"
        "def run_stage(name):\n"
        "    exec(STAGES[name], {'__name__': '__main__'})\n"
    )
    return root


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """Fail a test that waits for ever."""

    def end(*_: object) -> None:
        raise TimeoutError(f"this took more than {3 * LIMIT} s")

    usual = signal.signal(signal.SIGALRM, end)
    signal.alarm(3 * LIMIT)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, usual)


@pytest.fixture
def zygote(checkout: Path) -> Iterator[Zygote]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANOTHER", "which no stage has")
        started = Zygote(checkout, ("-c", PROGRAM))
    yield started
    started.process.kill()
    started.process.wait()


@pytest.fixture
def environment(zygote: Zygote) -> dict[str, str]:
    return {**os.environ, **zygote.environment}


def client(stage: str, folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", zygote_client.__file__, stage],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(stage: str, folder: Path, environment: dict[str, str]) -> tuple[int, str, str]:
    """Run a stage; return its exit code and what it printed."""
    with client(stage, folder, environment) as process:
        try:
            out, error = process.communicate(timeout=LIMIT)
        finally:
            process.kill()
    return process.returncode, out, error


def gone(pid: int) -> bool:
    """Whether a process has ended; one that waits to be buried has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def waiting(folder: Path) -> list[int]:
    """The stage `wait` and its child, once they are there."""
    wait_for((folder / "pids").exists, "the stage did not start")
    return [int(pid) for pid in (folder / "pids").read_text().split()]


@pytest.mark.parametrize(
    ("stage", "code", "message", "warned"),
    [
        ("speak", 0, "said in {folder}\n", "warned\n"),
        ("exit_3", 3, "", ""),
        ("exit_none", 0, "", ""),
        ("exit_told", 1, "", "stage: this is wrong\n"),
        ("raise_error", 1, "", "ValueError: broken\n"),
        ("die", 128 + signal.SIGKILL, "", ""),
        ("read", 0, "''\n", ""),
        ("name", 0, "__main__\n", ""),
        ("missing", 1, "", "KeyError: 'missing'\n"),
    ],
)
def test_a_stage_ends_as_its_own_command_would(
    environment: dict[str, str], tmp_path: Path, stage: str, code: int, message: str, warned: str
) -> None:
    returned, out, error = run(stage, tmp_path, environment)
    assert (returned, out) == (code, message.format(folder=tmp_path))
    assert error == warned if len(warned) == 0 or code == 0 else error.endswith(warned)


def test_a_stage_has_the_environment_of_its_command(
    environment: dict[str, str], tmp_path: Path
) -> None:
    variables = {"GREETING": "a=b höher\n", "LONG": "x" * 100_000, "TZ": "Pacific/Auckland"}
    assert run("environment", tmp_path, {**environment, **variables})[:2] == (
        0,
        "a=b höher\n 100000 NZST None\n",
    )


def test_each_stage_starts_from_what_was_imported(
    environment: dict[str, str], tmp_path: Path
) -> None:
    assert [run("count", tmp_path, environment)[1] for _ in range(3)] == ["1\n"] * 3


def test_a_module_may_be_imported_once_another_stage_runs(
    environment: dict[str, str], tmp_path: Path
) -> None:
    assert [run(stage, tmp_path, environment)[1] for stage in ("late", "speak", "late")] == [
        "False\n",
        f"said in {tmp_path}\n",
        "True\n",
    ]


def test_a_stage_looks_for_garbage_but_not_among_what_was_imported(
    environment: dict[str, str], tmp_path: Path
) -> None:
    assert run("collects", tmp_path, environment)[1] == "True True\n"


def test_a_folder_whose_path_is_too_long_for_a_socket_will_do(
    checkout: Path, tmp_path: Path
) -> None:
    deep = tmp_path / ("tiefer Pfad ü" * 9)
    shutil.copytree(checkout / "src", deep / "src")
    zygote = Zygote(deep, ("-c", PROGRAM))
    try:
        assert run("speak", tmp_path, {**os.environ, **zygote.environment})[0] == 0
    finally:
        zygote.close()


def test_the_stage_ends_with_its_client(environment: dict[str, str], tmp_path: Path) -> None:
    process = client("wait", tmp_path, environment)
    pids = waiting(tmp_path)
    process.kill()
    process.communicate()
    wait_for(
        lambda: all(map(gone, pids)),
        "a stage, or what it started, goes on although nobody waits for it",
    )
    assert run("speak", tmp_path, environment)[0] == 0, "the zygote serves the next client"


OWNER = """
import os, sys, time
from pathlib import Path
from seedbed.sweeps.zygote import Zygote

zygote = Zygote(Path(sys.argv[1]), ('-c', sys.argv[2]))
print(zygote.process.pid, flush=True)
time.sleep(60)
"""


def test_when_its_owner_is_killed_neither_zygote_nor_stage_stays(
    checkout: Path, tmp_path: Path
) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(checkout), PROGRAM], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    zygote = int(owner.stdout.readline())
    process = client("wait", tmp_path, {**os.environ, "SEEDBED_ZYGOTE": str(checkout / ".dvc/tmp")})
    pids = waiting(tmp_path)
    owner.kill()
    owner.communicate()
    wait_for(lambda: all(map(gone, [zygote, *pids])), "a process of a killed sweep stays")
    _, warned = process.communicate(timeout=LIMIT)
    assert process.returncode != 0, warned


@pytest.mark.parametrize("folder", ["stays", "is gone"])
def test_without_its_zygote_a_stage_imports_for_itself(
    environment: dict[str, str], zygote: Zygote, tmp_path: Path, folder: str
) -> None:
    zygote.process.kill()
    zygote.process.wait()
    if folder == "is gone":
        environment["SEEDBED_ZYGOTE"] = str(tmp_path / "gone")
    (tmp_path / "src").mkdir()
    (tmp_path / "src/stage.sh").write_text('echo "$1" in "$PWD", ${SEEDBED_ZYGOTE:-cold}\nexit 3\n')
    assert run("speak", tmp_path, environment)[:2] == (3, f"speak in {tmp_path}, cold\n")


def test_a_client_that_is_interrupted_says_nothing(
    environment: dict[str, str], tmp_path: Path
) -> None:
    process = client("wait", tmp_path, environment)
    pids = waiting(tmp_path)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=LIMIT) == ("", "")
    assert process.returncode == -signal.SIGINT
    wait_for(lambda: all(map(gone, pids)), "an interrupted stage goes on")


@pytest.mark.parametrize(
    "name",
    sorted(
        {
            *module.OWN,
            *repro.FROM_THE_START,
            *(name for names in repro.DURING.values() for name in names),
        }
    ),
)
def test_all_that_is_imported_beforehand_is_there(name: str) -> None:
    package, *inner = name.split(".")
    spec = find_spec(package)
    assert spec is not None, f"{name} is not installed, so that each stage looks for it again"
    if inner:
        place = Path(next(iter(spec.submodule_search_locations or []))).joinpath(*inner)
        assert place.is_dir() or place.with_suffix(".py").is_file(), (
            f"{name} is no module, so that no stage gains by it"
        )


def test_a_zygote_imports_in_the_environment_that_stages_have() -> None:
    script = (REPOSITORY / "src/stage.sh").read_text(encoding="utf-8")
    (exported,) = re.findall(r"^export (PYTHONHASHSEED.*)$", script, re.MULTILINE)
    assert dict(one.split("=") for one in exported.split()) == module.ENVIRONMENT
