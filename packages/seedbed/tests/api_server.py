"""A JSON API on 127.0.0.1 that answers as the test says, and fails where it says so."""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = 500
"""Rows of a page, of those that are served from a file."""


@dataclass
class Request:
    """What came in: `query` has the last value of each parameter, `all` every one."""

    method: str
    path: str
    query: dict[str, str]
    all: dict[str, list[str]]
    headers: dict[str, str]


@dataclass
class Answer:
    """What goes out: JSON, or bytes as they are, of which `sent` bytes at most are sent."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    sent: int | None = None


@dataclass
class Api:
    """A server that runs: what it answers, and what it was asked."""

    address: str = ""
    answer: Callable[[Request], Answer] = lambda _: Answer([])
    requests: list[Request] = field(default_factory=list)

    def give(self, *answers: Answer) -> None:
        """Give these answers to one GET after the other, the last one for ever."""
        left = list(answers)
        self.answer = lambda _: left.pop(0) if len(left) > 1 else left[0]

    @property
    def gets(self) -> list[Request]:
        return [request for request in self.requests if request.method == "GET"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one go

    def __init__(self, api: Api, *parts: Any) -> None:
        self.api = api
        super().__init__(*parts)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        every = parse_qs(parts.query)
        last = {name: values[-1] for name, values in every.items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, parts.path, last, every, headers)
        self.api.requests.append(request)
        answer = self.api.answer(request)
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        own = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        for name, value in (own | answer.headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET" and answer.status != 304:
            self.wfile.write(body[: answer.sent])
        self.close_connection = answer.sent is not None

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@contextmanager
def api_server(port: int = 0) -> Iterator[Api]:
    """Start a server on a port, or on a free one; it is stopped at the end."""
    api = Api()
    with ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, api)) as server:
        api.address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=partial(server.serve_forever, 0.05)).start()
        yield api
        server.shutdown()


def serve_rows(port: str, file: str) -> None:
    """Answer with the list of a JSON file, in pages that are asked for by number."""
    rows = json.loads(Path(file).read_text(encoding="utf-8"))

    def answer(request: Request) -> Answer:
        start = PAGE * (int(request.query["page"]) - 1)
        return Answer(rows[start : start + PAGE])

    with api_server(int(port)) as api:
        api.answer = answer
        threading.Event().wait()


if __name__ == "__main__":
    serve_rows(*sys.argv[1:])
