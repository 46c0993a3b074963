"""Sends what belongs together: data first, then the references that name them, so that none names data that is not there."""

import re
from collections.abc import Collection, Iterator
from contextlib import chdir
from functools import partial
from pathlib import Path

from seedbed.config.repository import git
from seedbed.errors import UserError
from seedbed.remotes.data import Data
from seedbed.remotes.objects import restore
from seedbed.remotes.opening import beside_imports
from seedbed.remotes.refs import (
    REGISTRY,
    Upstream,
    call_git,
    describe,
    fault,
    find_upstream,
    is_branch,
    local_refs,
    remote_refs,
    run_git,
    short,
)
from seedbed.remotes.refusals import Refusal, refused, unreadable, waiting, without_data
from seedbed.remotes.remote_damage import move_whole
from seedbed.remotes.report import Report, count
from seedbed.remotes.run_cache import push_runs

AT_ONCE = 3
"""Tags of the registry in one `git push`: GitHub starts nothing for tags of which more come at once."""
MOST_SAID = 500
"""Letters of what a server said that are passed on."""
ANSWER = re.compile(r"^(.)\t[^\t]*:([^\t]+)\t(?:.*\((.+)\))?", re.MULTILINE)
"""What `git push --porcelain` says of a reference: a sign, where it was to go, and why it did not."""


def push(root: Path) -> Report:
    """Send branch, tags, experiments, the data that they name, and the run cache.

    Raises
    ------
    UserError
        If a remote fails, none is set up, or a name cannot be shared. The same call again goes on from there.
    """
    upstream = find_upstream(root)
    refs = _ours(root, upstream)
    report = Report()
    # Before data move, so that a wrong address is told first. A push that ends meanwhile is no harm: what it sent goes again.
    there = beside_imports(partial(remote_refs, root, upstream.remote))
    with chdir(root), Data(root) as data:
        going = _going(root, upstream, refs, there, report)
        problems = _push_data(data, refs, report)
    for group in _in_turn(going):
        stay = problems.keys()
        problems |= {
            ref: waiting(upstream, ref)
            for ref in group
            if ref not in stay and _waits(root, upstream, ref, stay)
        }
        ready = {ref: commit for ref, commit in group.items() if ref not in problems}
        for found in _push_refs(root, upstream, ready, report):
            problems[found.ref] = refused(upstream, found, _target(found.ref, upstream) in there)
    report.problems += problems.values()
    if not report.told and not report.problems:
        report.tell("nothing to push")
    uncommitted = (
        git(root, "diff", "--name-only", "HEAD", "--", "dvc.lock", "dvc.yaml", "*.dvc") or ""
    ).split("\n")
    if any(uncommitted):
        names = ", ".join(uncommitted)
        report.tell(
            f"{names}: changed since the last commit; the data that it names goes along once it is committed"
        )
    return report


def _ours(root: Path, upstream: Upstream) -> dict[str, str]:
    """Return all that is shared, with what each reference points to."""
    if upstream.local is None:
        raise UserError(
            f"{root}: HEAD is detached, so there is no branch to push. Run `git switch <branch>`; "
            "if a killed experiment left it so, `seedbed doctor --mend`."
        )
    head = git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    if head is None:
        raise UserError(f"{root}: there is no commit yet. Run `git add -A && git commit`.")
    return {upstream.local: head, **local_refs(root)}


def _target(ref: str, upstream: Upstream) -> str:
    return upstream.branch if ref == upstream.local and upstream.branch else ref


def _going(
    root: Path, upstream: Upstream, refs: dict[str, str], there: dict[str, str], report: Report
) -> dict[str, str]:
    """Return the references that are new or others than at the remote; a branch that is only behind is told."""
    going = {
        ref: commit for ref, commit in refs.items() if there.get(_target(ref, upstream)) != commit
    }
    if faults := [found for ref in sorted(going) if not is_branch(ref) and (found := fault(ref))]:
        raise UserError(f"{root}: {'; '.join(faults)}. Nothing was pushed.")
    assert upstream.local is not None
    nothing_new = git(root, "merge-base", "--is-ancestor", "HEAD", upstream.tracking) is not None
    if upstream.local in going and upstream.branch in there and nothing_new:
        del going[upstream.local]
        report.tell(
            f"{short(upstream.branch)}: {upstream.remote} has commits that are not here; `make pull` fetches them"
        )
    return going


def _push_data(data: Data, refs: dict[str, str], report: Report) -> dict[str, str]:
    """Send data and run cache; return the references whose data could not all be sent, and why."""
    revisions = list(dict.fromkeys(refs.values()))
    moved = move_whole(
        data,
        data.push,
        revisions,
        lambda line: report.tell(f"{line}; what is good here is sent again"),
    )
    if moved.missing and restore(data.repo, moved.missing):
        files, moved = moved.files, data.push(revisions)
        moved.files += files
    runs = push_runs(data)
    if moved.files or runs:
        report.tell(
            f"data: {count(moved.files, 'file')} and {count(runs, 'run')} of the run cache to {data.place}"
        )
    problems = {ref: unreadable(ref) for ref, commit in refs.items() if commit in moved.unread}
    if moved.missing:
        lost = {
            commit: data.push([commit]).missing
            for commit in revisions
            if commit not in moved.unread
        }
        problems |= {
            ref: without_data(ref, lost[commit]) for ref, commit in refs.items() if lost.get(commit)
        }
    return problems


def _in_turn(going: dict[str, str]) -> Iterator[dict[str, str]]:
    """Yield what goes in one `git push`: the branch and experiments, the tags, and then those that start something."""
    tags = [ref for ref in going if ref.startswith("refs/tags/")]
    registry = [ref for ref in tags if REGISTRY.fullmatch(ref)]
    registry.sort(key=lambda ref: "#" in ref)  # a stage is given to a version that is there
    groups = [
        [ref for ref in going if ref not in tags],
        [ref for ref in tags if ref not in registry],
        *(registry[start : start + AT_ONCE] for start in range(0, len(registry), AT_ONCE)),
    ]
    for group in groups:
        yield {ref: going[ref] for ref in group}


def _waits(root: Path, upstream: Upstream, ref: str, stay: Collection[str]) -> bool:
    """Say whether a tag is of a commit that the remote would hold through a branch that stays here alone."""
    if upstream.local not in stay or not ref.startswith("refs/tags/"):
        return False
    is_on_branch = git(root, "merge-base", "--is-ancestor", ref, "HEAD") is not None
    return is_on_branch and bool(
        git(root, "rev-list", "--max-count=1", ref, "--not", f"--remotes={upstream.remote}")
    )


def _push_refs(
    root: Path, upstream: Upstream, group: dict[str, str], report: Report
) -> list[Refusal]:
    """Push references in one call, each by the commit whose data were sent; tell what went, return what was refused."""
    if not group:
        return []
    specs = {
        _target(ref, upstream): f"{commit}:{_target(ref, upstream)}"
        for ref, commit in group.items()
    }
    done = call_git(root, "push", "--porcelain", upstream.remote, *specs.values(), accept=(0, 1))
    answers = {found[2]: (found[1], found[3]) for found in ANSWER.finditer(done.stdout)}
    if not answers:
        raise UserError(
            f"{root}: `git push` moved nothing, and said nothing of why. Run `git push {upstream.remote} HEAD` to see."
        )
    said = " ".join(
        line.removeprefix("remote:").strip()
        for line in done.stderr.splitlines()
        if line.startswith("remote:")
    )
    refusals = []
    for ref in group:
        sign, reason = answers.get(_target(ref, upstream), ("!", None))
        if sign == "!":
            refusals.append(
                Refusal(ref, reason or "no reason given", " ".join(said.split())[:MOST_SAID])
            )
    sent = group.keys() - {found.ref for found in refusals}
    if sent:
        report.tell(f"git: {describe(sent)} to {upstream.remote}")
    if upstream.local in sent and not upstream.is_set:
        branch = short(upstream.local)
        run_git(root, "config", f"branch.{branch}.remote", upstream.remote)
        run_git(root, "config", f"branch.{branch}.merge", _target(upstream.local, upstream))
    return refusals
