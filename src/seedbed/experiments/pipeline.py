"""DVC in this process: the calls of its Python class that a sweep makes, on the checkout of a slot.

`dvc.repo.Repo` is not documented as public. tests/experiments/test_pipeline.py holds each call used here to what it does today.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf

from seedbed.errors import UserError
from seedbed.files import write_text


class Pipeline:
    """The stage graph of the checkout `root`, which must be the working directory."""

    def __init__(self, root: Path) -> None:
        from dvc.repo import Repo

        self.root = root
        self._repo = Repo(str(root))

    def restore(self) -> None:
        """Bring back what dvc.lock names and the cache holds; the rest is left to be computed."""
        self._repo.checkout(force=True, allow_missing=True)

    def reproduce(self, *stages: str) -> None:
        """Do what `dvc repro` of these stages does.

        Raises
        ------
        UserError
            If a stage fails. What it printed is in the log.
        """
        from dvc.exceptions import DvcException

        try:
            self._repo.reproduce(targets=list(stages))
        except DvcException as error:
            raise UserError(_all_causes(error)) from error

    def before(self, stage: str) -> list[str]:
        """Return the names of the stages whose outputs a stage reads."""
        graph = self._repo.index.graph
        found = next(node for node in graph if node.addressing == stage)
        return sorted(node.addressing for node in graph.successors(found))

    def forget_what_no_longer_belongs(self, target: str) -> list[str]:
        """Remove the reports and dvc.lock entries of stages beyond the target that are not of these inputs.

        They were of the baseline. In `dvc exp show` they would put its figures into the row of another model.
        """
        import networkx as nx
        from dvc.repo import lock_repo

        stale: list[Any] = []
        with lock_repo(self._repo):
            graph = self._repo.index.graph
            found = next(node for node in graph if node.addressing == target)
            kept = {found, *nx.descendants(graph, found)}  # edges lead from a stage to what it reads
            for stage in nx.dfs_postorder_nodes(graph):
                reads = list(graph.successors(stage))
                if stage in kept or not stage.cmd:
                    continue
                if (
                    any(read in stale for read in reads)
                    or stage.changed_stage()
                    or stage.changed_deps(allow_missing=True, upstream=reads)
                ):
                    stale.append(stage)
        for stage in stale:
            for out in stage.outs:
                if out.metric:
                    # Without the file, `dvc exp show` tells an error; with an empty one it leaves the cell empty.
                    write_text(Path(out.fs_path), "{}\n")
                elif not out.use_cache:
                    Path(out.fs_path).unlink(missing_ok=True)
        names = [stage.addressing for stage in stale]
        lock = self.root / "dvc.lock"
        write_text(lock, without_stages(lock.read_text(encoding="utf-8"), names))
        return names


def without_stages(lock: str, names: list[str]) -> str:
    """Return the text of dvc.lock without some stages' entries, the others byte for byte as they were."""
    kept = []
    skipping = False
    for line in lock.splitlines(keepends=True):
        if entry := re.match(r"(?: {2})?(\S+):\s*$", line):
            skipping = line.startswith("  ") and entry[1] in names
        if not skipping:
            kept.append(line)
    return "".join(kept)


def upstream_key(root: Path, target: str, params: str, tree: str) -> str:
    """Return a hash of all that the stages before `target` depend on: their parameters, and the snapshot they run in."""
    stages = yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    values = OmegaConf.create(params)
    read = {
        name: [OmegaConf.select(values, key) for key in stage.get("params", []) if isinstance(key, str)]
        for name, stage in stages.items()
        if name != target
    }
    plain = {
        name: [OmegaConf.to_container(value) if OmegaConf.is_config(value) else value for value in found]
        for name, found in read.items()
        if name in _ancestors(stages, target)
    }
    return hashlib.sha256(json.dumps([plain, tree], sort_keys=True, default=str).encode()).hexdigest()[:16]


def _ancestors(stages: dict[str, Any], target: str) -> set[str]:
    writes = {
        out if isinstance(out, str) else next(iter(out)): name
        for name, stage in stages.items()
        for kind in ("outs", "metrics", "plots")
        for out in stage.get(kind, [])
    }
    found: set[str] = set()
    ahead = [target]
    while ahead:
        deps = stages[ahead.pop()].get("deps", [])
        new = {writes[dep] for dep in deps if dep in writes} - found
        found |= new
        ahead += new
    return found


def _all_causes(error: BaseException) -> str:
    told = []
    cause: BaseException | None = error
    while cause is not None:
        told.append(str(cause).rstrip("."))
        cause = cause.__cause__
    return ": ".join(told)
