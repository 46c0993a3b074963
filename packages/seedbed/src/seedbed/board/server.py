"""Serves the page and the reports to this machine alone; it only reads."""

import io
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from seedbed.board.reports import find_file
from seedbed.errors import UserError, one_line

LOCAL = "127.0.0.1"
TEXT = "text/plain; charset=utf-8"
HEADERS = {
    # A report may hold scripts: they shall not read what else this server has.
    "Content-Security-Policy": "sandbox allow-scripts allow-popups; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class BoardServer(ThreadingHTTPServer):
    """A server on 127.0.0.1.

    Parameters
    ----------
    root : Path
        The repository, whose reports and model cards are served.
    make_page : callable
        Returns the page at /, made anew for each request, one at a time.
    port : int
        0 is any free one.

    Raises
    ------
    UserError
        If the port is in use.
    """

    daemon_threads = True

    def __init__(self, root: Path, make_page: Callable[[], str], port: int) -> None:
        self.root = root
        self._make_page, self._lock = make_page, threading.Lock()
        try:
            super().__init__((LOCAL, port), _Handler)
        except OSError as error:
            raise UserError(
                f"--port {port}: nothing can be served there ({one_line(error.strerror)}). Choose "
                "another port, or 0 for any free one."
            ) from None

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{LOCAL}:{self.server_port}/"

    def page(self) -> bytes:
        """Return the page as it is now."""
        with self._lock:
            return self._make_page().encode()

    def is_own(self, host: str) -> bool:
        """Tell whether a Host header names this server.

        A site may make its own name lead here (DNS rebinding), but that name stays in the header.
        """
        return host.lower() in {f"{name}:{self.server_port}" for name in (LOCAL, "localhost")}


class _Handler(SimpleHTTPRequestHandler):
    server: BoardServer
    timeout = 30
    extensions_map = dict.fromkeys((".csv", ".md", ".txt"), TEXT)

    def send_head(self) -> Any:
        """Send the status and the headers; return what is to be sent after them, if anything."""
        if not self.server.is_own(self.headers.get("Host", "")):
            self.send_error(HTTPStatus.FORBIDDEN, explain=f"This is {self.server.address}.")
            return None
        if urlsplit(self.path).path == "/":
            return self._send_page()
        if not self.translate_path(self.path):
            self.send_error(HTTPStatus.NOT_FOUND, explain="There is no such report or card.")
            return None
        return super().send_head()

    def translate_path(self, path: str) -> str:
        """Return the file that an address names, or nothing."""
        return str(find_file(self.server.root, unquote(urlsplit(path).path)) or "")

    def end_headers(self) -> None:
        """Add the headers of all answers."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Print no line for a request."""

    def _send_page(self) -> BinaryIO:
        content = self.server.page()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return io.BytesIO(content)
