"""Two machines that share a repository: folders with a HOME and a DVC site cache each of their own."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Self

import pytest
import yaml

from servers import Place

from support import ENVIRONMENT, Project

TMPFS = (
    shutil.which("unshare")
    and subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False
    ).returncode
    == 0
)
"""Whether a test may mount a small disk that nobody else sees."""
STAGE = {
    "cmd": "mkdir -p out && cat files/0 params.yaml > out/a && cp params.yaml out/b && echo '{\"x\": 1}' > m.json && echo one >> ran",
    "deps": ["files/0"],
    "params": ["p"],
    "outs": ["out"],
    "metrics": [{"m.json": {"cache": False}}],
}


class Machine(Project):
    """A clone in `root`, with HOME and DVC's site cache beside it, as on a machine of its own."""

    def __init__(self, root: Path, environment: dict[str, str] | None = None) -> None:
        super().__init__(root)
        home = root.with_name(f"{root.name}-home")
        home.mkdir(exist_ok=True)
        self.environment = {
            "HOME": str(home),
            "DVC_SITE_CACHE_DIR": str(home / "site"),
            **(environment or {}),
        }

    def run(self, *command: str, **options: object) -> subprocess.CompletedProcess[str]:
        """Run a command on this machine."""
        return super().run(*command, **{**self.environment, **options})  # type: ignore[arg-type]

    @classmethod
    def copied(cls, source: Path, target: Path) -> Self:
        """Copy a repository, history and cache included, as the first machine has it."""
        shutil.copytree(source, target, symlinks=True)
        return cls(target)

    def cloned(self, target: Path) -> "Machine":
        """Clone the Git remote as another machine, which reaches the same place for data."""
        subprocess.run(
            ["git", "clone", "-q", self.git("remote", "get-url", "origin"), str(target)], check=True
        )
        if not (target / ".venv").exists():
            (target / ".venv").symlink_to(ENVIRONMENT)
        ours = {name: value for name, value in self.environment.items() if name.startswith("AWS_")}
        other = Machine(target, ours)
        if (ssh := Path(self.environment["HOME"]) / ".ssh").is_dir():
            shutil.copytree(ssh, Path(other.environment["HOME"]) / ".ssh")
        other.git("config", "user.name", "Other")
        other.git("config", "user.email", "other@example.org")
        return other

    def set_up(self, place: Place) -> str:
        """Set up a place for data, and commit that."""
        self.environment |= {
            name: value for name, value in place.environment.items() if name != "HOME"
        }
        if home := place.environment.get("HOME"):
            shutil.copytree(
                Path(home) / ".ssh", Path(self.environment["HOME"]) / ".ssh", dirs_exist_ok=True
            )
        said = self.seedbed("remote", place.url, *place.options)
        self.commit("a place for data")
        return said

    def seedbed(self, *arguments: str, **options: object) -> str:
        """Run `seedbed`; return what it said."""
        return self.run("seedbed", *arguments, **options).stdout

    @contextmanager
    def in_process(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Let the test itself work on this machine, in its root."""
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)
        with chdir(self.root):
            yield

    def object_path(self, file: str) -> Path:
        """Return the cached object of a file in the work tree."""
        digest = hashlib.md5((self.root / file).read_bytes()).hexdigest()
        return self.root / ".dvc/cache/files/md5" / digest[:2] / digest[2:]


def new_machine(folder: Path, files: int) -> Machine:
    """Make a small repository with a folder of files and a stage, committed."""
    root = folder / "root"
    (root / "files").mkdir(parents=True)
    (root / "conf").mkdir()
    (root / "conf/config.yaml").write_text("p: 1\n", encoding="utf-8")
    (root / "params.yaml").write_text("p: 1\n", encoding="utf-8")
    (root / ".gitignore").write_text("/.venv\n/ran\n", encoding="utf-8")
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"one": STAGE}}), encoding="utf-8")
    for number in range(files):
        (root / f"files/{number}").write_text(
            f"{number} " * (7 * number % 97 + 1), encoding="utf-8"
        )
    (root / ".venv").symlink_to(ENVIRONMENT)
    machine = Machine(root)
    machine.git("init", "-q", "--initial-branch=main")
    machine.git("config", "user.name", "Tester")
    machine.git("config", "user.email", "tester@example.org")
    machine.dvc("init", "--quiet")
    for key in ("analytics", "autostage", "check_update"):
        machine.dvc("config", f"core.{key}", "false")
    machine.dvc("add", "--quiet", "files")
    machine.dvc("repro", "--quiet")
    machine.commit("begin")
    return machine


def add_files(machine: Machine, number: int, size: int = 20) -> None:
    """Commit more files."""
    for name in range(number):
        (machine.root / f"files/more{name}").write_text(f"{name} " * size, encoding="utf-8")
    machine.dvc("add", "--quiet", "files")
    machine.commit("more files")


def damage(path: Path) -> None:
    """Change the last byte of a file, keeping its mode."""
    mode = path.stat().st_mode
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    path.chmod(mode)


def damaged_objects(folder: Path) -> list[str]:
    """Return the objects of a cache or a directory remote whose content has another hash than their name."""
    stored = [path for path in folder.glob("files/md5/??/*") if not path.name.endswith(".tmp")]
    assert stored, f"{folder} holds no objects"
    return [
        path.parent.name + path.name
        for path in stored
        if hashlib.md5(path.read_bytes()).hexdigest()
        != path.parent.name + path.name.removesuffix(".dir")
    ]


def content(root: Path) -> dict[str, str]:
    """Return the hash of each file of the small repository's data, computed here."""
    paths = [path for top in ("files", "out") for path in sorted((root / top).rglob("*"))]
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
    }


def missing_files(root: Path, commit: str) -> list[str]:
    """Return what the locks of a commit name and the cache of a repository lacks or holds damaged."""

    def show(path: str) -> str:
        return subprocess.run(
            ["git", "show", f"{commit}:{path}"],
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    outs = (
        yaml.safe_load(show("files.dvc"))["outs"]
        + yaml.safe_load(show("dvc.lock"))["stages"]["one"]["outs"]
    )
    cache = root / ".dvc/cache/files/md5"
    wanted = [out["md5"] for out in outs if out["path"] != "m.json"]
    lost = []
    while wanted:
        oid = wanted.pop()
        path = cache / oid[:2] / oid[2:]
        if not path.exists() or hashlib.md5(path.read_bytes()).hexdigest() != oid.removesuffix(
            ".dir"
        ):
            lost.append(oid)
        elif oid.endswith(".dir"):
            wanted += [entry["md5"] for entry in json.loads(path.read_text(encoding="utf-8"))]
    return lost
