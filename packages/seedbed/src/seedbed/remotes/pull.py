"""Fetches what `push` has sent: references first, then the data that they name, then the work tree."""

from contextlib import chdir
from functools import partial
from pathlib import Path

from seedbed.config.repository import git
from seedbed.errors import UserError
from seedbed.remotes.data import WORK_TREE, Data, Moved
from seedbed.remotes.opening import beside_imports
from seedbed.remotes.refs import (
    Upstream,
    describe,
    fault,
    find_upstream,
    is_branch,
    local_refs,
    remote_refs,
    run_git,
    short,
)
from seedbed.remotes.remote_damage import move_whole
from seedbed.remotes.report import Report, count
from seedbed.remotes.run_cache import fetch_runs


def pull(root: Path) -> Report:
    """Fetch the branch (fast-forward only), tags, experiments, their data and the run cache, and check out.

    Raises
    ------
    UserError
        If a remote fails, branches have diverged, or work would be overwritten. The same call again goes on from there.
    """
    upstream = find_upstream(root)
    report = Report()
    theirs = beside_imports(partial(remote_refs, root, upstream.remote))
    new = _fetch_refs(root, upstream, theirs, report)
    if _fast_forward(root, upstream, theirs):
        new.append(str(upstream.local))
    if new:
        report.tell(f"git: {describe(new)} from {upstream.remote}")
    ours = local_refs(root)
    shared = {
        ref: commit
        for ref, commit in theirs.items()
        if not is_branch(ref) and ours.get(ref) == commit
    }
    with chdir(root), Data(root) as data:
        moved = _fetch_data(data, list(dict.fromkeys(shared.values())), report)
        runs = fetch_runs(data)
        if moved.files or runs:
            report.tell(
                f"data: {count(moved.files, 'file')} and {count(runs, 'run')} of the run cache from {data.place}"
            )
        complete = _complete(data, moved, shared, report)
        if WORK_TREE in moved.unread:
            raise UserError(
                f"{root}: dvc.lock, dvc.yaml or a .dvc file here cannot be read, so the work tree stays as it is. After a merge "
                "that conflicts, `seedbed resolve` settles them; `dvc status` names the file. Then `make pull` again."
            )
        if changed := data.checkout(allow_missing=not complete):
            report.tell(f"work tree: {', '.join(changed)}")
    if not report.told and not report.problems:
        report.tell("nothing to pull")
    return report


def _fetch_refs(
    root: Path, upstream: Upstream, theirs: dict[str, str], report: Report
) -> list[str]:
    """Fetch the branch's commits, and the tags and experiments that are not here; return the latter."""
    ours = local_refs(root)
    new = []
    for ref, commit in sorted(theirs.items()):
        if is_branch(ref) or ours.get(ref) == commit:
            continue
        if ref in ours:
            kind = "tag" if ref.startswith("refs/tags/") else "experiment"
            report.tell(
                f"{short(ref)}: {upstream.remote} has another {kind} of that name; the one here stays"
            )
        elif found := fault(ref):
            report.tell(f"left out: {found}")
        else:
            new.append(ref)
    specs = [f"{ref}:{ref}" for ref in new]
    # Of a reference whose commit is lost, Git still tells the name: ^{commit} has to find it.
    if upstream.branch in theirs and theirs[upstream.branch] != git(
        root, "rev-parse", "--verify", "--quiet", f"{upstream.tracking}^{{commit}}"
    ):
        specs.append(f"+{upstream.branch}:{upstream.tracking}")
    if specs:
        run_git(
            root,
            "fetch",
            "--quiet",
            "--no-tags",
            "--stdin",
            upstream.remote,
            given="\n".join(specs) + "\n",
        )
    return new


def _fast_forward(root: Path, upstream: Upstream, theirs: dict[str, str]) -> bool:
    """Bring the branch to the remote's commit, if it is ahead of ours; return whether it moved."""
    if upstream.branch not in theirs or upstream.local is None:
        return False
    target = theirs[upstream.branch]
    if git(root, "merge-base", "--is-ancestor", target, "HEAD") is not None:
        return False
    if git(root, "merge-base", "--is-ancestor", "HEAD", target) is None:
        raise UserError(_parted(root, upstream, target))
    try:
        run_git(root, "merge", "--ff-only", "--quiet", target)
    except UserError as error:
        raise UserError(
            f"{error} Commit your changes, or put them away with `git stash`; then `make pull` again."
        ) from error
    return True


def _parted(root: Path, upstream: Upstream, target: str) -> str:
    """Say how to bring the branch here and the one at the remote together."""
    assert upstream.branch is not None
    name, there = short(upstream.branch), f"{upstream.remote} {short(upstream.branch)}"
    told = f"{name} here and {name} at {upstream.remote} have both gone on, so neither follows from the other. "
    merge = f"`git pull --no-rebase {there}`"
    if tags := (git(root, "tag", "--merged", "HEAD", "--no-merged", target) or "").split():
        told += f"Merge with {merge}: a rebase would leave {', '.join(tags[:3])} on commits that {name} does not hold. "
    else:
        told += f"Put your commits on top with `git pull --rebase {there}`, or merge with {merge}. "
    return (
        f"{told}Where dvc.lock or params.yaml conflict: `seedbed resolve`. Then `make pull` again."
    )


def _fetch_data(data: Data, revisions: list[str], report: Report) -> Moved:
    """Fetch what the work tree and revisions name; what is damaged is told."""
    again = "Run `make push` on a machine that has good ones, or `dvc repro` and `make push` here."
    moved = move_whole(
        data, data.fetch, revisions, lambda told: report.problems.append(f"{told}. {again}")
    )
    if moved.broken:
        report.problems.append(
            f"{data.place}: {count(len(moved.broken), 'object')} arrived damaged twice and not used "
            f"({', '.join(sorted(moved.broken)[:3])}), though it is whole there. Look at the disk of this machine and at the "
            "network, then `make pull` again."
        )
    return moved


def _complete(data: Data, moved: Moved, shared: dict[str, str], report: Report) -> bool:
    """Say in the report what the remote lacks; return whether the work tree has all it needs."""
    for ref, commit in shared.items():
        if commit in moved.unread:
            report.tell(
                f"{short(ref)}: its dvc.lock, dvc.yaml or a .dvc file cannot be read, so no data of it were fetched"
            )
    if not moved.missing:
        return not report.problems
    here = data.fetch([]).missing
    if here and not report.problems:
        report.problems.append(
            f"{data.place} lacks {count(len(here), 'object')} that dvc.lock or a .dvc file names ({', '.join(sorted(here)[:3])}). "
            "Run `make push` on the machine that made them, or `dvc repro` here."
        )
    for ref, commit in shared.items():
        if data.fetch([commit]).missing - here:
            report.tell(
                f"{short(ref)}: {data.place} lacks its data; `make push` on the machine that made it sends them"
            )
    return not here and not report.problems
