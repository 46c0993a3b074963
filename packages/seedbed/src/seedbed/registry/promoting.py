"""Puts a bundle to use: it becomes models/champion, a folder that DVC keeps, in one commit, and that commit a version.

The tags come last. What is killed before them leaves a repository that the same command finishes, or that Git brings back.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from seedbed.config.repository import git, git_or_stop, untracked_files
from seedbed.errors import UserError
from seedbed.models.gate import read_refusal
from seedbed.registry.content import path_hash, tracked_hash, unusable_objects
from seedbed.registry.versions import (
    ARTIFACT,
    Bump,
    in_use,
    next_version,
    put_to_use,
    register,
    used_before,
    versions_of,
    versions_with,
)
from seedbed.serving.bundle import load_bundle
from seedbed.serving.champion import FOLDER, TRACKED

BUNDLE = Path("models/bundle")
WRITTEN = ("dvc.lock", "reports", "models/.gitignore", "models/champion*")
"""What a promotion writes: nothing else is committed or brought back, whatever an editor saves meanwhile."""
COUNTED = ("conf", "src", "dvc.yaml", "models/*.dvc")
"""What a version is made of: a file there that Git does not have would make it another in a clone."""
SHOWN = 5


def promote(root: Path, bump: Bump = "minor") -> str:
    """Make the packaged bundle the champion, commit that, and register it as a version in use; return what was done.

    Raises
    ------
    UserError
        If there is something uncommitted, or the bundle is not the one that the gate let pass and dvc.lock names.
    """
    if reason := read_refusal(root / "reports/refusal.txt"):
        raise UserError(f"the gate refused this model, so it cannot be promoted. {reason}")
    _refuse_uncommitted(root, COUNTED)
    load_bundle(root / BUNDLE)
    _refuse_out_of_step(root)
    if path_hash(root / BUNDLE) == tracked_hash(root, "HEAD"):
        return _finish(root, bump)
    with _one_commit(root):
        git_or_stop(root, "rm", "-r", "--cached", "--quiet", "--ignore-unmatch", str(FOLDER))
        shutil.rmtree(root / FOLDER, ignore_errors=True)
        shutil.copytree(root / BUNDLE, root / FOLDER)
        _dvc(root, "add", "--quiet", str(FOLDER))
        version = next_version(root, bump)
        _record(root, f"Promote {ARTIFACT} {version}")
    register(root, version)
    return f"{ARTIFACT} {version} is in use. {_how_to_share(root)}"


def roll_back(root: Path, version: str | None = None) -> str:
    """Bring an earlier champion back into use, by default the one that was in use before; return what was done.

    Raises
    ------
    UserError
        If there is something uncommitted, no such version, or its files can be had nowhere.
    """
    _refuse_uncommitted(root, (str(TRACKED),))
    now, versions = in_use(root), versions_of(root)
    if now is None:
        raise UserError(
            "there is no champion to go back from: no version is in use in this repository."
        )
    version = version or used_before(root)
    if version is None and versions == [now]:
        raise UserError(
            f"{ARTIFACT} {now} is the only version there is, so there is none to go back to."
        )
    if version is None:
        raise UserError(
            f"no version was in use before {ARTIFACT} {now}, but those that were rolled back from. Name the one to go to, as in "
            f"`seedbed rollback {versions[-1] if versions else 'v0.1.0'}`. There are {', '.join(versions)}."
        )
    if version not in versions:
        raise UserError(
            f"there is no version {version!r} of {ARTIFACT}. There are {', '.join(versions)}."
        )
    if version == now:
        raise UserError(f"{ARTIFACT} {version} is in use already.")
    with _one_commit(root):
        git_or_stop(root, "checkout", "--quiet", f"{ARTIFACT}@{version}", "--", str(TRACKED))
        _bring_files(root, version)
        _record(root, f"Roll back to {ARTIFACT} {version}")
    put_to_use(root, version)
    return f"{ARTIFACT} {version} is in use again, instead of {now}. {_how_to_share(root)}"


def _finish(root: Path, bump: Bump) -> str:
    """Register the champion of HEAD, which a promotion that was cut short has committed but not tagged.

    Raises
    ------
    UserError
        If its version is in use: there is nothing to do.
    """
    known = versions_with(root, str(tracked_hash(root, "HEAD")))
    if not known:
        known = [next_version(root, bump)]
        register(root, known[0])
    elif in_use(root) in known:
        raise UserError(f"{BUNDLE} is the champion already: {in_use(root)}.")
    else:
        put_to_use(root, known[-1])
    return f"{ARTIFACT} {known[-1]} is in use: a promotion that was cut short is finished."


def _how_to_share(root: Path) -> str:
    from dvc.config import Config

    if Config(dvc_dir=str(root / ".dvc"))["core"].get("remote"):
        return "`make push` hands it to the others."
    return (
        "Its files are on this machine alone until a place for data is set up: `make remote URL=...`, commit, `make push` "
        "(docs/sharing.md). `dvc artifacts get` of a version made before that needs --remote-config."
    )


def _refuse_uncommitted(root: Path, places: Sequence[str]) -> None:
    """Refuse changes of what Git has, and in these places what it does not have."""
    changed = git_or_stop(root, "diff", "--name-only", "--relative", "HEAD").splitlines()
    changed += [name for place in places for name in untracked_files(root, place)]
    if changed:
        names = ", ".join(changed[:SHOWN])
        undo = (
            f" If a promotion or rollback was killed here: `git restore --staged --worktree {' '.join(map(repr, WRITTEN))}`, "
            f"`git clean -fd {WRITTEN[-1]!r}` and `dvc checkout --force` undo what it did."
            if any(Path(name).is_relative_to(FOLDER) or Path(name) == TRACKED for name in changed)
            else ""
        )
        raise UserError(
            f"there is something uncommitted ({len(changed)}: {names}{' ...' if len(changed) > SHOWN else ''}), so nobody could "
            f"tell what the version was made of. Commit it, or put it aside with `git stash --include-untracked`.{undo}"
        )
    if git(root, "symbolic-ref", "--quiet", "HEAD") is None:
        raise UserError(
            "HEAD is detached, and the commit of a promotion needs a branch. Run `git switch <branch>`."
        )


def _refuse_out_of_step(root: Path) -> None:
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        status = repo.status(
            targets=[f"{root / 'dvc.yaml'}:package"], with_deps=True
        )  # called in any folder
    if status:
        raise UserError(
            f"{BUNDLE} does not belong to dvc.lock: {', '.join(sorted(status))} changed since. Run `dvc repro`, look at the "
            "result, commit it, and promote then."
        )


@contextmanager
def _one_commit(root: Path) -> Iterator[None]:
    """Do all or nothing: on an error, what is written here is brought back to the commit it was at."""
    try:
        yield
    except BaseException:
        _restore(root)
        raise


def _restore(root: Path) -> None:
    git_or_stop(root, "restore", "--source=HEAD", "--staged", "--worktree", "--", *WRITTEN)
    if tracked_hash(root, "HEAD"):
        _dvc(root, "checkout", "--quiet", "--force", str(TRACKED))
    else:
        git_or_stop(root, "clean", "-fdxq", "--", str(FOLDER), str(TRACKED))


def _record(root: Path, message: str) -> None:
    """Bring the gate's verdict in step with the champion, and commit, unless a rollback that was killed did so already."""
    _dvc(root, "repro", "--quiet", "--single-item", "gate")
    git_or_stop(root, "add", "--update", "--", "dvc.lock", "reports")
    git_or_stop(root, "add", "--", "models/.gitignore", str(TRACKED))
    if git_or_stop(root, "diff", "--cached", "--name-only"):
        git_or_stop(root, "commit", "--quiet", "-m", message)


def _bring_files(root: Path, version: str) -> None:
    """Check out the champion that models/champion.dvc names. What DVC's cache holds of it damaged, or lacks, is fetched.

    Raises
    ------
    UserError
        If it cannot be had whole.
    """
    with suppress(UserError):
        _dvc(root, "checkout", "--quiet", "--force", str(TRACKED))
    said = ""
    for _ in range(2):  # the list of its files may be damaged, and name none
        if path_hash(root / FOLDER) == tracked_hash(root):
            return
        _drop_damaged(root)
        shutil.rmtree(
            root / FOLDER, ignore_errors=True
        )  # DVC would take what it checked out for what it should be
        try:
            _dvc(root, "pull", "--quiet", "--force", str(TRACKED))
        except UserError as error:
            said = f" {error}"
    if path_hash(root / FOLDER) != tracked_hash(root):
        raise UserError(
            f"{ARTIFACT} {version}: DVC's cache lacks its files or holds them damaged, and no remote has them whole.{said}"
        )


def _drop_damaged(root: Path) -> None:
    """Remove from DVC's cache what is damaged of the champion."""
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        damaged, _ = unusable_objects(repo.cache.local, str(tracked_hash(root)))
        for oid in damaged:
            Path(repo.cache.local.oid_to_path(oid)).unlink()


def _dvc(root: Path, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise UserError(
            f"`dvc {' '.join(arguments)}` failed, and nothing was changed: {' '.join(said[:3])}"
        )
