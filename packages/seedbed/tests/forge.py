"""A forge on 127.0.0.1: GitHub's and GitLab's API as far as .ci/forge calls it, and their Git server."""

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from werkzeug.serving import make_server

from seedbed.comparing.pull_request import MARK

TOKEN = "tok" + "en-of-the-forge"
WE = {"user": {"login": "github-actions[bot]"}, "author": {"username": "project_3_bot"}}
QUOTED = f"{MARK}\n\nis how it begins."
"""What somebody else wrote, who quotes the mark of a report."""
SERVERS = {
    "GitHub": {
        "GITHUB_API_URL": "{}", "GITHUB_SERVER_URL": "{}/git", "GITHUB_REPOSITORY": "me/mine",
    },
    "GitLab": {
        "CI_API_V4_URL": "{}", "CI_SERVER_URL": "{}/git", "CI_PROJECT_PATH": "me/mine",
        "CI_PROJECT_ID": "3", "CI_MERGE_REQUEST_IID": "7",
    },
}  # fmt: skip
"""What a run finds in its environment, of each kind of forge."""


class Forge:
    """The repository me/mine of a forge: its comments, its pull requests, and what it was asked with."""

    def __init__(self, repositories: Path) -> None:
        self.repositories = repositories
        mine = {"user": {"login": "me"}, "author": {"username": "me"}}
        self.notes: list[dict[str, Any]] = [{"id": 1, "body": QUOTED, **mine}]
        self.requests: list[dict[str, Any]] = []
        self.tokens: set[str] = set()
        app = Flask("forge")
        app.add_url_rule("/git/<path:path>", "git", self._git, methods=["GET", "POST"])
        methods = ["GET", "POST", "PATCH", "PUT"]
        app.add_url_rule("/<path:path>", "api", self._api, methods=methods)
        self.server = make_server("127.0.0.1", 0, app, threaded=True)

    def environment(self, kind: str) -> dict[str, str]:
        """Return what a run on GitHub or GitLab finds in its environment."""
        address = f"http://127.0.0.1:{self.server.server_port}"
        return {name: value.format(address) for name, value in SERVERS[kind].items()}

    def secrets(self, kind: str) -> dict[str, str]:
        """Return what a job that writes is given: GitHub has a token and a pull request's number."""
        return {"FORGE_TOKEN": TOKEN} if kind == "GitLab" else {"token": TOKEN, "number": "7"}

    def serve(self, bare: Path) -> None:
        """Serve a bare repository as me/mine."""
        (self.repositories / "me").mkdir(parents=True)
        (self.repositories / "me/mine.git").symlink_to(bare)

    def _api(self, path: str) -> Any:
        token = request.headers.get("Authorization") or request.headers["PRIVATE-TOKEN"]
        self.tokens.add(token)
        if TOKEN not in token:
            return {"message": "Bad credentials"}, 401
        if path == "user":
            return WE["author"]
        items = self.notes if "comments" in path or "notes" in path else self.requests
        if request.method == "GET":
            return items if request.args.get("page", "1") == "1" else []
        if request.method == "POST":
            names = dict.fromkeys(("id", "number", "iid"), len(items) + 1)
            items.append({**names, **WE, **request.get_json()})
            return items[-1], 201
        item = items[int(path.rpartition("/")[2]) - 1]
        item.update(request.get_json())
        return item

    def _git(self, path: str) -> Response:
        """Answer as `git http-backend` does, to whoever knows the token."""
        if not request.authorization or request.authorization.password != TOKEN:
            return Response(status=401, headers={"WWW-Authenticate": 'Basic realm="git"'})
        content = request.get_data()
        given = {name: value for name, value in request.environ.items() if isinstance(value, str)}
        own = {
            "PATH": os.environ["PATH"],
            "PATH_INFO": f"/{path}",
            "GIT_PROJECT_ROOT": str(self.repositories),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "somebody",
            "CONTENT_LENGTH": str(len(content)),
        }
        done = subprocess.run(
            ["git", "http-backend"], input=content, env=given | own, capture_output=True, check=True
        )
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        return Response(answer, int(headers.pop("Status", "200")[:3]), headers)


@contextmanager
def serving(repositories: Path) -> Iterator[Forge]:
    """Yield a forge that answers."""
    forge = Forge(repositories)
    threading.Thread(target=forge.server.serve_forever, daemon=True).start()
    yield forge
    forge.server.shutdown()
    forge.server.server_close()
