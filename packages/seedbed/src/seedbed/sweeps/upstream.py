"""What the stages before a sweep's target made for some parameters, kept so that jobs with the same take it over.

DVC would bring the data back from its cache, but not the reports that Git keeps: their stages would run again in each
job. What is put back is checked by DVC for the first job that a worker runs with it: if it is not right, the stage runs.
"""

import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seedbed.files import replacing_folder, write_text
from seedbed.sweeps.dvc_files import split_lock
from seedbed.sweeps.pipeline import Ancestors

FOLDER = ".dvc/tmp/upstream"


class Upstream:
    """What `ancestors` of a sweep's target made in the checkout `root`; kept in the repository `main`.

    Parameters
    ----------
    main, root : Path
        The repository, and the checkout of a worker.
    ancestors : Ancestors
        The stages.
    read : object
        What they read of params.yaml.
    tree : str
        The snapshot that they run in.
    """

    def __init__(self, main: Path, root: Path, ancestors: Ancestors, read: Any, tree: str) -> None:
        decides = json.dumps([read, ancestors.names, tree], sort_keys=True, default=str)
        self.key = hashlib.sha256(decides.encode()).hexdigest()[:16]
        self._root = root
        self._ancestors = ancestors
        self._kept = main / FOLDER / self.key

    def computed(self) -> bool:
        """Tell whether a job has computed it."""
        return self._kept.exists()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other job computes it; what several jobs need is computed by the first of them."""
        self._kept.parent.mkdir(parents=True, exist_ok=True)
        with self._kept.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def keep(self) -> None:
        """Keep the entries of dvc.lock and the reports that Git would keep, as the stages have just left them."""
        head, entries = _read_lock(self._root)
        with replacing_folder(self._kept) as folder:
            kept = "".join(entries[name] for name in self._ancestors.names if name in entries)
            write_text(folder / "dvc.lock", head + kept)
            for path in self._ancestors.reports:
                _copy(self._root / path, folder / path)

    def put_back(self) -> None:
        """Bring dvc.lock and the reports to what was kept; data are for DVC to bring back."""
        head, entries = _read_lock(self._root)
        kept_head, kept = _read_lock(self._kept)
        write_text(
            self._root / "dvc.lock", (head or kept_head) + "".join((entries | kept).values())
        )
        for path in self._ancestors.reports:
            _copy(self._kept / path, self._root / path)


def _read_lock(folder: Path) -> tuple[str, dict[str, str]]:
    """Return head and entries of a dvc.lock, nothing where there is none."""
    file = folder / "dvc.lock"
    return split_lock(file.read_text(encoding="utf-8") if file.exists() else "")


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a folder to where it may be already."""
    if target.is_dir():
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)
