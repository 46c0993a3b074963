"""DVC in this process: the calls of its Python class that a sweep makes, on the checkout of a slot.

`dvc.repo.Repo` is not documented as public. tests/experiments/test_pipeline.py holds each call used here to what it does today.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seedbed.errors import UserError
from seedbed.experiments.dvc_files import ancestors, read_stages, split_lock
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
            with lock_written_by_entry(), params_parsed_once():
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
        wanted = {target, *ancestors(read_stages(self.root), target)}
        head, before = split_lock(self._lock.read_text(encoding="utf-8"))
        write_text(self._lock, head + "".join(entry for name, entry in before.items() if name in wanted))
        yield
        head, after = split_lock(self._lock.read_text(encoding="utf-8"))
        write_text(self._lock, head + "".join((before | after).values()))


@contextmanager
def lock_written_by_entry() -> Iterator[None]:
    """Let DVC write only the entry of dvc.lock that has changed: half the time of a short job goes into all the others.

    DVC reads and writes the whole file after each stage, in the way that keeps comments, which its lock files do not
    have. What is written is the same to the byte.
    """
    from dvc import dvcfile
    from dvc.utils.serialize import dumps_yaml, load_yaml

    usual = dvcfile.modify_yaml

    @contextmanager
    def modify_yaml(path: str, fs: Any = None) -> Iterator[Any]:
        lock = Path(path)
        if lock.name != "dvc.lock" or not lock.exists():
            with usual(path, fs=fs) as content:
                yield content
            return
        content = load_yaml(path, fs=fs)
        before = dict(content.get("stages", {}))
        yield content
        head, entries = split_lock(lock.read_text(encoding="utf-8"))
        changed = {name: entry for name, entry in content["stages"].items() if entry is not before.get(name)}
        if changed:
            _, written = split_lock(dumps_yaml({"stages": changed}))
            write_text(lock, head + "".join((entries | written).values()))

    dvcfile.modify_yaml = modify_yaml
    try:
        yield
    finally:
        dvcfile.modify_yaml = usual


@contextmanager
def params_parsed_once() -> Iterator[None]:
    """Let DVC parse params.yaml once for as long as it does not change: it would do so for each stage, twice."""
    from dvc.dependency import param

    usual = param.load_path
    parsed: dict[tuple[str, int, int], Any] = {}

    def load_path(path: str, fs: Any, **options: Any) -> Any:
        if options or not Path(path).is_file():
            return usual(path, fs, **options)
        status = Path(path).stat()
        key = (path, status.st_mtime_ns, status.st_ino)
        if key not in parsed:
            parsed[key] = usual(path, fs)
        return parsed[key]

    param.load_path = load_path
    try:
        yield
    finally:
        param.load_path = usual


def _all_causes(error: BaseException) -> str:
    told = []
    cause: BaseException | None = error
    while cause is not None:
        told.append(str(cause).rstrip("."))
        cause = cause.__cause__
    return ": ".join(told)
