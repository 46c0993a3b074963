"""A clone of the repository to play in, with commands that leave nothing running."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import psutil

from seedbed.errors import UserError

CHAMPION = Path("models/champion")
SETTINGS = ("commit.gpgSign=false", "tag.gpgSign=false", "core.hooksPath=/dev/null")
"""Of Git: a person's own signature and hooks are not for what is played."""
STOPS_WITHIN = 60
"""Seconds that a command has to stop in once it was asked to."""
SHOWN = 3_000
"""Letters of what a failed command printed that are shown."""


@dataclass
class Repository:
    """A clone of a repository, in which commands run.

    Attributes
    ----------
    root : Path
    today : Timestamp
        The date of commits and tags: with it the same story has the same history.
    """

    root: Path
    today: pd.Timestamp

    @classmethod
    def clone(cls, source: Path, root: Path, today: pd.Timestamp) -> "Repository":
        """Clone HEAD of `source` without its champion, on a branch of its own."""
        clone = cls(root, today)
        options = [word for setting in SETTINGS for word in ("-c", setting)]
        root.parent.mkdir(parents=True, exist_ok=True)
        clone.run("git", "clone", "--quiet", "--no-tags", *options, source, root, cwd=root.parent)
        clone.run("git", "switch", "--quiet", "--force-create", "story")
        (root / ".venv").symlink_to(source / ".venv")
        if (root / f"{CHAMPION}.dvc").exists():
            clone._retire_champion()
        return clone

    def run(
        self, *words: str | Path, codes: tuple[int, ...] = (0,), cwd: Path | None = None
    ) -> str:
        """Run a command; return what it printed.

        Raises
        ------
        UserError
            If it ends with another exit code than `codes`.
        """
        return self.ask(*words, codes=codes, cwd=cwd)[1]

    def ask(
        self, *words: str | Path, codes: tuple[int, ...] = (0,), cwd: Path | None = None
    ) -> tuple[int, str]:
        """Run a command; return its exit code and what it printed."""
        with self.started(*words, cwd=cwd, stdout=subprocess.PIPE) as process:
            printed = process.communicate()[0].strip()
        if process.returncode not in codes:
            command = " ".join(map(str, words))
            raise UserError(
                f"`{command}` ended with exit code {process.returncode}: {printed[-SHOWN:]}"
            )
        return process.returncode, printed

    @contextmanager
    def started(
        self, *words: str | Path, stdout: int, cwd: Path | None = None
    ) -> Iterator[subprocess.Popen[str]]:
        """Start a command; when the block ends, it is stopped with all that it started."""
        name, *arguments = map(str, words)
        program = Path(sys.executable).with_name(name) if name in ("dvc", "seedbed") else name
        process = subprocess.Popen(
            [program, *arguments],
            cwd=cwd or self.root,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        try:
            yield process
        finally:
            stop(process)

    def _environment(self) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GIT_", "DVC_"))
        }
        # Git and the Git that DVC brings along read this form of a date alike.
        date = f"{int(self.today.timestamp())} +0000"
        who = {"NAME": "Story", "EMAIL": "story@example.org", "DATE": date}
        named = {
            f"GIT_{role}_{key}": value
            for role in ("AUTHOR", "COMMITTER")
            for key, value in who.items()
        }
        return {**inherited, **named}

    def _retire_champion(self) -> None:
        """Leave out the champion: the story begins before there was one."""
        self.run("git", "rm", "--quiet", f"{CHAMPION}.dvc")
        ignored = self.root / "models/.gitignore"
        lines = ignored.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if line.strip() != f"/{CHAMPION.name}"]
        ignored.write_text("".join(kept), encoding="utf-8")
        shutil.rmtree(self.root / CHAMPION, ignore_errors=True)
        (self.root / CHAMPION).mkdir()
        (self.root / CHAMPION / "README.md").write_text("No model has been promoted yet.\n")
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "-m", "Begin without a champion")


def stop(process: subprocess.Popen[str]) -> None:
    """Stop a process and all that it started, if it still runs."""
    if process.poll() is not None:
        return
    began = psutil.Process(process.pid)
    family = [began, *began.children(recursive=True)]
    for each in family:
        with suppress(psutil.NoSuchProcess):
            each.terminate()
    for each in psutil.wait_procs(family, STOPS_WITHIN)[1]:
        each.kill()
    process.wait()
