"""What the stages before a sweep's target made, kept for the jobs that have the same inputs there.

DVC's cache brings back the data; the reports that Git keeps and the entries of dvc.lock are kept
here. DVC checks them for the first job that a worker runs with them: a stage with others runs again.
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seedbed.files import replacing_folder, write_text
from seedbed.sweeps.dvc_calls import read_lock

UPSTREAM = Path(".dvc/tmp/upstream")


class Upstream:
    """What these stages made in the checkout `root`.

    Parameters
    ----------
    folder : Path
        Where it is kept, in the repository.
    root : Path
        The checkout of a worker.
    stages, reports : list of str
        Names of the stages, and paths of their outputs that Git keeps.
    """

    def __init__(self, folder: Path, root: Path, stages: list[str], reports: list[str]) -> None:
        self._folder = folder
        self._root = root
        self._stages = stages
        self._reports = reports

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait for other jobs that need the same: the first one computes it."""
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        with self._folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def keep(self) -> None:
        """Keep the entries of dvc.lock and the reports as the stages have just left them."""
        head, entries = read_lock(self._root)
        with replacing_folder(self._folder) as folder:
            own = "".join(entries[name] for name in self._stages if name in entries)
            write_text(folder / "dvc.lock", head + own)
            for path in self._reports:
                _copy(self._root / path, folder / path)

    def put_back(self) -> bool:
        """Bring dvc.lock and the reports to what was kept; return whether anything was."""
        if not self._folder.exists():
            return False
        head, entries = read_lock(self._root)
        kept_head, kept = read_lock(self._folder)
        text = (head or kept_head) + "".join((entries | kept).values())
        write_text(self._root / "dvc.lock", text)
        for path in self._reports:
            _copy(self._folder / path, self._root / path)
        return True


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a folder to where it may be already."""
    if target.is_dir():
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)
