"""Sends what belongs together: data first, then all references at once, so that none names data that is not there."""

import re
from contextlib import chdir
from pathlib import Path

from seedbed.config.repository import git
from seedbed.errors import UserError
from seedbed.sharing.data import Data
from seedbed.sharing.objects import restore
from seedbed.sharing.refs import (
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
from seedbed.sharing.report import Report, count
from seedbed.sharing.run_cache import push_runs

SHOWN = 5


def push(root: Path) -> Report:
    """Send branch, tags, experiments, the data that they name, and the run cache.

    Raises
    ------
    UserError
        If a remote fails, none is set up, or a name cannot be shared. The same call again goes on from there.
    """
    upstream = find_upstream(root)
    refs = _to_send(root, upstream)
    report = Report()
    with chdir(root), Data(root) as data:
        there = remote_refs(root, upstream.remote)  # before data move: an address that is wrong is known at once
        moved = data.push(_revisions(refs))
        if moved.missing and restore(data.repo, moved.missing):
            files, moved = moved.files, data.push(_revisions(refs))
            moved.files += files
        held_back = _without_data(data, refs) if moved.missing else {}
        runs = push_runs(data)
        if moved.files or runs:
            report.lines.append(
                f"data: {count(moved.files, 'file')} and {count(runs, 'run')} of the run cache to {data.place}"
            )
    going = {_target(ref, upstream): ref for ref, commit in refs.items() if there.get(_target(ref, upstream)) != commit}
    going = {target: ref for target, ref in going.items() if ref not in held_back}
    if going:
        sent, refused = _push_refs(root, upstream, going)
        if sent:
            report.lines.append(f"git: {describe(sent)} to {upstream.remote}")
        report.problems += [_refusal(root, upstream, ref, there) for ref in refused]
    for ref, missing in held_back.items():
        report.problems.append(_held_back(ref, missing))
    if not report.lines and not report.problems:
        report.lines.append("nothing to push")
    uncommitted = (git(root, "diff", "--name-only", "HEAD", "--", "dvc.lock", "dvc.yaml", "*.dvc") or "").split("\n")
    if any(uncommitted):
        names = ", ".join(uncommitted)
        report.lines.append(
            f"{names}: changed since the last commit; the data that it names goes along once it is committed"
        )
    return report


def _to_send(root: Path, upstream: Upstream) -> dict[str, str]:
    """Return all that is shared, with what each reference points to."""
    if upstream.local is None:
        raise UserError(
            f"{root}: HEAD is detached, so there is no branch to push. Run `git switch <branch>`; "
            "if a killed experiment left it so, `seedbed doctor --mend`."
        )
    head = git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    if head is None:
        raise UserError(f"{root}: there is no commit yet. Run `git add -A && git commit`.")
    refs = {ref: commit for ref, commit in local_refs(root).items() if not is_branch(ref)}
    if faults := [found for found in map(fault, sorted(refs)) if found]:
        raise UserError(f"{root}: {'; '.join(faults)}. Nothing was pushed.")
    return {upstream.local: head, **refs}


def _revisions(refs: dict[str, str]) -> list[str]:
    """Return each commit once."""
    return list(dict.fromkeys(refs.values()))


def _target(ref: str, upstream: Upstream) -> str:
    return upstream.branch if ref == upstream.local and upstream.branch else ref


def _without_data(data: Data, refs: dict[str, str]) -> dict[str, set[str]]:
    """Return the references that name data which is neither here nor at the remote."""
    missing = {commit: data.push([commit]).missing for commit in _revisions(refs)}
    return {ref: missing[commit] for ref, commit in refs.items() if missing[commit]}


def _push_refs(root: Path, upstream: Upstream, going: dict[str, str]) -> tuple[list[str], list[str]]:
    """Push all references in one call; return those that went and those that were refused."""
    options = ["--porcelain", *(["--set-upstream"] if not upstream.is_set and upstream.local in going.values() else [])]
    specs = [f"{ref}:{target}" for target, ref in going.items()]
    said = run_git(root, "push", *options, upstream.remote, *specs, accept=(0, 1))
    states = {found[2]: found[1] for found in re.finditer(r"^([ +*=!-])\t([^\t:]+):", said, re.MULTILINE)}
    if not states:
        raise UserError(
            f"{root}: `git push` moved nothing, and said nothing of why. Run `git push {upstream.remote} HEAD` to see."
        )
    refused = [ref for ref in going.values() if states.get(ref, "!") == "!"]
    return [ref for ref in going.values() if ref not in refused], refused


def _refusal(root: Path, upstream: Upstream, ref: str, there: dict[str, str]) -> str:
    """Say why the remote did not take a reference, and the way out."""
    name = short(ref)
    if is_branch(ref):
        return (
            f"{upstream.remote} has commits on {name} that are not here. Run `make pull`: it says how to bring the two together. "
            "Then `make push` again. The data are there already."
        )
    if ref not in there:
        return (
            f"{upstream.remote} refused {name}. Its owner may not let you write there: "
            f"`git push {upstream.remote} {ref}` says more."
        )
    if ref.startswith("refs/tags/"):
        return (
            f"{upstream.remote} has another tag {name}. Keep both: `git tag <name> {name} && git tag -d {name}`, then "
            "`make pull`."
        )
    return (
        f"{upstream.remote} has another experiment {name}. Keep both: `dvc exp rename {name} <name>`, then `make push`."
    )


def _held_back(ref: str, missing: set[str]) -> str:
    names = ", ".join(sorted(missing)[:SHOWN])
    way = "`dvc repro`, then `make push`" if is_branch(ref) else f"`dvc exp remove {short(ref)}` gives it up"
    if ref.startswith("refs/tags/"):
        way = f"`git checkout {short(ref)} && dvc repro` computes them again"
    return f"{short(ref)} stays here: data that it names are neither in the cache nor at the remote ({names}). {way}."
