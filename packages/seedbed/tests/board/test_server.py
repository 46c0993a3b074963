"""The server: for this machine alone, for reading alone."""

import http.client
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from board.conftest import write
from seedbed.board.server import BoardServer
from seedbed.errors import UserError

from support import Project, started, wait_for


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoardServer]:
    """A server of a repository with one report and one card."""
    root = tmp_path_factory.mktemp("served")
    write(root, "reports/a b.html", "<p>a report</p>")
    write(root, "models/bundle/MODEL_CARD.md", "# Karte für Flüge")
    write(root, "params.yaml", "seed: 1")
    with BoardServer(root, lambda: "<p>the page, größer</p>", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(
    server: BoardServer, path: str, host: str | None = None, method: str = "GET"
) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    connection.putrequest(method, path, skip_host=True)
    if host != "":
        connection.putheader("Host", host or f"127.0.0.1:{server.server_port}")
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, {name.lower(): text for name, text in answer.getheaders()}, body


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/", "text/html; charset=utf-8", "<p>the page, größer</p>"),
        ("/?fresh=1", "text/html; charset=utf-8", "<p>the page, größer</p>"),
        ("/reports/a%20b.html", "text/html", "<p>a report</p>"),
        ("/models/bundle/MODEL_CARD.md", "text/plain; charset=utf-8", "# Karte für Flüge"),
    ],
)
def test_the_page_reports_and_cards_are_answered(
    server: BoardServer, path: str, kind: str, body: str
) -> None:
    status, headers, found = ask(server, path)
    assert (status, headers["content-type"], found) == (200, kind, body)
    assert "sandbox" in headers["content-security-policy"], "a report cannot read other files"
    assert headers["x-content-type-options"] == "nosniff"
    status, headers, found = ask(server, path, method="HEAD")
    assert (status, headers["content-length"], found) == (200, str(len(body.encode())), "")


@pytest.mark.parametrize(
    "path",
    ["/params.yaml", "/reports/../params.yaml", "/reports/%2e%2e/params.yaml", "/reports/..%2fparams.yaml", "/reports/", "/%00"],
)  # fmt: skip
def test_no_other_file_is_answered(server: BoardServer, path: str) -> None:
    status, _, body = ask(server, path)
    assert status == 404
    assert "seed" not in body


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("LOCALHOST:{port}", 200),
        ("example.org", 403),
        ("example.org:{port}", 403),
        ("127.0.0.1.example.org:{port}", 403),
        ("127.0.0.1:1", 403),
        ("", 403),
    ],
)
def test_a_site_that_makes_its_name_lead_here_is_refused(
    server: BoardServer, host: str, status: int
) -> None:
    found, _, body = ask(server, "/reports/a%20b.html", host.format(port=server.server_port))
    assert found == status
    assert ("a report" in body) == (status == 200)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_changed(server: BoardServer, method: str) -> None:
    assert ask(server, "/", method=method)[0] == 501


def test_it_listens_to_this_machine_alone(server: BoardServer) -> None:
    assert server.server_address[0] == "127.0.0.1"


def test_a_port_in_use_is_named(server: BoardServer) -> None:
    with pytest.raises(UserError, match=f"--port {server.server_port}: .*Choose another port"):
        BoardServer(server.root, str, server.server_port)


@pytest.mark.slow
def test_the_command_prints_where_it_serves(project: Project, tmp_path: Path) -> None:
    command, log = [sys.executable, "-m", "seedbed", "board", "--port", "0"], tmp_path / "log"
    with started(command, log, project.root, PYTHONUNBUFFERED="1"):
        wait_for(lambda: "Ctrl-C ends it" in log.read_text(), "it does not serve", limit=120)
        address = re.search(r"http://127.0.0.1:(\d+)/", log.read_text())
        assert address
        connection = http.client.HTTPConnection("127.0.0.1", int(address[1]), timeout=60)
        connection.request("GET", "/")
        assert b"Champion: v0.1.0" in connection.getresponse().read()
        connection.close()
