"""DVC in this process: the calls of its Python class that a sweep makes, on the checkout of a slot.

`dvc.repo.Repo` is not documented as public. tests/experiments/test_pipeline.py holds each call used here to what it does today.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from seedbed.config.params import PARAMS
from seedbed.errors import UserError
from seedbed.files import write_text
from seedbed.sweeps.dvc_files import split_lock
from seedbed.sweeps.dvc_yaml import yaml_parsed_once

NOT_RUN = "(not run by the sweep)"
"""Stands in dvc.lock for the command of a stage that has not run: it is not that of dvc.yaml, so `dvc repro` runs it."""


@dataclass(frozen=True)
class Ancestors:
    """The stages that lead to the target of a sweep, but for the one that is each job's own.

    Attributes
    ----------
    names : list of str
        Their entries in dvc.lock.
    reports : list of str
        Those of their outputs that Git keeps and DVC's cache does not.
    keys : list of str, optional
        The parameters in params.yaml that they read; None where any of it may decide what they make.
    templated : bool
        dvc.yaml itself is written with parameters (`${...}`): for others there may be other stages.
    """

    names: list[str]
    reports: list[str]
    keys: list[str] | None
    templated: bool


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

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Read dvc.yaml and dvc.lock once for all that is done meanwhile, and lock no file: nobody else may use them."""
        from dvc.repo import lock_repo

        with lock_repo(self._repo), yaml_parsed_once(), _no_file_locked(), _ctrl_c_heard():
            yield

    def reproduce(self, *stages: str, alone: bool = False) -> None:
        """Do what `dvc repro` of these stages does, with `alone` what `dvc repro --single-item` does.

        Raises
        ------
        UserError
            If a stage fails. What it printed is in the log.
        """
        from dvc.exceptions import DvcException

        try:
            with self.undisturbed():
                self._repo.reproduce(targets=list(stages), single_item=alone)
        except DvcException as error:
            raise UserError(_all_causes(error)) from error

    def before(self, stage: str) -> list[str]:
        """Return the names of the stages whose outputs a stage reads."""
        graph = self._repo.index.graph
        found = next(node for node in graph if node.addressing == stage)
        return sorted(node.addressing for node in graph.successors(found))

    def ancestors(self, target: str, own: str) -> Ancestors:
        """Return what leads to a target, but for the stage `own`, whatever way dvc.yaml has of saying so.

        Raises
        ------
        UserError
            If a stage stands in another dvc.yaml: of its dvc.lock a sweep knows nothing.
        """
        import networkx as nx

        root = Path(self._repo.root_dir)
        graph = self._repo.index.graph
        if elsewhere := [
            stage.addressing
            for stage in graph
            if stage.cmd and Path(stage.path) != root / "dvc.yaml"
        ]:
            raise UserError(
                f"{', '.join(sorted(elsewhere))}: a sweep knows only the stages of dvc.yaml itself. Move them there."
            )
        nodes = {stage.addressing: stage for stage in graph}
        found = [
            stage
            for stage in nx.descendants(graph, nodes[target])
            if stage.cmd and stage.addressing != own
        ]
        templated = "${" in (root / "dvc.yaml").read_text(encoding="utf-8")
        decides = [
            root / PARAMS,
            *(Path(out.fs_path) for out in (nodes[own].outs if own in nodes else [])),
        ]
        read = [_keys_read(dep, decides) for stage in found for dep in stage.deps]
        return Ancestors(
            names=sorted(stage.addressing for stage in found),
            reports=sorted(
                os.path.relpath(out.fs_path, root)
                for stage in found
                for out in stage.outs
                if not out.use_cache
            ),
            keys=None
            if templated or None in read
            else sorted({key for keys in read for key in keys or []}),
            templated=templated,
        )

    def read_params(self, keys: Sequence[str] | None) -> Any:
        """Return what params.yaml says at these keys, as DVC reads them; its text for None."""
        from dvc.dependency.param import read_param_file

        file = self.root / PARAMS
        if keys is None:
            return file.read_text(encoding="utf-8")
        return read_param_file(self._repo.fs, str(file), list(keys)) if keys else {}

    def holds(self, names: Sequence[str]) -> bool:
        """Tell whether cache and work tree have all data that dvc.lock names as outputs of these stages."""
        found = [stage for stage in self._repo.index.stages if stage.addressing in names]
        return not any(out.changed() for stage in found for out in stage.outs if out.use_cache)

    def forget_what_no_longer_belongs(self, target: str) -> list[str]:
        """Empty the reports and dvc.lock entries of stages beyond the target that are not of these inputs.

        They were of the baseline. In `dvc exp show` they would put its figures into the row of another model.
        """
        import networkx as nx

        stale: list[Any] = []
        with self.undisturbed():
            graph = self._repo.index.graph
            found = next(node for node in graph if node.addressing == target)
            kept = {
                found,
                *nx.descendants(graph, found),
            }  # edges lead from a stage to what it reads
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
def _no_file_locked() -> Iterator[None]:
    """Let DVC not write down, several times a stage, each file that the stage reads or writes."""
    from dvc import rwlock

    usual = rwlock.rwlock
    rwlock.rwlock = lambda *_: nullcontext()
    try:
        yield
    finally:
        rwlock.rwlock = usual


@contextmanager
def _ctrl_c_heard() -> Iterator[None]:
    """Let Ctrl-C reach this process while a stage runs: DVC ignores it then, and tells that the stage failed."""
    from dvc.stage import run

    usual = run.signal
    run.signal = SimpleNamespace(SIGINT=usual.SIGINT, SIG_IGN=usual.SIG_IGN, signal=lambda *_: None)
    try:
        yield
    finally:
        run.signal = usual


def _keys_read(dependency: Any, decides: Sequence[Path]) -> list[str] | None:
    """Return which parameters a dependency reads from what decides a job, params.yaml first; None for all of them."""
    path = Path(dependency.fs_path)
    if path == decides[0] and getattr(dependency, "params", None):
        return list(dependency.params)
    return (
        None if any(path.is_relative_to(one) or one.is_relative_to(path) for one in decides) else []
    )


def _all_causes(error: BaseException) -> str:
    told = []
    cause: BaseException | None = error
    while cause is not None:
        told.append(str(cause).rstrip("."))
        cause = cause.__cause__
    return ": ".join(told)
