"""Why a reference stays here, in one paragraph with the way out."""

from dataclasses import dataclass

from seedbed.remotes.refs import REGISTRY, Upstream, is_branch, short

SHOWN = 5
FOLLOWS_NOT = {"fetch first", "non-fast-forward"}
"""How Git says that a branch there has commits that the one here lacks."""


@dataclass(frozen=True)
class Refusal:
    """A reference that the remote did not take: `reason` is Git's word for why, `said` what the server's side printed."""

    ref: str
    reason: str
    said: str


def refused(upstream: Upstream, refusal: Refusal, is_there: bool) -> str:
    """Say why a remote took no reference; `is_there` if it has another of that name."""
    ref, remote, name = refusal.ref, upstream.remote, short(refusal.ref)
    if is_branch(ref) and refusal.reason in FOLLOWS_NOT:
        return (
            f"{remote} has commits on {name} that are not here. Run `make pull`: it says how to bring the two together. "
            "Then `make push` again. The data are there already."
        )
    if is_branch(ref) or not is_there:
        said = f" It said: {refusal.said.rstrip('.')}." if refusal.said else ""
        return (
            f"{remote} refused {name} ({refusal.reason}).{said} That is for {remote} to change: a rule for {name}, your "
            "rights, or room. The data are there already; then `make push` again."
        )
    if REGISTRY.fullmatch(ref):
        return (
            f"{remote} has another {name}: somebody else has promoted, too. Take yours back (`git tag -d '{name}'`), `make pull`, "
            "and if your champion is to be in use, `seedbed promote` gives it the next number."
        )
    if ref.startswith("refs/tags/"):
        return f"{remote} has another tag {name}. Keep both: `git tag <name> {name} && git tag -d {name}`, then `make pull`."
    return f"{remote} has another experiment {name}. Keep both: `dvc exp rename {name} <name>`, then `make push`."


def waiting(upstream: Upstream, ref: str) -> str:
    """Say that a tag waits for the branch: a release would start from a commit that the branch may never hold."""
    assert upstream.branch is not None
    return f"{short(ref)} waits here until {upstream.remote} has the commits of {short(upstream.branch)} up to it."


def without_data(ref: str, missing: set[str]) -> str:
    """Say which data a reference names that are nowhere."""
    names = ", ".join(sorted(missing)[:SHOWN])
    way = (
        "`dvc repro`, then `make push`"
        if is_branch(ref)
        else f"`dvc exp remove {short(ref)}` gives it up"
    )
    if ref.startswith("refs/tags/"):
        way = f"`git checkout {short(ref)} && dvc repro` computes them again"
    return f"{short(ref)} stays here: data that it names are neither in the cache nor at the remote ({names}). {way}."


def unreadable(ref: str) -> str:
    """Say that nobody can tell which data a reference names."""
    way = "`seedbed resolve` says how to settle it; commit, then `make push`"
    if not is_branch(ref):
        way = f"`git show '{short(ref)}:dvc.lock'` shows it; a name that nobody needs goes with "
        way += (
            f"`git tag -d {short(ref)}`"
            if ref.startswith("refs/tags/")
            else f"`dvc exp remove {short(ref)}`"
        )
    return f"{short(ref)} stays here: its dvc.lock, dvc.yaml or a .dvc file cannot be read, so its data are not known. {way}."
