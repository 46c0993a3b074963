"""Starts uvicorn: checks first that the bundle can be served and that the port is free."""

import os
import signal
import socket
import sys
import tempfile
from functools import partial

import uvicorn
from uvicorn.supervisors import Multiprocess

from seedbed.errors import UserError
from seedbed.serving.http.app import make_app
from seedbed.serving.http.current import load_verified
from seedbed.serving.http.logs import log_as_json, log_event
from seedbed.serving.http.protocol import LimitedProtocol
from seedbed.serving.http.settings import Settings
from seedbed.serving.log_files import make_folder

BACKLOG = 2048
"""Connections that wait to be accepted."""
SILENT_SECONDS = 20
"""A worker that does not even answer its parent for so long is replaced. One that is killed while
its parent asks is noticed no earlier."""


class ServerConfig(uvicorn.Config):  # type: ignore[misc]
    """uvicorn's configuration, and the settings, which its protocol looks at."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__(
            partial(make_app, settings),
            factory=True,
            workers=settings.workers,
            http=LimitedProtocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=settings.stop_seconds,
            timeout_worker_healthcheck=SILENT_SECONDS,
        )


def serve(settings: Settings) -> None:
    """Serve a bundle until SIGTERM or SIGINT; requests in flight are answered first.

    Raises UserError if the bundle, or the shadow, cannot be served, the port is in use, or nothing
    can be written to the folder of the log.
    """
    if settings.log:
        make_folder(settings.log.folder)
    listening = _bind(settings.host, settings.port)
    served = load_verified(settings.path, settings.same_packages)
    if settings.shadow:
        load_verified(settings.shadow, settings.same_packages)
    listening.listen(BACKLOG)
    log_as_json()
    # Until uvicorn takes it, and once it is done, when it raises the signal again: what was asked
    # for is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    config = ServerConfig(settings)
    host, port = listening.getsockname()[:2]
    log_event("listening", host=host, port=port, workers=settings.workers, pid=os.getpid())
    if sys.stderr.isatty():  # a person reads it; in a file, each line is JSON
        name = f"[{host}]" if ":" in host else host
        address = f"http://{name}:{port}"
        what = f"{served.recipe.dataset}, bundle {served.version}"
        print(f"serving {what}: {address}/ and {address}/openapi.json", file=sys.stderr)
    if settings.workers == 1:
        uvicorn.Server(config).run([listening])
        return
    with tempfile.TemporaryDirectory(prefix="seedbed-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        Multiprocess(config, [listening]).run()


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        raise UserError(
            f"{host}:{port}: {error.strerror}. Choose another with --host and --port."
        ) from None
    listening.set_inheritable(True)
    return listening
