"""DVC in this process: sends and fetches what revisions name, which no command of DVC offers.

`dvc.repo.Repo` is not documented as public: tests/remotes drives each call through real remotes.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager
from pathlib import Path
from typing import Any

from seedbed.errors import UserError, some_of
from seedbed.locks import try_lock
from seedbed.remotes.failures import explained, without_login

CURRENT = "seedbed-current"
"""The name of today's remote, so that the config of an older revision does not replace it."""
SHOWN = 5


class Data:
    """The data of a repository and its default remote, `place` by name and address."""

    def __init__(self, repo: Any, place: str) -> None:
        self.repo, self.place = repo, place

    def push(self, refs: Mapping[str, str], check_all: bool = False) -> tuple[int, int]:
        """Send what references name, and the run cache; return the numbers of files and of runs.

        Parameters
        ----------
        refs : mapping of str to str
            Each reference and its commit.
        check_all : bool
            Whether to look for each file at the remote. DVC looks for the list of a folder, and
            takes that as a sign that the files are there.

        Raises UserError if the remote fails, a revision cannot be read, or data are in neither
        place.
        """
        from dvc_data.hashfile.transfer import transfer

        commits, cache = sorted(set(refs.values())), self.repo.cache.local
        with explained(self.place, "not all data were sent") as log:
            remote, files = self.repo.cloud.get_remote(), 0
            if check_all:
                named = set().union(*self.repo.used_objs(revs=commits).values())
                here = {name for name in named if cache.exists(name.value)}
                files = len(transfer(cache, remote.odb, here, shallow=False).transferred)
            files += self.repo.push(revs=commits, workspace=False)
            runs = copy_runs(self.repo.cache.legacy, remote.legacy_odb)
        if lost := sorted(log.objects):
            names = [ref for ref, commit in refs.items() if self._lacks_data(commit)]
            names = [ref.rpartition("/")[2] for ref in names]
            raise UserError(
                f"{some_of(names, SHOWN)}: data that it names are neither in the cache nor at "
                f"{self.place} ({some_of(lost, SHOWN)}), so no reference was pushed. `dvc repro` "
                "computes them again; `dvc exp remove <name>` gives an experiment up."
            )
        return files, runs

    def _lacks_data(self, commit: str) -> bool:
        with explained(self.place, "not all data were sent") as log:
            self.repo.push(revs=[commit], workspace=False)
        return bool(log.objects)

    def fetch(self, commits: list[str]) -> tuple[int, int]:
        """Fetch what the work tree and commits name, and the run cache; return both numbers.

        Raises UserError if the remote fails, a revision cannot be read, or data are damaged or
        missing there.
        """
        with explained(self.place, "not all data were fetched") as log:
            remote = self.repo.cloud.get_remote()
            files = self.repo.fetch(revs=commits, workspace=True)
            runs = copy_runs(remote.legacy_odb, self.repo.cache.legacy)
        if paths := [remote.odb.oid_to_path(oid) for oid in sorted(log.objects)]:
            raise UserError(
                f"{self.place}: damaged or missing there, and not used: {some_of(paths, SHOWN)}. "
                "Delete it there. Then run `seedbed push --all` on a machine that has good data "
                "(or `dvc repro` before it, here), and `make pull` again. If it is good there, "
                "`seedbed doctor --read-all` examines the cache of this machine."
            )
        return files, runs

    def checkout(self) -> list[str]:
        """Bring the work tree to what dvc.lock and .dvc files name; return what changed."""
        with explained(self.repo.root_dir, "the work tree was not brought up to date"):
            result = self.repo.checkout()
        return [path for kind in ("added", "modified", "deleted") for path in result[kind]]


@contextmanager
def open_data(root: Path) -> Iterator[Data]:
    """Open DVC's repository for one push or pull, in `root` as the working directory.

    Raises UserError if no remote is set up, a directory is not mounted, or another push or pull is
    at work.
    """
    from dvc.config import Config, ConfigError

    try:
        config = Config(dvc_dir=str(root / ".dvc"))
    except ConfigError as error:
        raise UserError(f"{root / '.dvc/config'}: {error}") from error
    name = config["core"].get("remote")
    if name not in config["remote"]:
        raise UserError(
            f"{root / '.dvc/config'}: no remote is set up for data and models. Choose a place with "
            "`make remote URL=...`: a directory, ssh://, s3:// or gs://."
        )
    settings = config["remote"][name]
    url = without_login(str(settings["url"]))
    if "://" not in url and not Path(url).is_dir():
        raise UserError(
            f"{name} ({url}): this directory is not there. Mount it, or correct the address with "
            "`make remote URL=...`."
        )
    with ExitStack() as stack:
        stack.enter_context(chdir(root))
        repo = stack.enter_context(open_repository(root, settings))
        unfinished = try_lock(Path(repo.tmp_dir, "seedbed-remotes"))
        if unfinished is None:
            raise UserError(f"{root}: another push or pull is at work. Wait for it.")
        stack.enter_context(unfinished)
        # A killed call leaves half of what DVC remembers of folders, which passes for whole, and
        # files that it was writing, which pass for somebody's own.
        if unfinished.tell():
            repo.drop_data_index()
            for out in repo.index.outs:
                for file in Path(out.fs_path).rglob(".*.tmp"):
                    if re.fullmatch(r"\.[\w-]{22}\.tmp", file.name):
                        file.unlink()
        unfinished.write("unfinished\n")
        unfinished.flush()
        yield Data(repo, f"{name} ({url})")
        unfinished.truncate(0)


def open_repository(root: Path, settings: Mapping[str, Any]) -> Any:
    """Return DVC's repository with `settings`, a section of its config, as the default remote."""
    from dvc.repo import Repo

    if str(settings["url"]).startswith("ssh://"):
        import fsspec.config

        # DVC compares no host keys. The file system below it has no name of its own there.
        fsspec.config.conf["abstract"] = {"known_hosts": ()}
    # s3fs makes five attempts of its own besides: a server that is down is known in seconds.
    os.environ.setdefault("AWS_MAX_ATTEMPTS", "2")
    remote = {CURRENT: {**settings, "verify": True}}
    return Repo(str(root), config={"core": {"remote": CURRENT}, "remote": remote})


def copy_runs(source: Any, target: Any) -> int:
    """Copy the run cache's records that `target` lacks: DVC's `--run-cache` copies all of them."""
    from dvc_objects.fs.generic import copy

    def listed(odb: Any) -> set[tuple[str, ...]]:
        paths = odb.fs.find(odb.fs.join(odb.path, "runs"))
        return {odb.fs.parts(path)[-3:] for path in paths if not path.endswith(".tmp")}

    if new := sorted(listed(source) - listed(target)):
        here, there = ([o.fs.join(o.path, "runs", *name) for name in new] for o in (source, target))
        copy(source.fs, here, target.fs, there, batch_size=target.fs.jobs)
    return len(new)
