"""A process that has imported what stages need, and forks once a stage: imports are paid for once.

DVC goes on starting stages as commands. Their command, src/stage.sh, becomes the thin client
`zygote_client.py` where SEEDBED_ZYGOTE names the socket; everything else (what runs, hashes,
locks) stays DVC's. Linux only: elsewhere forking after an import is not safe, and stages start as
they always do.

The zygote imports, and runs nothing itself: a fork of a process whose OpenMP threads have started
would hang. What it imports stays, so python looks for garbage neither there, nor in a stage among
what the zygote had imported: that would copy the memory that both share.
"""

import array
import contextlib
import gc
import os
import select
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

PACKAGES = (
    "pydantic.main", "pydantic.type_adapter", "hydra", "pandas", "pandas.io.formats.csvs",
    "pyarrow.parquet", "pyarrow.dataset", "scipy.special", "scipy.stats", "sklearn.ensemble",
    "sklearn.compose", "skops.io", "joblib", "threadpoolctl", "multiprocessing.dummy",
    "narwhals._pandas_like.namespace", "matplotlib.pyplot", "matplotlib.backends.backend_agg",
    "PIL.GifImagePlugin", "PIL.JpegImagePlugin", "PIL.PpmImagePlugin", "sklearn.calibration",
    "sklearn.dummy", "sklearn.impute", "sklearn.linear_model", "sklearn.model_selection",
    "sklearn.neural_network", "sklearn.pipeline", "sklearn.preprocessing", "sklearn.svm",
)  # fmt: skip
"""What stages import of others. A module missing here costs each stage its import, nothing else.

skops comes before matplotlib and most others: it looks for each of SciPy's functions in every
module that was imported before.
"""
OWN = (
    "seedbed.config.compose", "seedbed.models.reports", "seedbed.models.training",
    "seedbed.stages",
)  # fmt: skip
"""What a sweep's stages import of seedbed: the snapshot's, which nobody edits meanwhile."""
ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "OMP_WAIT_POLICY": "passive",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
"""What src/stage.sh sets, and says why: libraries read it as they are imported."""
SOCKET = "zygote"
OWNER = 0
"""Standard input, which its owner holds open."""
END = b"\0\0"
"""Ends the message of a client, whose parts are not empty and have a zero between them."""


class Zygote:
    """A running zygote of the checkout `root`; it ends whenever the process that started it ends.

    `program` is what python runs: it ends with :func:`serve`. A stage that connects before waits.
    """

    def __init__(
        self, root: Path, program: Sequence[str] = ("-m", "seedbed.sweeps.zygote")
    ) -> None:
        self.folder = root / ".dvc/tmp"
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / SOCKET).unlink(missing_ok=True)
        source = f"{root / 'src'}{os.pathsep}{root / 'packages/seedbed/src'}"
        with socket.socket(socket.AF_UNIX) as server:
            _bind(server, self.folder)
            # We alone hold its standard input open: when we are gone, it reads the end, and goes.
            self.process = subprocess.Popen(
                [sys.executable, *program, str(server.fileno())],
                cwd=self.folder,
                env={**os.environ, **ENVIRONMENT, "PYTHONPATH": source},
                stdin=subprocess.PIPE,
                pass_fds=[server.fileno()],
            )

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which stages find the zygote."""
        client = Path(__file__).with_name("zygote_client.py")
        return {
            "SEEDBED_ZYGOTE": str(self.folder),
            "SEEDBED_PYTHON": sys.executable,
            "SEEDBED_CLIENT": str(client),
        }

    def close(self) -> None:
        """End it, and wait for its end."""
        with self.process as process:
            assert process.stdin is not None
            process.stdin.close()


def _bind(server: socket.socket, folder: Path) -> None:
    """Listen at a socket in a folder whose path may be longer than the kernel's limit of 107."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        server.bind(f"/proc/self/fd/{descriptor}/{SOCKET}")
    finally:
        os.close(descriptor)
    server.listen()


def preload(modules: Iterable[str]) -> None:
    """Import modules; the stage that needs a broken one reports it."""
    gc.disable()
    for name in modules:
        with contextlib.suppress(Exception):
            __import__(name)


def listen() -> socket.socket:
    """Return the socket that the owner has opened; its number is the last argument."""
    # Ctrl-C reaches all processes of a terminal; the owner is the one to end this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return socket.socket(fileno=int(sys.argv[-1]))


def serve(
    server: socket.socket,
    run: Callable[[str], None],
    modules: Iterable[str] = (),
    during: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> None:
    """Answer one client after the other: fork, and `run` the stage that it names.

    Standard input ends when its other end, the owner, is gone: then so are the stage that runs and
    this process. Meanwhile `modules` are imported, and those of `during` once their stage runs: a
    stage that starts before their turn imports what it needs by itself.
    """
    left = deque(modules)
    while True:
        readable = _wait_for([server.fileno(), OWNER], left)
        if OWNER in readable:
            return
        client, _ = server.accept()
        with client:
            _serve_one(server, client, run, left, during)


def _wait_for(descriptors: list[int], left: deque[str]) -> list[int]:
    """Return which descriptors can be read; import what is left until one can."""
    while left:
        if readable := select.select(descriptors, [], [], 0)[0]:
            return readable
        preload([left.popleft()])
    return select.select(descriptors, [], [])[0]


def _compose_once(root: Path) -> None:
    """Compose conf/ here, so that no stage has to; a stage reports what is wrong."""
    with contextlib.suppress(Exception):
        from seedbed.config.composition import plain_composition
        from seedbed.config.conf_hash import conf_hash

        plain_composition(root, conf_hash(root))


def _serve_one(
    server: socket.socket,
    client: socket.socket,
    run: Callable[[str], None],
    left: deque[str],
    during: Mapping[str, Sequence[str]],
) -> None:
    """Fork a stage for a client; send it the exit code, or end the stage if nobody waits."""
    message, descriptors, _, _ = socket.recv_fds(client, 1 << 16, 2)
    while message and not message.endswith(END):
        more = client.recv(1 << 16)
        message = message + more if more else b""
    if not message:
        for descriptor in descriptors:
            os.close(descriptor)
        return
    stage, folder, *variables = os.fsdecode(message.removesuffix(END)).split("\0")
    reader, writer = os.pipe()
    gc.freeze()
    with warnings.catch_warnings():
        # Python 3.12 warns of the one thread that is here: jemalloc's, which pyarrow starts, and
        # which is made for forks.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        server.close()
        client.close()
        os.close(reader)
        environment = dict(variable.split("=", 1) for variable in variables)
        _become(lambda: run(stage), Path(folder), environment, descriptors)
    with contextlib.suppress(OSError):
        # The stage does the same; either way, its group is there before it may have to be ended.
        os.setpgid(child, child)
    os.close(writer)
    for descriptor in descriptors:
        os.close(descriptor)
    left.extend(during.get(stage, ()))
    # The pipe ends with the child; owner or client end when nobody waits for the stage any more.
    readable = _wait_for([reader, client.fileno(), OWNER], left)
    os.close(reader)
    if reader not in readable:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(OSError):
        client.sendall(array.array("i", [os.waitstatus_to_exitcode(status)]).tobytes())


def _become(
    stage: Callable[[], None], folder: Path, environment: Mapping[str, str], descriptors: list[int]
) -> NoReturn:
    """Become the stage: its folder, environment, output, and a process group of its own."""
    import traceback

    code: int | str | None = 1
    try:
        gc.enable()
        os.setpgid(0, 0)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, descriptor in zip((1, 2), descriptors, strict=True):
            os.dup2(descriptor, number)
        os.chdir(folder)
        kept = {"PYTHONPATH": os.environ["PYTHONPATH"]}
        os.environ.clear()
        os.environ.update({**kept, **environment, **ENVIRONMENT})
        time.tzset()
        stage()
        code = 0
    except SystemExit as end:
        code = end.code
        if isinstance(code, str):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)


if __name__ == "__main__":
    from seedbed.stages import run_stage

    listening = listen()
    preload((*PACKAGES, *OWN))
    _compose_once(Path.cwd().parents[1])
    serve(listening, run_stage)
