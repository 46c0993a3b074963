"""DVC's hashes of the champion's files, and the DVC commands that move them."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import yaml

from seedbed.config.repository import git
from seedbed.errors import UserError
from seedbed.serving.champion import TRACKED


def path_hash(path: Path) -> str | None:
    """Return DVC's hash of a file or folder; None where there is none.

    It is computed anew: DVC trusts what it remembers of a file, which may be outdated.
    """
    if path.is_dir():
        files = {file.relative_to(path).as_posix(): file for file in path.rglob("*")}
        entries = [
            {"md5": path_hash(files[name]), "relpath": name}
            for name in sorted(files)
            if files[name].is_file()
        ]
        return f"{_md5(json.dumps(entries, sort_keys=True).encode())}.dir"
    return _md5(path.read_bytes()) if path.is_file() else None


def tracked_hash(root: Path, commit: str | None = None) -> str | None:
    """Return the champion's hash in models/champion.dvc, of the work tree or of a commit."""
    if commit:
        text = git(root, "show", f"{commit}:./{TRACKED.as_posix()}")
    else:
        text = (root / TRACKED).read_text(encoding="utf-8") if (root / TRACKED).exists() else None
    return text and str(yaml.safe_load(text)["outs"][0]["md5"])


def run_dvc(root: Path, *arguments: str) -> str:
    """Run a DVC command in `root`; return what it prints.

    Raises UserError if it fails, with the first lines of what DVC reports.
    """
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments],
        cwd=root,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise UserError(f"`dvc {' '.join(arguments)}` failed: {' '.join(lines[:3])}")
    return done.stdout


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
