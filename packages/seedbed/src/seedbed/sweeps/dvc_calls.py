"""DVC in this process: each call of its Python classes that a sweep makes, on a slot's checkout.

`dvc.repo.Repo` is not documented as public. tests/sweeps/test_dvc_calls.py holds each call to what
it does in the version that is pinned, so that an upgrade says what broke. Nothing is patched.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import networkx as nx

from seedbed.config.params import PARAMS
from seedbed.errors import UserError
from seedbed.files import write_text

NOT_RUN = "(not run by the sweep)"
"""The command of a stage that has not run, in dvc.lock: not dvc.yaml's, so `dvc repro` runs it."""


def settings_for_slot(main: Path, slot: Path) -> dict[str, Any]:
    """Return DVC's settings for a slot: the repository's, with its cache, but a state of its own.

    Handed over in memory: DVC writes no configuration file with letters beyond ASCII.
    """
    from dvc.config import Config

    settings: dict[str, Any] = dict(Config(dvc_dir=str(main / ".dvc"), validate=False))
    cache = settings.get("cache", {})
    return {
        **settings,
        "cache": {**cache, "dir": str(cache.get("dir") or main / ".dvc/cache")},
        "core": {**settings.get("core", {}), "site_cache_dir": str(slot / ".dvc/tmp/site")},
    }


class StageGraph:
    """The stages of the checkout `root`, which must be the working directory.

    Parameters
    ----------
    root : Path
        Of the checkout, with its params.yaml in place.
    settings : dict, optional
        Of DVC, beside those of the checkout.
    environment : dict, optional
        What stages have beside this process's environment.
    """

    def __init__(
        self,
        root: Path,
        settings: dict[str, Any] | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        from dvc.repo import Repo

        self.root = root
        self._environment = environment
        self._repo = Repo(str(root), config=settings)
        self._stages = {stage.addressing: stage for stage in self._repo.index.graph}

    def checkout(self) -> None:
        """Bring back the data that dvc.lock names and the cache holds."""
        self._repo.checkout(force=True, allow_missing=True)

    def reproduce(self, *names: str, alone: bool = False) -> None:
        """Do what `dvc repro` of these stages does, with `alone` what `--single-item` does.

        Without names it is what `dvc repro` does.

        Raises UserError if a stage fails; what it printed is in the log. Raises KeyboardInterrupt
        if Ctrl-C ended a stage, which DVC itself reports as a failure.
        """
        from dvc.exceptions import DvcException

        head, entries = read_lock(self.root)
        if alone:
            # DVC reads and writes all of dvc.lock after each stage: half a second in a long one.
            (self.root / "dvc.lock").unlink(missing_ok=True)
            if own := "".join(entries[name] for name in names if name in entries):
                write_text(self.root / "dvc.lock", head + own)
        try:
            self._repo.reproduce(targets=list(names), single_item=alone, run_env=self._environment)
        except DvcException as error:
            reason = _all_causes(error)
            if re.search(r"exited with (-2|130)\b", reason):  # by SIGINT, itself or below a shell
                raise KeyboardInterrupt from None
            raise UserError(reason) from error
        finally:
            if alone:
                made_head, made = read_lock(self.root)
                text = (head or made_head) + "".join((entries | made).values())
                write_text(self.root / "dvc.lock", text)

    def add(self, path: Path) -> None:
        """Do what `dvc add` of a folder does."""
        self._repo.add(str(path))

    def ancestors(self, target: str, *but: str) -> list[str]:
        """Return the stages that lead to a target, in the order of their names, without some.

        Raises UserError if a stage stands in another dvc.yaml: a sweep does not read the dvc.lock
        beside it.
        """
        for name, stage in self._stages.items():
            if stage.cmd and Path(stage.path) != Path(self._repo.root_dir) / "dvc.yaml":
                raise UserError(
                    f"{name}: a sweep knows only the stages of dvc.yaml itself. Move it there."
                )
        found = nx.descendants(self._repo.index.graph, self._stages[target])
        return sorted(one.addressing for one in found if one.cmd and one.addressing not in but)

    def inputs_hash(self, names: list[str], composed_by: str, tree: str) -> str:
        """Return a hash of what decides the outputs of these stages: `tree`, and parameters.

        `tree` is the snapshot's, and `composed_by` the stage that writes params.yaml. A stage
        that reads an output of it in another way than as parameters depends on all of params.yaml.
        """
        outs = self._stages[composed_by].outs if composed_by in self._stages else []
        own = {Path(out.fs_path) for out in outs} | {self.root / PARAMS}
        decides: list[Any] = [tree]
        for name in names:
            stage = self._stages[name]
            decides.append([name, stage.cmd, [str(one) for one in (*stage.deps, *stage.outs)]])
            for dep in stage.deps:
                if getattr(dep, "params", None):
                    decides.append(dep.read_params())
                elif any(one.is_relative_to(Path(dep.fs_path)) for one in own):
                    decides.append((self.root / PARAMS).read_text(encoding="utf-8"))
        text = json.dumps(decides, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def empty_stale(self, target: str) -> None:
        """Empty reports and dvc.lock entries of stages beyond the target with other inputs now.

        They are the baseline's: `dvc exp show` would put its figures into the row of another model.
        """
        from dvc.repo import lock_repo

        stale: list[Any] = []
        with lock_repo(self._repo):
            graph = self._repo.index.graph
            stages = {stage.addressing: stage for stage in graph}
            current = {stages[target], *nx.descendants(graph, stages[target])}
            for stage in nx.dfs_postorder_nodes(graph):
                reads = list(graph.successors(stage))  # edges lead from a stage to what it reads
                if stage.cmd and stage not in current and (
                    any(read in stale for read in reads)
                    or stage.changed_stage()
                    or stage.changed_deps(allow_missing=True, upstream=reads)
                ):  # fmt: skip
                    stale.append(stage)
        for out in (out for stage in stale for out in stage.outs):
            if out.metric:
                # Without the file, `dvc exp show` reports an error.
                write_text(Path(out.fs_path), "{}\n")
            elif not out.use_cache:
                Path(out.fs_path).unlink(missing_ok=True)
        head, entries = read_lock(self.root)
        entries |= {stage.addressing: self._not_run(stage) for stage in stale}
        write_text(self.root / "dvc.lock", head + "".join(entries.values()))

    def _not_run(self, stage: Any) -> str:
        """Return the dvc.lock entry of a stage that has not run: its outputs are empty folders.

        Without an entry, `dvc exp apply` and `dvc checkout` stop with an error.
        """
        from dvc_data.hashfile.tree import Tree

        cached = [out for out in stage.outs if out.use_cache]
        if not cached:
            return ""
        empty = Tree()  # type: ignore[no-untyped-call]
        empty.digest()
        self._repo.cache.local.add(empty.path, empty.fs, empty.oid)
        return f"  {stage.addressing}:\n    cmd: '{NOT_RUN}'\n    outs:\n" + "".join(
            f"    - path: {out.def_path}\n      hash: md5\n      md5: {empty.oid}\n"
            "      size: 0\n      nfiles: 0\n"
            for out in cached
        )


def read_lock(folder: Path) -> tuple[str, dict[str, str]]:
    """Return head and entries of the dvc.lock of a folder, nothing where there is none."""
    file = folder / "dvc.lock"
    return split_lock(file.read_text(encoding="utf-8") if file.exists() else "")


def split_lock(text: str) -> tuple[str, dict[str, str]]:
    """Return the head of a dvc.lock and each stage's entry by name; joined, they are the file."""
    # An entry begins where a name is indented by two spaces.
    head, *entries = re.split(r"^(?=  [^\s:#]+:\s*$)", text, flags=re.MULTILINE)
    return head, {entry.partition(":")[0].strip(): entry for entry in entries}


def _all_causes(error: BaseException) -> str:
    reasons = []
    cause: BaseException | None = error
    while cause is not None:
        reasons.append(str(cause).rstrip("."))
        cause = cause.__cause__
    return ": ".join(reasons)
