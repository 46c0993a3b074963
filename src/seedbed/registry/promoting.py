"""Which bundle is in use: a folder that DVC keeps, and versions of it that are tags of Git, by GTO.

A champion is models/champion as models/champion.dvc of a commit names it; the commit is tagged `model@<version>`, and
`model#production#<n>` says that this version is in use from then on. No server is asked.
"""

import logging
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from seedbed.config.repository import git, git_or_stop
from seedbed.errors import UserError
from seedbed.models.gate import read_refusal
from seedbed.serving.bundle import load_bundle
from seedbed.serving.champion import FOLDER, TRACKED

ARTIFACT = "model"
IN_USE = "production"
BUNDLE = Path("models/bundle")
Bump = Literal["major", "minor", "patch"]


def promote(root: Path, bump: Bump = "minor") -> str:
    """Make the packaged bundle the champion, commit that, and register it as a version in use; return what was done.

    Raises
    ------
    UserError
        If there are uncommitted changes, or the bundle is not the one that the gate let pass and dvc.lock names.
    """
    if reason := read_refusal(root / "reports/refusal.txt"):
        raise UserError(f"the gate refused this model, so it cannot be promoted. {reason}")
    _refuse_uncommitted(root)
    load_bundle(root / BUNDLE)
    _refuse_out_of_step(root)
    if (root / TRACKED).exists() and folder_hash(root, BUNDLE) == tracked_hash(root):
        return _finish(root, bump)
    with _one_commit(root):
        git_or_stop(root, "rm", "-r", "--cached", "--quiet", "--ignore-unmatch", str(FOLDER))
        shutil.rmtree(root / FOLDER, ignore_errors=True)
        shutil.copytree(root / BUNDLE, root / FOLDER)
        _dvc(root, "add", "--quiet", str(FOLDER))
        version = _next_version(root, bump)
        _record(root, f"Promote {ARTIFACT} {version}")
    _register(root, version)
    return f"{ARTIFACT} {version} is in use. `make push` hands it to the others."


def roll_back(root: Path, version: str | None = None) -> str:
    """Bring an earlier champion back into use, by default the version before; return what was done.

    Raises
    ------
    UserError
        If there are uncommitted changes, no such version, or its files can be had nowhere.
    """
    _refuse_uncommitted(root)
    now, versions = in_use(root), versions_of(root)
    if now is None:
        raise UserError("there is no champion to go back from: nothing was promoted in this repository.")
    if version is None:
        earlier = versions[: versions.index(now)]
        if not earlier:
            raise UserError(f"{ARTIFACT} {now} is the first version: there is none to go back to.")
        version = earlier[-1]
    if version not in versions:
        raise UserError(f"there is no version {version!r} of {ARTIFACT}. There are {', '.join(versions)}.")
    if version == now:
        raise UserError(f"{ARTIFACT} {version} is in use already.")
    with _one_commit(root):
        git_or_stop(root, "checkout", "--quiet", f"{ARTIFACT}@{version}", "--", str(TRACKED))
        _dvc(root, "pull" if _misses_files(root) else "checkout", "--quiet", "--force", str(TRACKED))
        _record(root, f"Roll back to {ARTIFACT} {version}")
    _assign(root, version)
    return f"{ARTIFACT} {version} is in use again, instead of {now}. `make push` hands it to the others."


def _finish(root: Path, bump: Bump) -> str:
    """Register the champion of HEAD, which a promotion that was cut short has committed but not tagged.

    Raises
    ------
    UserError
        If its version is in use: there is nothing to do.
    """
    known = versions_with(root, tracked_hash(root))
    if not known:
        known = [_next_version(root, bump)]
        _register(root, known[0])
    elif in_use(root) in known:
        raise UserError(f"{BUNDLE} is the champion already: {in_use(root)}.")
    else:
        _assign(root, known[-1])
    return f"{ARTIFACT} {known[-1]} is in use: a promotion that was cut short is finished."


def versions_with(root: Path, digest: str) -> list[str]:
    """Return the versions whose champion has this hash, the lowest first."""
    return [
        version
        for version in versions_of(root)
        if f"md5: {digest}" in (git(root, "show", f"{ARTIFACT}@{version}:{TRACKED.as_posix()}") or "")
    ]


def versions_of(root: Path) -> list[str]:
    """Return the registered versions of the champion, the lowest first."""
    tags = (git(root, "tag", "--list", f"{ARTIFACT}@v*", "--sort=version:refname") or "").splitlines()
    return [tag.removeprefix(f"{ARTIFACT}@") for tag in tags]


def in_use(root: Path) -> str | None:
    """Return the version that is in use, or None."""
    tags = (git(root, "tag", "--list", f"{ARTIFACT}#{IN_USE}*", "--sort=-version:refname") or "").splitlines()
    # `model#production#3` puts a version to use, `model#production!#4` ends that.
    latest = max(tags, key=lambda tag: int(tag.rpartition("#")[2]), default=None)
    if latest is None or "!" in latest:
        return None
    registered = git(root, "tag", "--points-at", f"{latest}^{{commit}}", "--list", f"{ARTIFACT}@v*") or ""
    return registered.removeprefix(f"{ARTIFACT}@") or None


def folder_hash(root: Path, folder: Path) -> str:
    """Return the hash by which DVC knows a folder's content."""
    from dvc.repo import Repo
    from dvc_data.hashfile.build import build

    with Repo(str(root)) as repo:
        cache = repo.cache.local
        _, _, built = build(cache, str(root / folder), repo.fs, "md5", dry_run=True)
    return str(built.hash_info.value)


def tracked_hash(root: Path) -> str:
    """Return the hash of the champion that models/champion.dvc names."""
    import yaml

    return str(yaml.safe_load((root / TRACKED).read_text(encoding="utf-8"))["outs"][0]["md5"])


def _refuse_uncommitted(root: Path) -> None:
    changed = git_or_stop(root, "diff", "--name-only", "HEAD").splitlines()
    if changed:
        names = ", ".join(changed[:5])
        raise UserError(
            f"there are uncommitted changes ({len(changed)}: {names}{' ...' if len(changed) > 5 else ''}), so nobody could tell "
            "what the version was made of. Commit them, or put them aside with `git stash`."
        )
    if git(root, "symbolic-ref", "--quiet", "HEAD") is None:
        raise UserError("HEAD is detached, and the commit of a promotion needs a branch. Run `git switch <branch>`.")


def _refuse_out_of_step(root: Path) -> None:
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        status = repo.status(targets=["package"], with_deps=True)
    if status:
        raise UserError(
            f"{BUNDLE} does not belong to dvc.lock: {', '.join(sorted(status))} changed since. Run `dvc repro`, look at the "
            "result, commit it, and promote then."
        )


@contextmanager
def _one_commit(root: Path) -> Iterator[None]:
    """Do all or nothing: on an error, the repository is brought back to the commit it was at."""
    try:
        yield
    except BaseException:
        git_or_stop(root, "reset", "--quiet", "--hard")
        if (root / TRACKED).exists():
            _dvc(root, "checkout", "--quiet", "--force", str(TRACKED))
        else:
            git_or_stop(root, "clean", "-fdxq", "--", str(FOLDER))
        raise


def _record(root: Path, message: str) -> None:
    """Bring the gate's verdict in step with the champion, and commit."""
    _dvc(root, "repro", "--quiet", "--single-item", "gate")
    git_or_stop(root, "add", "--update")
    git_or_stop(root, "add", str(TRACKED), "models/.gitignore")
    git_or_stop(root, "commit", "--quiet", "-m", message)


def _misses_files(root: Path) -> bool:
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        return not repo.cache.local.exists(tracked_hash(root))


def _next_version(root: Path, bump: Bump) -> str:
    versions = versions_of(root)
    if not versions:
        return "v0.1.0"
    major, minor, patch = (int(part) for part in versions[-1].removeprefix("v").split("."))
    return {
        "major": f"v{major + 1}.0.0",
        "minor": f"v{major}.{minor + 1}.0",
        "patch": f"v{major}.{minor}.{patch + 1}",
    }[bump]


def _register(root: Path, version: str) -> None:
    import gto.api

    with _quiet():
        gto.api.register(str(root), ARTIFACT, "HEAD", version=version)
    _assign(root, version)


def _assign(root: Path, version: str) -> None:
    import gto.api

    with _quiet():
        gto.api.assign(str(root), ARTIFACT, IN_USE, version=version, force=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """GTO tells on the terminal what it does, and we do so ourselves."""
    level = logging.getLogger("gto").level
    logging.getLogger("gto").setLevel(logging.ERROR)
    try:
        yield
    finally:
        logging.getLogger("gto").setLevel(level)


def _dvc(root: Path, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise UserError(f"`dvc {' '.join(arguments)}` failed, and nothing was changed: {' '.join(said[:3])}")
