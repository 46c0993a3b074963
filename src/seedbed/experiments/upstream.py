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
from functools import reduce
from pathlib import Path
from typing import Any

import yaml

from seedbed.experiments.dvc_files import ancestors, outputs, read_stages, split_lock
from seedbed.files import replacing_folder, write_text

FOLDER = ".dvc/tmp/upstream"


class Upstream:
    """The stages that lead to `target`, in the checkout `root`, for parameters; kept in the repository `main`."""

    def __init__(self, main: Path, root: Path, target: str, params: str, tree: str) -> None:
        stages = read_stages(root)
        before = ancestors(stages, target)
        self.key = upstream_key(root, target, params, tree)
        self._root = root
        self._names = sorted(before)
        self._reports = [
            path
            for name in self._names
            for path, options in outputs(stages[name]).items()
            if not options.get("cache", True)
        ]
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
        _, entries = split_lock((self._root / "dvc.lock").read_text(encoding="utf-8"))
        with replacing_folder(self._kept) as folder:
            write_text(folder / "dvc.lock", "".join(entries[name] for name in self._names))
            for path in self._reports:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self._root / path, folder / path)

    def put_back(self) -> None:
        """Bring dvc.lock and the reports to what was kept; data are for DVC to bring back."""
        lock = self._root / "dvc.lock"
        head, entries = split_lock(lock.read_text(encoding="utf-8"))
        _, kept = split_lock((self._kept / "dvc.lock").read_text(encoding="utf-8"))
        write_text(lock, head + "".join((entries | kept).values()))
        for path in self._reports:
            shutil.copyfile(self._kept / path, self._root / path)


def upstream_key(root: Path, target: str, params: str, tree: str) -> str:
    """Return a hash of all that the stages before `target` depend on: their parameters, and the snapshot they run in."""
    stages = read_stages(root)
    values = yaml.load(params, yaml.CSafeLoader)
    read = {
        name: [_select(values, key) for key in stages[name].get("params", []) if isinstance(key, str)]
        for name in ancestors(stages, target)
    }
    return hashlib.sha256(json.dumps([read, tree], sort_keys=True, default=str).encode()).hexdigest()[:16]


def _select(values: Any, key: str) -> Any:
    """Return what stands at a dotted key, None where nothing does."""
    return reduce(lambda part, name: part.get(name) if isinstance(part, dict) else None, key.split("."), values)
