"""Says what is out of step in a checkout, without running the graph: the committed locks against their sources."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from seedbed.config.compose import OVERRIDES, read_overrides
from seedbed.config.conf_hash import conf_hash
from seedbed.config.fingerprints import CODE, compute_fingerprints
from seedbed.config.params import PARAMS, check_params
from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError

LOCK = "requirements.lock"
LOCK_OF_ALL = "requirements-all.lock"
NOT_CHECKED_OUT = ("deleted", "not in cache")


def find_disagreements(root: Path) -> list[str]:
    """Return a sentence for each thing that is not in step, an empty list if all are."""
    return [*_params(root), *_code(root), *_dvc_lock(root), *_requirements(root)]


def _params(root: Path) -> list[str]:
    if not (root / PARAMS).exists():
        return [f"{PARAMS} is missing: run `dvc repro compose`."]
    params = load_yaml(root / PARAMS)
    now = conf_hash(root)
    if params.get("conf_hash") != now:
        return [
            f"{PARAMS} has conf_hash {params.get('conf_hash')} and conf/ has {now}: run `dvc repro`."
        ]
    try:
        check_params(params, root)
    except UserError as error:
        return [str(error)]
    recorded = read_overrides(root)
    if recorded is None or recorded.conf_hash != now:
        return [f"{OVERRIDES} does not belong to {PARAMS}: run `dvc repro compose`."]
    return []


def _code(root: Path) -> list[str]:
    return [
        f"{CODE}: stage {name} runs other code ({', '.join(changed)}): run `dvc repro`."
        for name, changed in compute_fingerprints(root).changes(root / CODE).items()
    ]


def _dvc_lock(root: Path) -> list[str]:
    """Compare dvc.lock with the work tree. Outputs that are not checked out are not a disagreement."""
    from dvc.lock import LockError
    from dvc.repo import Repo

    try:
        with Repo(str(root)) as repo:
            status = repo.status()
    except LockError:
        return [
            "dvc.lock: DVC is at work in this repository, so nobody can tell yet. Try again when it has ended; if nothing runs, "
            "`seedbed doctor` says what a killed run left behind."
        ]
    found = []
    for stage, changes in status.items():
        for change in changes:
            if not isinstance(change, dict):
                found.append(
                    f"dvc.lock: stage {stage}: {change}. Run `dvc repro` and commit dvc.lock."
                )
                continue
            for kind, entries in change.items():
                differing = {
                    path: state for path, state in entries.items() if state not in NOT_CHECKED_OUT
                }
                if differing:
                    told = ", ".join(
                        f"{path} ({_in_words(state)})" for path, state in sorted(differing.items())
                    )
                    found.append(
                        f"dvc.lock: stage {stage}: {kind}: {told}. Run `dvc repro` and commit dvc.lock."
                    )
    return found


def _in_words(state: str | dict[str, str]) -> str:
    """Return DVC's word for a path, or, for params.yaml, its words for keys."""
    return (
        state
        if isinstance(state, str)
        else ", ".join(f"{key} {word}" for key, word in sorted(state.items()))
    )


def _requirements(root: Path) -> list[str]:
    """Compare both locks with pyproject.toml: every requirement met, none left over."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = {LOCK: [*project["dependencies"], *extras["dev"]]}
    wanted[LOCK_OF_ALL] = [
        *project["dependencies"],
        *(text for extra in extras.values() for text in extra),
    ]
    return [
        sentence
        for lock, texts in wanted.items()
        for sentence in _lock(root / lock, project["name"], [Requirement(text) for text in texts])
    ]


def _lock(path: Path, project: str, wanted: list[Requirement]) -> list[str]:
    if not path.exists():
        return [f"{path.name} is missing: run `make lock`."]
    locked: dict[str, list[str]] = {}
    direct = set()
    for entry in re.split(
        r"^(?=[a-zA-Z0-9])", path.read_text(encoding="utf-8"), flags=re.MULTILINE
    ):
        pinned = re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*])?==([^ ;\\]+)", entry)
        if pinned:
            name = canonicalize_name(pinned[1])
            locked.setdefault(name, []).append(pinned[2])
            if f"{project} (pyproject.toml)" in entry:
                direct.add(name)
    found = []
    for requirement in wanted:
        versions = locked.get(canonicalize_name(requirement.name), [])
        if not versions or not all(
            requirement.specifier.contains(version, prereleases=True) for version in versions
        ):
            found.append(
                f"{path.name}: pyproject.toml wants {requirement}, locked is {', '.join(versions) or 'nothing'}: run `make lock`."
            )
    for name in sorted(direct - {canonicalize_name(requirement.name) for requirement in wanted}):
        found.append(
            f"{path.name}: {name} is locked for pyproject.toml, which does not name it any more: run `make lock`."
        )
    return found
