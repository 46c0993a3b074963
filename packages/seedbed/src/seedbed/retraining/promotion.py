"""Promotes an experiment: a commit that holds it and its champion is made aside, and then taken.

Work tree and HEAD change in one step of Git, when everything else is done. A reference remembers
the commit meanwhile: after a kill, the same command finishes what was begun, or begins anew.
"""

import shutil
from contextlib import chdir
from pathlib import Path

from seedbed.config.repository import git, git_or_stop
from seedbed.errors import UserError
from seedbed.models.gate import read_refusal
from seedbed.registry.content import run_dvc
from seedbed.registry.promoting import (
    BUNDLE,
    SHARE,
    SOURCES,
    fetch_champion,
    refuse_uncommitted,
)
from seedbed.registry.versions import ARTIFACT, Bump, put_to_use, read_registry, register
from seedbed.serving.champion import TRACKED
from seedbed.serving.loading import CHAMPION, load_bundle
from seedbed.sweeps.jobs import Worker, output_to
from seedbed.sweeps.slots import find_experiment

REFUSAL = "reports/refusal.txt"
BEGUN = "refs/seedbed/promotion"
"""The commit that is being taken."""
SUBJECT = f"Promote {ARTIFACT} "


def promote_experiment(worker: Worker, name: str, bump: Bump, log: Path) -> str:
    """Make the bundle of an experiment the champion; return what was done.

    Parameters
    ----------
    worker : Worker
        With a snapshot of HEAD, on which the experiment was made.
    name : str
        Of the experiment.
    bump : {"major", "minor", "patch"}
        Which part of the version to raise.
    log : Path
        Where DVC and the gate print to.

    Raises UserError if there is no such experiment of HEAD, the gate refused it, its bundle is not
    whole in the cache, or something is uncommitted. The repository is as before then.
    """
    root, slot = Path(worker.sweep.root), worker.slot
    refuse_uncommitted(root, *SOURCES)
    commit = _find(worker, name)
    registry = read_registry(root)
    if (root / TRACKED).exists() and not registry.registered:
        raise UserError(
            f"{TRACKED} is there, and Git has no version of it: its tags were not fetched. Run "
            "`git fetch --tags`; if a promotion was cut short, `seedbed promote` finishes it."
        )
    version = registry.next_version(bump)
    with chdir(slot.root), output_to(log):
        slot.reset(worker.sweep, commit)
        if reason := read_refusal(slot.root / REFUSAL):
            raise UserError(f"the gate refused this model, so it cannot be promoted. {reason}")
        worker.graph().checkout()
        load_bundle(slot.root / BUNDLE)
        # What Git has of the folder goes, before DVC has it: a README that says there is none.
        shutil.rmtree(slot.root / CHAMPION, ignore_errors=True)
        slot.write_tree()
        shutil.copytree(slot.root / BUNDLE, slot.root / CHAMPION)
        worker.graph().add(CHAMPION)
        worker.graph().reproduce("gate", alone=True)
        tree = slot.write_tree()
    message = f"{SUBJECT}{version}\n\nIt is the experiment {name}."
    made = git_or_stop(root, "commit-tree", tree, "-p", worker.sweep.baseline, "-m", message)
    git_or_stop(root, "update-ref", BEGUN, made)
    try:
        git_or_stop(root, "merge", "--quiet", "--ff-only", made)
    except UserError:
        git_or_stop(root, "update-ref", "-d", BEGUN)
        raise
    return _put_to_use(root, made)


def finish_promotion(root: Path) -> str | None:
    """Finish a promotion that was cut short, or undo it if its commit was not taken yet.

    Returns what was finished, None where nothing was. No other promotion may be running.
    """
    begun = git(root, "rev-parse", "--verify", "--quiet", BEGUN)
    if begun is None:
        return None
    head = git_or_stop(root, "rev-parse", "HEAD")
    if head == begun:
        return f"A promotion that was cut short is finished. {_put_to_use(root, begun)}"
    if head == git_or_stop(root, "rev-parse", f"{begun}^"):
        _undo(root, begun)
    git_or_stop(root, "update-ref", "-d", BEGUN)
    return None


def _find(worker: Worker, name: str) -> str:
    """Return the commit of an experiment of HEAD."""
    found = find_experiment(worker.sweep, name)
    if found is None or found[0] != name:
        raise UserError(
            f"{name}: no experiment of this name was made of HEAD "
            f"({worker.sweep.baseline[:7]}). `dvc exp show -A` lists all; one of an earlier commit "
            "may lack what was committed since: make it anew, with `seedbed retrain` or `dvc exp "
            "run`."
        )
    return found[1]


def _put_to_use(root: Path, commit: str) -> str:
    """Bring the champion of a commit, which is HEAD, into the work tree, and tag it."""
    subject = git_or_stop(root, "show", "--no-patch", "--format=%s", commit)
    version = subject.removeprefix(SUBJECT)
    fetch_champion(root, version)
    registry = read_registry(root)
    if version not in registry.registered:
        register(root, version)
    if registry.in_use != version:
        put_to_use(root, version)
    try:
        run_dvc(root, "checkout", "--quiet", "--allow-missing")
        rest = ""
    except UserError:  # an output was edited, and is in no cache
        rest = " Data of the work tree are not those of dvc.lock: `make restore` brings them."
    git_or_stop(root, "update-ref", "-d", BEGUN)
    return f"{ARTIFACT} {version} is in use. {SHARE}{rest}"


def _undo(root: Path, begun: str) -> None:
    """Bring the files back to HEAD that Git was changing when it was killed."""
    lock = git_or_stop(root, "rev-parse", "--path-format=absolute", "--git-path", "index.lock")
    Path(lock).unlink(missing_ok=True)
    changed = git_or_stop(root, "diff", "--name-only", "-z", "HEAD", begun).split("\0")
    paths = [path for path in changed if path]
    known = git_or_stop(root, "ls-tree", "-r", "--name-only", "HEAD", "--", *paths).splitlines()
    git_or_stop(root, "reset", "--quiet", "--", *paths)
    for path in set(paths).difference(known):
        (root / path).unlink(missing_ok=True)
    if known:
        git_or_stop(root, "restore", "--", *known)
