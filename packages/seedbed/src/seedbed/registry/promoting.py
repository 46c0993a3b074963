"""Puts a bundle to use: a commit makes it models/champion, Git tags make that a version in use.

The tags come last. After a kill the same command undoes what was begun, or finishes it.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from seedbed.config.repository import git, git_or_stop, untracked_files
from seedbed.errors import UserError, some_of
from seedbed.models.gate import read_refusal
from seedbed.registry.content import path_hash, run_dvc, tracked_hash
from seedbed.registry.versions import (
    ARTIFACT,
    Bump,
    put_to_use,
    read_registry,
    register,
    versions_with,
)
from seedbed.serving.champion import TRACKED
from seedbed.serving.loading import CHAMPION, load_bundle

BUNDLE = Path("models/bundle")
LOCK = "dvc.lock"
IGNORE = "models/.gitignore"
SHARE = "`make push` hands it to the others."
SOURCES = ("conf", "src", "packages", "dvc.yaml", "models/*.dvc")
"""What a version is made of: an untracked file there would make it another one in a clone."""


def promote(root: Path, bump: Bump = "minor") -> str:
    """Make the packaged bundle the champion, commit that, and put it to use as a version.

    Raises UserError if something is uncommitted, the gate refused the model, or models/bundle is
    not the one in dvc.lock.
    """
    if reason := read_refusal(root / "reports/refusal.txt"):
        raise UserError(f"the gate refused this model, so it cannot be promoted. {reason}")
    _prepare(root, *SOURCES)
    load_bundle(root / BUNDLE)
    if changed := json.loads(run_dvc(root, "status", "--json", "--with-deps", "package")):
        raise UserError(
            f"{BUNDLE} does not belong to {LOCK}: {', '.join(sorted(changed))} changed since. "
            "Run `dvc repro`, look at the result, commit it, and promote then."
        )
    registry, digest = read_registry(root), path_hash(root / BUNDLE)
    if digest == tracked_hash(root, "HEAD"):
        known = versions_with(root, str(digest))
        if registry.in_use and registry.in_use in known:
            raise UserError(f"{BUNDLE} is the champion already: {registry.in_use}.")
        version = known[-1] if known else registry.next_version(bump)
        done = f"{ARTIFACT} {version} is in use: a promotion that was cut short is finished."
    else:
        known, version = [], registry.next_version(bump)
        done = f"{ARTIFACT} {version} is in use. {SHARE}"
        with _all_or_nothing(root):
            git_or_stop(root, "rm", "-r", "--cached", "--quiet", "--ignore-unmatch", str(CHAMPION))
            shutil.rmtree(root / CHAMPION, ignore_errors=True)
            shutil.copytree(root / BUNDLE, root / CHAMPION)
            run_dvc(root, "add", "--quiet", str(CHAMPION))
            _commit(root, f"Promote {ARTIFACT} {version}")
    if not known:
        register(root, version)
    put_to_use(root, version)
    return done


def roll_back(root: Path, version: str | None = None) -> str:
    """Bring an earlier champion back into use, by default the one that was in use before.

    Raises UserError if something is uncommitted, there is no such version, or its files cannot be
    had.
    """
    _prepare(root)
    registry = read_registry(root)
    now, versions = registry.in_use, ", ".join(registry.versions)
    if now is None:
        raise UserError("there is no champion to go back from: no version is in use.")
    target = version or registry.used_before
    if target is None:
        raise UserError(
            f"no version was in use before {ARTIFACT} {now}, but those that were rolled back from. "
            f"Name one, as in `seedbed rollback {registry.versions[-1]}`. There are {versions}."
        )
    if target not in registry.versions:
        raise UserError(f"there is no version {target!r} of {ARTIFACT}. There are {versions}.")
    if target == now:
        raise UserError(f"{ARTIFACT} {target} is in use already.")
    with _all_or_nothing(root):
        git_or_stop(root, "checkout", "--quiet", f"{ARTIFACT}@{target}", "--", str(TRACKED))
        fetch_champion(root, target)
        _commit(root, f"Roll back to {ARTIFACT} {target}")
    put_to_use(root, target)
    return f"{ARTIFACT} {target} is in use again, instead of {now}. {SHARE}"


def _prepare(root: Path, *sources: str) -> None:
    """Undo what a killed promotion or rollback began; refuse uncommitted work and a detached HEAD.

    Nothing else writes models/champion.dvc: where it differs from the commit, it was left behind.
    """
    if git(root, "symbolic-ref", "--quiet", "HEAD") is None:
        raise UserError("HEAD is detached: the commit needs a branch. Run `git switch <branch>`.")
    left_behind = git_or_stop(root, "status", "--porcelain", "--", f"{CHAMPION}*")
    if left_behind and not git_or_stop(root, "ls-files", "--unmerged"):
        _restore(root)
    refuse_uncommitted(root, *sources)


def refuse_uncommitted(root: Path, *sources: str) -> None:
    """Raise UserError if Git lacks changes, or files below `sources`."""
    diff = git_or_stop(root, "diff", "--name-only", "--relative", "-z", "HEAD")
    changed = [name for name in diff.split("\0") if name]
    changed += [name for place in sources for name in untracked_files(root, place)]
    if changed:
        raise UserError(
            f"there are uncommitted changes ({some_of(changed, 5)}), so nobody would know what the "
            "version is made of. Commit that, or put it aside with `git stash --include-untracked`."
        )


@contextmanager
def _all_or_nothing(root: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        _restore(root)
        raise


def _restore(root: Path) -> None:
    """Bring everything that a promotion or rollback writes back to HEAD, and nothing else."""
    paths = [LOCK, IGNORE, str(CHAMPION), str(TRACKED), *_gate_outputs(root)]
    git_or_stop(root, "reset", "--quiet", "--", *paths)
    committed = git_or_stop(root, "ls-tree", "-r", "--name-only", "HEAD", "--", *paths).splitlines()
    if str(TRACKED) not in committed:
        shutil.rmtree(root / CHAMPION, ignore_errors=True)
        (root / TRACKED).unlink(missing_ok=True)
    git_or_stop(root, "restore", "--", *committed)
    if str(TRACKED) in committed:
        run_dvc(root, "checkout", "--quiet", "--force", str(TRACKED))


def _gate_outputs(root: Path) -> list[str]:
    lock = yaml.safe_load(git_or_stop(root, "show", f"HEAD:./{LOCK}"))
    return [out["path"] for out in lock["stages"]["gate"]["outs"]]


def _commit(root: Path, message: str) -> None:
    """Run the gate anew beside this champion, and commit, unless a killed rollback did so."""
    run_dvc(root, "repro", "--quiet", "--single-item", "gate")
    git_or_stop(root, "add", "--update", "--", LOCK, *_gate_outputs(root))
    git_or_stop(root, "add", "--", IGNORE, str(TRACKED))
    if git_or_stop(root, "diff", "--cached", "--name-only"):
        git_or_stop(root, "commit", "--quiet", "-m", message)


def fetch_champion(root: Path, version: str) -> None:
    """Check out what models/champion.dvc names, from DVC's cache or else from the remote.

    Raises UserError if neither has it whole: DVC checks out a damaged object without a word.
    """
    reason = ""
    for command in ("checkout", "pull"):
        try:
            run_dvc(root, command, "--quiet", "--force", str(TRACKED))
        except UserError as error:
            reason = f" {error}"
        if path_hash(root / CHAMPION) == tracked_hash(root):
            return
    raise UserError(
        f"{ARTIFACT} {version}: its files are damaged in DVC's cache, or neither there nor on a "
        f"remote.{reason} `seedbed doctor --mend --read-all` removes damaged ones; the same "
        "command then fetches them."
    )
