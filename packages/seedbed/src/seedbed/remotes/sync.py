"""Push and pull: data before the references that name them, in both directions."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from seedbed.config.repository import git, run_git
from seedbed.errors import UserError, one_line, some_of
from seedbed.remotes.data import open_data
from seedbed.remotes.failures import find_remedy, without_login

EXPERIMENT = re.compile(r"refs/exps/[0-9a-f]{2}/[0-9a-f]{38}/(.+)")
TAGS_AT_ONCE = 3
"""Tags in one `git push`: GitHub starts no workflow for tags if more come at once."""
REMEDIES = {
    r"-> refs/exps/\S+ \((fetch first|non-fast-forward)": "The Git remote has another experiment "
    "of that name. Keep both: `dvc exp rename <name> <new name>`, then `make push` again.",
    r"-> \S+ \((fetch first|non-fast-forward)": "The Git remote has commits that are not here. "
    "Run `make pull`, which says how to go on, then `make push` again.",
    r"-> \S+ \(already exists": "The Git remote has another tag of that name. Remove yours (`git "
    "tag -d <name>`) and `make pull`; `seedbed promote` then gives a champion the next number.",
    "declined|remote rejected": "Ask the people who run the Git remote, then `make push` again.",
    "Not possible to fast-forward": "You and the Git remote both have new "
    "commits: merge with `git pull --no-rebase` (or --rebase, where no tag is on yours). `seedbed "
    "resolve` settles dvc.lock and params.yaml. Then `make pull` again.",
    "would be overwritten|uncommitted changes": "Commit your changes or `git stash` them, then "
    "`make pull` again.",
    r"\.lock'": "If no Git is running, remove that lock. Then run the same command again.",
}
"""A pattern in what Git reports, and what to do."""
UNKNOWN = (
    "Nothing is lost: run the same command again. If the Git remote cannot be reached, check "
    "`git remote -v`, the network and your rights there."
)


class Upstream(NamedTuple):
    """Where the current branch goes: the Git remote, and the branch there as a reference."""

    remote: str
    branch: str


def push(root: Path, everything: bool = False) -> None:
    """Send branch, tags, experiments, the data that they name, and the run cache.

    Parameters
    ----------
    root : Path
        Of the repository.
    everything : bool
        Whether to look for each file of all tags and experiments, as after damage at the remote.

    Raises UserError if a remote fails or refuses a reference. The same call again goes on from
    there.
    """
    upstream = find_upstream(root)
    refs = {upstream.branch: git_for_remote(root, "rev-parse", "HEAD").strip(), **_refs_here(root)}
    there = _refs_there(root, upstream)
    new = {ref: commit for ref, commit in refs.items() if there.get(ref) != commit}
    examined = refs if everything else {upstream.branch: refs[upstream.branch], **new}
    with open_data(root) as data:
        files, runs = data.push(examined, everything)
    if files or runs:
        print(f"data: {files} file(s) and {runs} run(s) to {data.place}", flush=True)
    for group in _in_order(new):
        specs = [f"{new[ref]}:{ref}" for ref in group]
        git_for_remote(root, "push", upstream.remote, *specs)
        print(f"git: {describe(group)} to {upstream.remote}", flush=True)
    git(root, "branch", "--quiet", f"--set-upstream-to={upstream.remote}/{short(upstream.branch)}")
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

    Raises UserError if a remote fails, branches have diverged, or work would be overwritten. The
    same call again goes on from there.
    """
    upstream = find_upstream(root)
    there, here = _refs_there(root, upstream), _refs_here(root)
    tip = there.pop(upstream.branch, None)
    new = {ref: commit for ref, commit in there.items() if ref not in here}
    for ref in there:
        if there[ref] != here.get(ref, there[ref]):
            print(f"{short(ref)}: {upstream.remote} has another one of that name; yours stays")
    tracking = f"refs/remotes/{upstream.remote}/{short(upstream.branch)}"
    if wanted := [*new, *([f"+{upstream.branch}:{tracking}"] if tip else [])]:
        words = ["fetch", "--quiet", "--no-tags", "--stdin", upstream.remote]
        git_for_remote(root, *words, given="\n".join(wanted) + "\n")
    moved = []
    if tip and git(root, "merge-base", "--is-ancestor", tip, "HEAD") is None:
        git_for_remote(root, "merge", "--ff-only", "--quiet", tip)
        moved = [upstream.branch]
    commits = {commit for ref, commit in there.items() if everything or ref in new}
    with open_data(root) as data:
        files, runs = data.fetch(sorted(commits))
        if files or runs:
            print(f"data: {files} file(s) and {runs} run(s) from {data.place}", flush=True)
        created = "".join(f"create {ref} {commit}\n" for ref, commit in new.items())
        git_for_remote(root, "update-ref", "--stdin", given=created)
        if moved or new:
            print(f"git: {describe([*moved, *new])} from {upstream.remote}", flush=True)
        changed = data.checkout()
    if changed:
        print(f"work tree: {', '.join(changed)}")
    if not (moved or new or files or runs or changed):
        print("nothing to pull")


def find_upstream(root: Path) -> Upstream:
    """Return the upstream of the current branch; the Git remote is `origin` if none is set.

    Raises UserError if there is none, or HEAD is detached.
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
    return Upstream(remote, git(root, "config", f"branch.{short(local)}.merge") or local)


def _refs_here(root: Path) -> dict[str, str]:
    return _shared(git_for_remote(root, "for-each-ref", "--format=%(objectname)%09%(refname)"))


def _refs_there(root: Path, upstream: Upstream) -> dict[str, str]:
    listed = git_for_remote(root, "ls-remote", "--refs", upstream.remote)
    return _shared(listed, upstream.branch)


def _shared(listed: str, branch: str = "") -> dict[str, str]:
    """Return the branch, tags and experiments that Git lists, and what each points to."""
    pairs = (line.split("\t", 1) for line in listed.splitlines())
    is_shared = re.compile(f"{re.escape(branch)}|refs/tags/.*|{EXPERIMENT.pattern}").fullmatch
    return {ref: commit for commit, ref in pairs if is_shared(ref)}


def _in_order(refs: Iterable[str]) -> list[list[str]]:
    """Return what to push at once, one after the other.

    Tags come after the branch: a release would start from commits that are not there yet. Of the
    registry's tags, versions come before their use.
    """
    tags = [ref for ref in refs if ref.startswith("refs/tags/")]
    registry = sorted((ref for ref in tags if re.search("[@#]", ref)), key=lambda ref: "#" in ref)
    groups = [
        [ref for ref in refs if ref not in tags],
        [ref for ref in tags if ref not in registry],
        *(
            registry[start : start + TAGS_AT_ONCE]
            for start in range(0, len(registry), TAGS_AT_ONCE)
        ),
    ]
    return [group for group in groups if group]


def short(ref: str) -> str:
    """Return the name by which a person knows a reference."""
    found = EXPERIMENT.fullmatch(ref)
    return found[1] if found else re.sub(r"^refs/(heads|tags)/", "", ref)


def describe(refs: list[str]) -> str:
    """Return the names of references, each kind by itself: `main, tags v1, experiments linear`."""
    kinds = {"refs/heads/": "", "refs/tags/": "tags ", "refs/exps/": "experiments "}
    named = {word: [short(ref) for ref in refs if ref.startswith(k)] for k, word in kinds.items()}
    return ", ".join(word + some_of(names, 5) for word, names in named.items() if names)


def git_for_remote(root: Path, *words: str, given: str = "") -> str:
    """Return what a Git command prints.

    Raises UserError if it fails, with what Git reported and the way out.
    """
    done = run_git(root, *words, given=given, environment={**os.environ, "LC_ALL": "C"})
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if not line.startswith(("hint:", "To "))]
        message = without_login(one_line(" ".join(lines)))
        _, remedy = find_remedy([message], REMEDIES) or ("", UNKNOWN)
        raise UserError(f"{root}: `git {words[0]}` failed: {message[:500]}. {remedy}")
    return done.stdout
