"""Two machines that share a repository: folders with a HOME and a DVC site cache each of their own."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import yaml

from servers import Place

from support import ENVIRONMENT, Project

STAGE = {
    "cmd": "mkdir -p out && cat files/0 params.yaml > out/a && cp params.yaml out/b && "
    "echo '{\"x\": 1}' > m.json",
    "deps": ["files/0"],
    "params": ["p"],
    "outs": ["out"],
    "metrics": [{"m.json": {"cache": False}}],
}
BEGIN = {
    "conf/config.yaml": "p: 1\n",
    "params.yaml": "p: 1\n",
    ".gitignore": "/.venv\n",
    "dvc.yaml": yaml.safe_dump({"stages": {"one": STAGE}}),
}


class Machine(Project):
    """A clone in `root`, with HOME and DVC's site cache beside it, as on a machine of its own."""

    def __init__(self, root: Path, environment: dict[str, str] | None = None) -> None:
        super().__init__(root)
        home = root.with_name(f"{root.name}-home")
        home.mkdir(exist_ok=True)
        site = {"HOME": str(home), "DVC_SITE_CACHE_DIR": str(home / "site")}
        self.environment = {**site, **(environment or {})}

    def run(self, *command: str, **options: object) -> subprocess.CompletedProcess[str]:
        """Run a command on this machine."""
        return super().run(*command, **{**self.environment, **options})  # type: ignore[arg-type]

    def with_git_remote(self, bare: Path) -> "Machine":
        """Give this machine a bare Git remote."""
        self.git("init", "-q", "--bare", "-b", "main", str(bare))
        self.git("remote", "add", "origin", str(bare))
        return self

    def cloned(self, target: Path) -> "Machine":
        """Clone the Git remote as another machine, which reaches the same place for data."""
        self.git("clone", "-q", self.git("remote", "get-url", "origin"), str(target))
        if not (target / ".venv").exists():
            (target / ".venv").symlink_to(ENVIRONMENT)
        access = {name: self.environment[name] for name in self.environment if "AWS_" in name}
        other = Machine(target, access)
        if (ssh := Path(self.environment["HOME"]) / ".ssh").is_dir():
            shutil.copytree(ssh, Path(other.environment["HOME"]) / ".ssh")
        other.git("config", "user.name", "Other")
        other.git("config", "user.email", "other@example.org")
        return other

    def set_up(self, place: Place) -> str:
        """Set up a place for data, and commit that."""
        home = place.environment.get("HOME")
        self.environment |= {k: v for k, v in place.environment.items() if k != "HOME"}
        if home:
            shutil.copytree(Path(home) / ".ssh", Path(self.environment["HOME"]) / ".ssh")
        printed = self.seedbed("remote", place.url, *place.options)
        self.commit("a place for data")
        return printed

    def seedbed(self, *arguments: str, **options: object) -> str:
        """Run `seedbed`; return what it printed."""
        return self.run("seedbed", *arguments, **options).stdout

    def references(self) -> dict[str, str]:
        """Return the references of the Git remote, and what they point to."""
        lines = self.git("ls-remote", "--refs", "origin").splitlines()
        return {ref: commit for commit, ref in (line.split("\t") for line in lines)}


def new_machine(root: Path, files: int = 12) -> Machine:
    """Make a small repository with a folder of files and a stage, committed."""
    for name, text in {**BEGIN, **{f"files/{n}": f"{n} " * (n + 1) for n in range(files)}}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
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


def add_files(machine: Machine, number: int = 1, size: int = 20) -> None:
    """Commit more files."""
    for name in range(number):
        (machine.root / f"files/more{name}").write_text(f"{name} " * size, encoding="utf-8")
    machine.dvc("add", "--quiet", "files")
    machine.commit("more files")


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def stored(folder: Path, oid: str) -> Path:
    """Return the path of an object below a cache or a directory remote."""
    return folder / "files/md5" / oid[:2] / oid[2:]


def damage(path: Path) -> None:
    """Change the last byte of a file, keeping its mode."""
    mode = path.stat().st_mode
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    path.chmod(mode)


def damaged_objects(folder: Path) -> list[str]:
    """Return the objects of a cache or directory remote whose content has another hash."""
    paths = [path for path in folder.glob("files/md5/??/*") if path.suffix != ".tmp"]
    assert paths, f"{folder} holds no objects"
    names = {path.parent.name + path.name: path for path in paths}
    return [oid for oid in names if md5(names[oid].read_bytes()) != oid.removesuffix(".dir")]


def content(root: Path) -> dict[str, str]:
    """Return the hash of each file of the small repository's data, computed here."""
    paths = [path for top in ("files", "out") for path in sorted((root / top).rglob("*"))]
    return {path.relative_to(root).as_posix(): md5(path.read_bytes()) for path in paths}


def missing_objects(machine: Machine, commit: str) -> list[str]:
    """Return what a commit's files.dvc and dvc.lock name and the cache of a machine lacks."""
    outs = yaml.safe_load(machine.git("show", f"{commit}:files.dvc"))["outs"]
    outs += yaml.safe_load(machine.git("show", f"{commit}:dvc.lock"))["stages"]["one"]["outs"]
    cache = machine.root / ".dvc/cache"
    wanted = [out["md5"] for out in outs if out["path"] != "m.json"]
    for oid in [oid for oid in wanted if stored(cache, oid).suffix == ".dir"]:
        if stored(cache, oid).exists():
            wanted += [entry["md5"] for entry in json.loads(stored(cache, oid).read_bytes())]
    return [oid for oid in wanted if not stored(cache, oid).exists()]
