"""Says what is out of step in a checkout, without running the graph."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from seedbed.config.compose import check_composed
from seedbed.config.conf_hash import conf_hash
from seedbed.config.fingerprints import describe_stale, find_code
from seedbed.config.lock_file import Locked, read_lock
from seedbed.config.overrides import OVERRIDES, read_overrides
from seedbed.config.params import PARAMS
from seedbed.config.stage_params import CODE, find_wrong_params
from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError

NOT_CHECKED_OUT = ("deleted", "not in cache")


def find_disagreements(root: Path) -> list[str]:
    """Return a sentence for each thing that is not in step, an empty list if all are."""
    code = [f"{CODE}: {changed}: run `dvc repro`." for changed in changed_code(root)]
    return [*_params(root), *find_wrong_params(root), *code, *_dvc_lock(root), *_locks(root)]


def changed_code(root: Path) -> list[str]:
    """Return which stages run other code than code.yaml records, and which files differ."""
    return describe_stale(find_code(root), root / CODE)


def _params(root: Path) -> list[str]:
    if not (root / PARAMS).exists():
        return [f"{PARAMS} is missing: run `dvc repro compose`."]
    params, now = load_yaml(root / PARAMS), conf_hash(root)
    was = params.get("conf_hash")
    if was != now:
        return [f"{PARAMS} has conf_hash {was} and conf/ has {now}: run `dvc repro`."]
    try:
        check_composed(params, root)
    except UserError as error:
        return [str(error)]
    recorded = read_overrides(root)
    if recorded is None or recorded.conf_hash != now:
        return [f"{OVERRIDES} does not belong to {PARAMS}: run `dvc repro compose`."]
    return []


def _dvc_lock(root: Path) -> list[str]:
    """Compare dvc.lock with the work tree; outputs may be missing."""
    from dvc.lock import LockError
    from dvc.repo import Repo

    try:
        with Repo(str(root)) as repo:
            status = repo.status()
    except LockError:
        return [
            "dvc.lock: DVC is at work in this repository, so nobody can tell yet. Try again when "
            "it has ended; if nothing runs, `seedbed doctor` says what a killed run left behind."
        ]
    return [
        f"dvc.lock: stage {stage}: {change}. Run `dvc repro` and commit dvc.lock."
        for stage, changes in status.items()
        for change in _in_words(changes)
    ]


def _in_words(changes: list[Any]) -> Iterator[str]:
    """Yield a stage's changes, such as ``changed deps: params.yaml (seed modified)``."""
    for change in changes:
        if isinstance(change, str):
            yield change
            continue
        for kind, entries in change.items():
            states = {
                path: state
                if isinstance(state, str)
                else ", ".join(f"{key} {word}" for key, word in sorted(state.items()))
                for path, state in sorted(entries.items())
                if state not in NOT_CHECKED_OUT
            }
            if states:
                yield f"{kind}: {', '.join(f'{path} ({state})' for path, state in states.items())}"


def _locks(root: Path) -> Iterator[str]:
    """Compare both locks with each pyproject.toml: all requirements met, none left over.

    A copy of the repository has no pyproject.toml of seedbed: its wheel and its locks come
    together.
    """
    files = [root / "pyproject.toml", root / "packages/seedbed/pyproject.toml"]
    tables = [tomllib.loads(path.read_text(encoding="utf-8")) for path in files if path.is_file()]
    local = tables[0].get("tool", {}).get("uv", {}).get("sources", {})
    for lock, extras in {"requirements.lock": ["dev"], "requirements-all.lock": None}.items():
        if not (root / lock).exists():
            yield f"{lock} is missing: run `make lock`."
            continue
        locked = read_lock(root / lock)
        asked: dict[str, set[str]] = {}
        for place, table in enumerate(tables):
            project = table["project"]
            optional = project.get("optional-dependencies", {})
            names = asked.get(project["name"], set()) if place and extras else extras or optional
            chosen = [optional.get(extra, []) for extra in names]
            requirements = [Requirement(text) for text in sum(chosen, project["dependencies"])]
            for each in requirements:
                asked.setdefault(each.name, set()).update(each.extras)
            wanted = [each for each in requirements if each.name not in local]
            origin = project["name"] + ("" if place else " (pyproject.toml)")
            for problem in _compare(locked, origin, wanted):
                yield f"{lock}: {problem}: run `make lock`."


def _compare(locked: dict[str, Locked], origin: str, wanted: list[Requirement]) -> Iterator[str]:
    """Yield what a lock does not give to one pyproject.toml, or gives unasked."""
    for requirement in wanted:
        versions = locked.get(canonicalize_name(requirement.name), Locked([], [])).versions
        fits = all(requirement.specifier.contains(each, prereleases=True) for each in versions)
        if not versions or (requirement.url is None and not fits):
            found = ", ".join(versions) or "nothing"
            yield f"{origin} wants {requirement}, locked is {found}"
    names = {canonicalize_name(requirement.name) for requirement in wanted}
    for name, (_, via) in locked.items():
        if origin in via and name not in names:
            yield f"{name} is locked for {origin}, which does not name it any more"
