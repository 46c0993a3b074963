"""Push and pull: data before the references that name them, in both directions."""

import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from seedbed.config.repository import git
from seedbed.errors import UserError, one_line, some_of
from seedbed.remotes.data import open_data

EXPERIMENT = re.compile(r"refs/exps/[0-9a-f]{2}/[0-9a-f]{38}/(.+)")
ANSWER = re.compile(r"^(.)\t[^\t]*:([^\t]+)\t(?:.*?\((.+)\)$)?", re.MULTILINE)
"""What `git push --porcelain` prints of a reference: a sign, its name, and why it was refused."""
AT_ONCE = 3
"""Tags in one `git push`: GitHub starts no workflow for tags if more come at once."""
UNREACHED = (
    "Nothing is lost: run the same command again. If the Git remote cannot be reached, check `git "
    "remote -v`, the network and your rights there; if no Git runs, remove a lock that it names."
)


class Upstream(NamedTuple):
    """Where the current branch goes: the Git remote, the branch here and the branch there."""

    remote: str
    local: str
    branch: str


def push(root: Path, everything: bool = False) -> None:
    """Send branch, tags, experiments, the data that they name, and the run cache.

    Parameters
    ----------
    root : Path
        Of the repository.
    everything : bool
        Whether to look for each file of all tags and experiments, as after damage at the remote.

    Raises
    ------
    UserError
        If a remote fails or refuses a reference. The same call again goes on from there.
    """
    upstream = find_upstream(root)
    refs = {upstream.branch: run_git(root, "rev-parse", "HEAD").strip(), **_refs_here(root)}
    there = _refs_there(root, upstream)
    new = {ref: commit for ref, commit in refs.items() if there.get(ref) != commit}
    looked_at = refs if everything else {upstream.branch: refs[upstream.branch], **new}
    with open_data(root) as data:
        files, runs = data.push(looked_at, everything)
    if files or runs:
        print(f"data: {files} file(s) and {runs} run(s) to {data.place}", flush=True)
    tags = [ref for ref in new if ref.startswith("refs/tags/")]
    versions = sorted([ref for ref in tags if re.search("[@#]", ref)], key=lambda ref: "#" in ref)
    # Tags after the branch: a release would start from commits that are not there yet.
    groups = [[ref for ref in new if ref not in tags], [ref for ref in tags if ref not in versions]]
    groups += [versions[start : start + AT_ONCE] for start in range(0, len(versions), AT_ONCE)]
    for group in groups:
        _push_refs(root, upstream, {ref: new[ref] for ref in group})
    changed = git(root, "diff", "--name-only", "HEAD", "--", "dvc.lock", "dvc.yaml", "*.dvc")
    if changed:
        print(f"not committed, so its data were not sent: {', '.join(changed.splitlines())}")
    if not (files or runs or new):
        print("nothing to push")


def pull(root: Path, everything: bool = False) -> None:
    """Fetch the branch (fast-forward only), tags, experiments, their data and the run cache.

    A tag or an experiment gets its name here when all its data are here.

    Parameters
    ----------
    root : Path
        Of the repository.
    everything : bool
        Whether to fetch also data of tags and experiments that are here already.

    Raises
    ------
    UserError
        If a remote fails, branches have diverged, or work would be overwritten. The same call again
        goes on from there.
    """
    upstream = find_upstream(root)
    there, here = _refs_there(root, upstream), _refs_here(root)
    tip = there.pop(upstream.branch, None)
    new = {ref: commit for ref, commit in there.items() if ref not in here}
    for ref in there:
        if there[ref] != here.get(ref, there[ref]):
            print(f"{short(ref)}: {upstream.remote} has another one of that name; yours stays")
    tracking = f"refs/remotes/{upstream.remote}/{short(upstream.branch)}"
    wanted = [*new, *([f"+{upstream.branch}:{tracking}"] if tip else [])]
    if wanted:
        specs = "\n".join(wanted) + "\n"
        run_git(root, "fetch", "--quiet", "--no-tags", "--stdin", upstream.remote, given=specs)
    moved = [upstream.branch] if tip and _fast_forward(root, upstream, tip) else []
    commits = {commit for ref, commit in there.items() if everything or ref in new}
    with open_data(root) as data:
        files, runs = data.fetch(sorted(commits))
        if files or runs:
            print(f"data: {files} file(s) and {runs} run(s) from {data.place}", flush=True)
        created = "".join(f"create {ref} {commit}\n" for ref, commit in new.items())
        run_git(root, "update-ref", "--stdin", given=created)
        if moved or new:
            print(f"git: {describe([*moved, *new])} from {upstream.remote}", flush=True)
        changed = data.checkout()
    if changed:
        print(f"work tree: {', '.join(changed)}")
    if not (moved or new or files or runs or changed):
        print("nothing to pull")


def find_upstream(root: Path) -> Upstream:
    """Return the upstream of the current branch; the Git remote is `origin` if none is set.

    Raises
    ------
    UserError
        If there is none, or HEAD is detached.
    """
    local = git(root, "symbolic-ref", "--quiet", "HEAD")
    if local is None:
        raise UserError(
            f"{root}: HEAD is detached, so there is no branch to push or pull. Run `git switch "
            "<branch>`; if a killed experiment left it so, `seedbed doctor --mend`."
        )
    remote = git(root, "config", f"branch.{short(local)}.remote") or "origin"
    if git(root, "remote", "get-url", remote) is None:
        raise UserError(
            f"{root}: Git has no remote {remote}, so branches and experiments have nowhere to go. "
            f"Run `git remote add {remote} <address>`, or once `git push -u <remote> HEAD`."
        )
    branch = git(root, "config", f"branch.{short(local)}.merge") or local
    return Upstream(remote, local, branch)


def _refs_here(root: Path) -> dict[str, str]:
    return _shared(run_git(root, "for-each-ref", "--format=%(objectname)%09%(refname)"))


def _refs_there(root: Path, upstream: Upstream) -> dict[str, str]:
    return _shared(run_git(root, "ls-remote", "--refs", upstream.remote), upstream.branch)


def _shared(listed: str, branch: str = "") -> dict[str, str]:
    """Return the branch, tags and experiments that Git lists, and what each points to."""
    pairs = (line.split("\t", 1) for line in listed.splitlines())
    is_shared = re.compile(f"{re.escape(branch)}|refs/tags/.*|{EXPERIMENT.pattern}").fullmatch
    return {ref: commit for commit, ref in pairs if is_shared(ref)}


def short(ref: str) -> str:
    """Return the name by which a person knows a reference."""
    found = EXPERIMENT.fullmatch(ref)
    return found[1] if found else re.sub(r"^refs/(heads|tags)/", "", ref)


def describe(refs: list[str]) -> str:
    """Return the names of references, each kind by itself: `main, tags v1, experiments linear`."""
    kinds = {"refs/heads/": "", "refs/tags/": "tags ", "refs/exps/": "experiments "}
    named = {word: [short(ref) for ref in refs if ref.startswith(k)] for k, word in kinds.items()}
    return ", ".join(word + some_of(names, 5) for word, names in named.items() if names)


def _push_refs(root: Path, upstream: Upstream, refs: dict[str, str]) -> None:
    """Push references by the very commits whose data were sent."""
    if not refs:
        return
    specs = [f"{commit}:{ref}" for ref, commit in refs.items()]
    printed = run_git(root, "push", "--porcelain", upstream.remote, *specs, accept=(0, 1))
    answers = {ref: reason if sign == "!" else "" for sign, ref, reason in ANSWER.findall(printed)}
    rejected = {ref: answers.get(ref, "no answer") for ref in refs if answers.get(ref, "-")}
    if sent := [ref for ref in refs if ref not in rejected]:
        print(f"git: {describe(sent)} to {upstream.remote}", flush=True)
    if upstream.branch in sent:
        there = f"{upstream.remote}/{short(upstream.branch)}"
        git(root, "branch", "--quiet", f"--set-upstream-to={there}", short(upstream.local))
    if rejected:
        printed = " ".join(re.findall(r"^remote: *(.+)$", printed, re.MULTILINE))
        reasons = [_explain(upstream, *item, printed) for item in rejected.items()]
        raise UserError("\n\n".join(reasons))


def _explain(upstream: Upstream, ref: str, reason: str, printed: str) -> str:
    name = short(ref)
    if reason not in ("already exists", "fetch first", "non-fast-forward"):
        way = f"It reports: {one_line(printed)[:500]}. Ask the people who run it."
    elif ref == upstream.branch:
        way = "It has commits that are not here. Run `make pull`, which says how to go on."
    elif ref.startswith("refs/tags/"):
        way = f"It has another one of that name. Remove yours (`git tag -d '{name}'`) and "
        way += "`make pull`; for a champion, `seedbed promote` then takes the next number."
    else:
        way = f"It has another one of that name. Keep both: `dvc exp rename {name} <name>`."
    refused = f"{upstream.remote} refused {name} ({reason})"
    return f"{refused}. {way} Then `make push` again: the data are there already."


def _fast_forward(root: Path, upstream: Upstream, tip: str) -> bool:
    """Bring the branch to the remote's commit if that is ahead; return whether it moved."""
    if git(root, "merge-base", "--is-ancestor", tip, "HEAD") is not None:
        return False
    there = f"{upstream.remote} {short(upstream.branch)}"
    way = "Commit your changes or `git stash` them, then `make pull` again."
    if git(root, "merge-base", "--is-ancestor", "HEAD", tip) is None:
        way = (
            f"You and {there} both have new commits: merge with `git pull --no-rebase {there}` (or "
            "--rebase, where no tag is on yours). `seedbed resolve` settles dvc.lock and "
            "params.yaml. Then `make pull` again."
        )
    run_git(root, "merge", "--ff-only", "--quiet", tip, way=way)
    return True


def run_git(
    root: Path, *words: str, given: str = "", accept: tuple[int, ...] = (0,), way: str = UNREACHED
) -> str:
    """Return what a Git command prints, errors too if its exit code is accepted and not 0.

    Raises
    ------
    UserError
        If the exit code is not accepted, with what Git reported and the way out.
    """
    done = subprocess.run(
        ["git", *words],
        cwd=root,
        input=given,
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode not in accept:
        said = one_line(done.stderr)[:500]
        raise UserError(f"{root}: `git {words[0]}` failed: {said}. {way}")
    return done.stdout + (done.stderr if done.returncode else "")
