"""DVC in this process: the calls of its Python class that a sweep makes, on the checkout of a slot.

`dvc.repo.Repo` is not documented as public. tests/experiments/test_pipeline.py holds each call used here to what it does today.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf

from seedbed.errors import UserError
from seedbed.files import write_text

NOT_RUN = "(not run by the sweep)"
"""Stands in dvc.lock for the command of a stage that has not run: it is not that of dvc.yaml, so `dvc repro` runs it."""


class Pipeline:
    """The stage graph of the checkout `root`, which must be the working directory."""

    def __init__(self, root: Path) -> None:
        from dvc.repo import Repo

        self.root = root
        self._lock = root / "dvc.lock"
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
            with lock_files_read_in_c():
                self._repo.reproduce(targets=list(stages))
        except DvcException as error:
            raise UserError(_all_causes(error)) from error

    def before(self, stage: str) -> list[str]:
        """Return the names of the stages whose outputs a stage reads."""
        graph = self._repo.index.graph
        found = next(node for node in graph if node.addressing == stage)
        return sorted(node.addressing for node in graph.successors(found))

    def forget_what_no_longer_belongs(self, target: str) -> list[str]:
        """Empty the reports and dvc.lock entries of stages beyond the target that are not of these inputs.

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
        head, entries = split_lock(self._lock.read_text(encoding="utf-8"))
        entries |= {stage.addressing: self._not_run(stage) for stage in stale}
        write_text(self._lock, head + "".join(entries.values()))
        return [stage.addressing for stage in stale]

    def _not_run(self, stage: Any) -> str:
        """Return the dvc.lock entry of a stage that has not run: other words for its command, empty folders for outputs.

        Without an entry, `dvc exp apply` and `dvc checkout` would stop with an error at outputs that have no hash.
        """
        from dvc_data.hashfile.tree import Tree

        cached = [out for out in stage.outs if out.use_cache]
        if not cached:
            return ""
        empty = Tree()  # type: ignore[no-untyped-call]
        empty.digest()
        self._repo.cache.local.add(empty.path, empty.fs, empty.oid)
        return f"  {stage.addressing}:\n    cmd: '{NOT_RUN}'\n    outs:\n" + "".join(
            f"    - path: {out.def_path}\n      hash: md5\n      md5: {empty.oid}\n      size: 0\n      nfiles: 0\n"
            for out in cached
        )

    @contextmanager
    def only_what_leads_to(self, target: str) -> Iterator[None]:
        """Take the other stages out of dvc.lock for a while: DVC reads and writes all of it after each stage it runs."""
        wanted = {target, *ancestors(self.root, target)}
        head, before = split_lock(self._lock.read_text(encoding="utf-8"))
        write_text(self._lock, head + "".join(entry for name, entry in before.items() if name in wanted))
        yield
        head, after = split_lock(self._lock.read_text(encoding="utf-8"))
        write_text(self._lock, head + "".join((before | after).values()))


@contextmanager
def lock_files_read_in_c() -> Iterator[None]:
    """Let DVC read dvc.lock as plain YAML before it writes it: half the time of a short job goes into the other way.

    DVC reads it so as to keep comments, which its lock files do not have. What it writes is the same to the byte.
    """
    from dvc import dvcfile
    from dvc.utils.serialize import dump_yaml, load_yaml

    @contextmanager
    def modify_yaml(path: str, fs: Any = None) -> Iterator[Any]:
        content = load_yaml(path, fs=fs) if Path(path).exists() else {}
        yield content
        dump_yaml(path, content, fs=fs)

    usual = dvcfile.modify_yaml
    dvcfile.modify_yaml = modify_yaml
    try:
        yield
    finally:
        dvcfile.modify_yaml = usual


def split_lock(text: str) -> tuple[str, dict[str, str]]:
    """Return the head of a dvc.lock and the text of each stage's entry by name, in order: together they are the file."""
    head: list[str] = []
    entries: dict[str, list[str]] = {}
    lines = head
    for line in text.splitlines(keepends=True):
        if found := re.match(r"  ([^\s:]+):\s*$", line):
            lines = entries.setdefault(found[1], [])
        lines.append(line)
    return "".join(head), {name: "".join(entry) for name, entry in entries.items()}


def upstream_key(root: Path, target: str, params: str, tree: str) -> str:
    """Return a hash of all that the stages before `target` depend on: their parameters, and the snapshot they run in."""
    stages = _stages(root)
    before = ancestors(root, target)
    values = OmegaConf.create(params)
    read = {
        name: [OmegaConf.select(values, key) for key in stage.get("params", []) if isinstance(key, str)]
        for name, stage in stages.items()
        if name in before
    }
    plain = {
        name: [OmegaConf.to_container(value) if OmegaConf.is_config(value) else value for value in found]
        for name, found in read.items()
    }
    return hashlib.sha256(json.dumps([plain, tree], sort_keys=True, default=str).encode()).hexdigest()[:16]


def ancestors(root: Path, target: str) -> set[str]:
    """Return the names of all stages that lead to a target."""
    stages = _stages(root)
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
        new = {name for dep in deps for out, name in writes.items() if Path(dep).is_relative_to(out)} - found
        found |= new
        ahead += new
    return found


def _stages(root: Path) -> dict[str, Any]:
    return yaml.load((root / "dvc.yaml").read_bytes(), yaml.CSafeLoader)["stages"]


def _all_causes(error: BaseException) -> str:
    told = []
    cause: BaseException | None = error
    while cause is not None:
        told.append(str(cause).rstrip("."))
        cause = cause.__cause__
    return ": ".join(told)
