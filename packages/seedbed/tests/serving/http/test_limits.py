"""Slow clients, clients that hang up, too many of them, and those without the token."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from http_server import Server, refusal, serving, wait_until

HEAD = b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"


@pytest.fixture(scope="module")
def strict(
    built: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server with short times, few connections and a token."""
    log = tmp_path_factory.mktemp("strict") / "log"
    options = ["--seconds", "2", "--header-seconds", "1", "--connections", "5"]
    with serving(
        built("flights") / "models/bundle", log, *options, "--token-env", "TOKEN", TOKEN="sesame"
    ) as server:
        server.client.headers["authorization"] = "Bearer sesame"
        yield server


def connected(server: Server) -> socket.socket:
    found = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    return found


def answer_to(server: Server, sent: bytes) -> bytes:
    """Return all that the server sends until it closes the connection."""
    with closing(connected(server)) as connection:
        connection.sendall(sent)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
        return b"".join(parts)


@pytest.mark.parametrize(
    ("sent", "status", "where"),
    [
        (b"", 408, "headers"),
        (HEAD, 408, "headers"),
        (b"POST /pre", 408, "headers"),
        (HEAD + b"authorization: Bearer sesame\r\ncontent-length: 9\r\n\r\n{", 408, "body"),
        (HEAD + b"authorization: Bearer sesame\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n",
         408, "body"),
        (HEAD + b"x: " + b"y" * 70_000, 431, "headers"),
        (b"nonsense\r\n\r\n", 400, "headers"),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400, "headers"),
        (HEAD + b"content-length: x\r\n\r\n", 400, "headers"),
        (HEAD + b"content-length: 1\r\ncontent-length: 2\r\n\r\n{", 400, "headers"),
        (b"CONNECT x:1 HTTP/1.1\r\n\r\n", 400, "headers"),
    ],
)  # fmt: skip
def test_a_slow_or_broken_request_is_refused_and_its_connection_closed(
    strict: Server, sent: bytes, status: int, where: str
) -> None:
    head, _, body = answer_to(strict, sent).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"connection: close" in head
    assert json.loads(body)["error"]["where"] == where


def test_headers_that_trickle_are_not_waited_for(strict: Server) -> None:
    with closing(connected(strict)) as connection, pytest.raises(OSError, match="reset|pipe"):
        for _ in range(
            200
        ):  # 40 seconds: all of them are taken if each letter starts the clock anew
            connection.sendall(b"P")
            time.sleep(0.2)


def test_a_client_that_hangs_up_is_logged_and_does_no_harm(strict: Server) -> None:
    with closing(connected(strict)) as connection:
        head = HEAD + b"authorization: Bearer sesame\r\nx-request-id: gone\r\n"
        connection.sendall(head + b"expect: 100-continue\r\ncontent-length: 100\r\n\r\n{")
        assert connection.recv(1000).startswith(b"HTTP/1.1 100"), "it waits for the rest"
    strict.wait_for("request", id="gone", status=499, error="client gone")
    assert strict.client.get("/ready").status_code == 200


def test_more_connections_are_refused_until_there_is_a_place(strict: Server, row: dict) -> None:
    idle = [connected(strict) for _ in range(5)]
    try:
        for connection in idle:  # one that has asked nothing yet may be closed before the others
            connection.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        with httpx.Client(base_url=strict.client.base_url, headers=strict.client.headers) as more:
            response = more.post("/predict", json={"rows": [row]})
            assert refusal(response, 503)["where"] == "connection"
            assert response.headers["retry-after"] == "1"
            assert more.get("/health").status_code == 200
    finally:
        for connection in idle:
            connection.close()
    wait_until(lambda: strict.post({"rows": [row]}).status_code == 200, "a place")


@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer other", "sesame", "Basic sesame", "Bearer sésame"]
)
def test_without_the_token_only_health_is_answered(strict: Server, given: str | None) -> None:
    headers = {} if given is None else {"authorization": given.encode()}
    with httpx.Client(base_url=strict.client.base_url, headers=headers) as client:
        for route in ("/predict", "/ready", "/metadata", "/metrics", "/openapi.json", "/other"):
            response = client.request("POST" if route == "/predict" else "GET", route)
            assert refusal(response, 401)["where"] == "headers.authorization"
            assert response.headers["www-authenticate"] == "Bearer"
        assert client.get("/health").status_code == 200


def test_the_description_tells_of_the_token(strict: Server) -> None:
    described = strict.client.get("/openapi.json").json()
    assert described["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert described["paths"]["/health"]["get"]["security"] == []


def test_an_answer_that_takes_too_long_is_given_up(
    built: Callable[[str], Path], tmp_path: Path, row: dict[str, Any]
) -> None:
    options = ["--seconds", "0.3", "--max-megabytes", "64"]
    with serving(built("flights") / "models/bundle", tmp_path / "log", *options) as server:
        columns = {name: [value] * 60_000 for name, value in row.items()}
        error = refusal(server.post({"columns": columns}), 503)
        assert "0.3 seconds" in error["allowed"] or error["allowed"] == "fewer rows"
        assert server.post({"rows": [row]}).status_code == 200
