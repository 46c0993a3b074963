"""Where a bundle comes from: the commit that recorded it, and whether data, parameters, code and packages are its own.

A bundle cannot name its commit, which is made after it. It is found the other way round: by the hash of the folder,
in the dvc.lock and models/champion.dvc of all commits, those of experiments among them.
"""

import hashlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedbed.config.compose import OVERRIDES
from seedbed.config.params import PARAMS
from seedbed.config.repository import git, git_or_stop
from seedbed.errors import UserError
from seedbed.registry.content import bytes_hash, path_hash, tree_hash, unusable_objects
from seedbed.registry.locked import (
    Stages,
    broken_links,
    dependencies_of,
    differing_params,
    mapping_of,
    outputs_of,
    stages_behind,
    stages_of,
)
from seedbed.registry.promoting import BUNDLE
from seedbed.registry.versions import ARTIFACT, versions_with
from seedbed.serving.bundle import REQUIREMENTS, load_bundle
from seedbed.serving.recipe import OtherFormatError

LOCK = "dvc.lock"
RAW = "data/raw"
SOURCES = "data/"
"""Where a dependency that no stage makes is raw data, which need not be in Git."""
LONGEST_LIST = 5


@dataclass(frozen=True)
class Fact:
    """One sentence of a bundle's lineage; `genuine` is false where a hash is not what it should be."""

    name: str
    said: str
    genuine: bool = True


def trace(root: Path, bundle: Path) -> list[Fact]:
    """Return what made a bundle: commit or experiment, data, parameters, code, packages, each held against its hash.

    Raises
    ------
    UserError
        If there is no bundle in that folder.
    """
    if not (root / bundle).is_dir():
        raise UserError(
            f"{bundle}: there is no such folder. Run `dvc repro package`, or `dvc pull`."
        )
    digest = str(path_hash(root / bundle))
    facts = [Fact("bundle", f"{bundle}, {digest}"), _whole(root / bundle)]
    origin = find_origin(root, digest)
    if origin is None:
        return [*facts, Fact("commit", _unknown(root, bundle), genuine=False)]
    stages = stages_behind(stages_of(_read(root, origin, LOCK)), BUNDLE.as_posix())
    params = mapping_of(_read(root, origin, PARAMS))
    return [
        *facts,
        Fact("commit", _describe(root, origin)),
        *_versions(root, digest),
        _chain(stages),
        _data(root, stages, params.get("dataset", {})),
        _parameters(stages, params, _read(root, origin, OVERRIDES)),
        _code(root, origin, stages),
        _packages(root, origin, bundle),
    ]


def find_origin(root: Path, digest: str) -> str | None:
    """Return the oldest commit whose dvc.lock says that this folder was made as models/bundle; "" is the work tree's."""
    found = git_or_stop(
        root,
        "log",
        "--all",
        "--full-history",
        "--reverse",
        "--format=%H",
        f"-S{digest}",
        "--",
        LOCK,
    )
    for commit in found.splitlines():
        if _made(git(root, "show", f"{commit}:{LOCK}") or "", digest):
            return commit
    here = root / LOCK
    return "" if here.exists() and _made(here.read_text(encoding="utf-8"), digest) else None


def _made(lock: str, digest: str) -> bool:
    return bool(outputs_of(stages_of(lock)).get(BUNDLE.as_posix(), {}).get("md5") == digest)


def _whole(bundle: Path) -> Fact:
    try:
        load_bundle(bundle)
    except OtherFormatError as error:
        return Fact("files", f"not to be loaded by what is installed here: {error}")
    except UserError as error:
        return Fact("files", str(error), genuine=False)
    return Fact("files", "as they were packaged")


def _unknown(root: Path, bundle: Path) -> str:
    said = "no commit and no experiment of this repository recorded this folder: it was changed by hand, or made elsewhere"
    if expected := _recorded_files(root, bundle):
        present = {
            path.name: bytes_hash(path.read_bytes())
            for path in (root / bundle).iterdir()
            if path.is_file()
        }
        changed = sorted(
            name for name in expected.keys() | present if expected.get(name) != present.get(name)
        )
        said += f". Of what should be there, {', '.join(changed)} differ: `dvc checkout --force {bundle}` brings it back"
    return said


def _recorded_files(root: Path, bundle: Path) -> dict[str, str] | None:
    """Return the files of the bundle that should lie in this folder, with their hashes, where DVC's cache has the list."""
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        wanted = (root / bundle).resolve()
        outs = [out for out in repo.index.outs if Path(out.fs_path) == wanted and out.hash_info]
        path = Path(repo.cache.local.oid_to_path(outs[0].hash_info.value)) if outs else None
    if path is None or not path.exists():
        return None
    return {entry["relpath"]: entry["md5"] for entry in json.loads(path.read_bytes())}


def _describe(root: Path, commit: str) -> str:
    if not commit:
        return "not committed yet: dvc.lock in the work tree names it"
    told = git_or_stop(root, "show", "--no-patch", "--format=%h of %as, %s", commit)
    refs = git_or_stop(
        root, "for-each-ref", "--format=%(refname)", "--points-at", commit, "refs/exps"
    ).splitlines()
    names = [
        ref.rpartition("/")[2]
        for ref in refs
        if not ref.startswith(("refs/exps/exec/", "refs/exps/apply/"))
    ]
    return f"{told} (experiment {', '.join(names)})" if names else told


def _versions(root: Path, digest: str) -> list[Fact]:
    named = [f"{ARTIFACT}@{version}" for version in versions_with(root, digest)]
    return [Fact("version", ", ".join(named))] if named else []


def _chain(stages: Stages) -> Fact:
    if broken := broken_links(stages):
        return Fact("chain", _shortened(broken, "; "), genuine=False)
    return Fact("chain", f"{len(stages)} stages, each read what another made")


def _data(root: Path, stages: Stages, dataset: dict[str, Any]) -> Fact:
    """Tell the data, and hash them, in the work tree or DVC's cache, wherever they are."""
    out = outputs_of(stages).get(RAW)
    if out is None:
        return Fact("data", f"no stage behind the bundle makes {RAW}")
    window = dataset.get("window") or {}
    between = (
        f", {window['start'] or 'the beginning'} to {window['end'] or 'the end'}"
        if any(window.values())
        else ""
    )
    said = f"{dataset.get('name')}{between}: {RAW} {out['md5']}, {out['size']:,} bytes"
    here = path_hash(root / RAW)
    if here == out["md5"]:
        return Fact("data", f"{said}, as in the work tree")
    ours = outputs_of(stages_of(_read(root, "", LOCK))).get(RAW, {}).get("md5")
    if here is not None and ours == out["md5"]:
        return Fact(
            "data",
            f"{said}, and {RAW} was changed by hand: `dvc checkout --force {RAW}` brings it back",
            genuine=False,
        )
    damaged, missing = _unusable(root, out["md5"])
    if damaged:
        return Fact(
            "data", f"{said}, damaged in DVC's cache: `seedbed doctor --mend`", genuine=False
        )
    return Fact(
        "data", f"{said}, {'not here to be looked at' if missing else 'as in the cache of DVC'}"
    )


def _unusable(root: Path, digest: str) -> tuple[list[str], list[str]]:
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        return unusable_objects(repo.cache.local, digest)


def _parameters(stages: Stages, params: dict[str, Any], overrides: str) -> Fact:
    if differing := differing_params(stages, PARAMS, params):
        return Fact(
            "parameters",
            f"{PARAMS} of that commit differs from what the stages read in {_shortened(differing)}",
            genuine=False,
        )
    changed = mapping_of(overrides).get("changed") or {}
    beyond = (
        f", with {', '.join(f'{key}={value}' for key, value in changed.items())}" if changed else ""
    )
    model = params.get("model", {}).get("name")
    return Fact(
        "parameters",
        f"{PARAMS} of that commit, conf_hash {params.get('conf_hash')}, model {model}{beyond}",
    )


def _code(root: Path, commit: str, stages: Stages) -> Fact:
    """Hold what no stage made against the commit: code, conf/, requirements.lock, the champion that the gate asked."""
    made = outputs_of(stages)
    recorded = {path: digest for _, path, digest in dependencies_of(stages) if path not in made}
    recorded = {path: digest for path, digest in recorded.items() if not path.startswith(SOURCES)}
    names = (
        git_or_stop(root, "ls-tree", "-r", "-z", "--name-only", commit).split("\0")
        if commit
        else []
    )
    if differing := sorted(
        path for path, digest in recorded.items() if _hash_in(root, commit, names, path) != digest
    ):
        return Fact(
            "code",
            f"{len(differing)} of {len(recorded)} files are not as in that commit: {_shortened(differing)}",
            genuine=False,
        )
    return Fact("code", f"{len(recorded)} files, conf/ among them, all as in that commit")


def _hash_in(root: Path, commit: str, names: list[str], path: str) -> str | None:
    """Return the hash of a file or folder of a commit, whose files have these names; of the work tree for ""."""
    if f"{path}.dvc" in names or (not commit and (root / f"{path}.dvc").exists()):
        return mapping_of(_read(root, commit, f"{path}.dvc")).get("outs", [{}])[0].get("md5")
    if not commit:
        return path_hash(root / path)
    if path in names:
        return bytes_hash(_read_bytes(root, commit, path))
    inside = [name.removeprefix(f"{path}/") for name in names if name.startswith(f"{path}/")]
    files = {name: bytes_hash(_read_bytes(root, commit, f"{path}/{name}")) for name in inside}
    return tree_hash(files) if files else None


def _shortened(names: list[str], between: str = ", ") -> str:
    return between.join(names[:LONGEST_LIST]) + (" ..." if len(names) > LONGEST_LIST else "")


def _packages(root: Path, commit: str, bundle: Path) -> Fact:
    ours = (
        (root / bundle / REQUIREMENTS).read_bytes()
        if (root / bundle / REQUIREMENTS).exists()
        else b""
    )
    if ours != _read_bytes(root, commit, REQUIREMENTS):
        return Fact(
            "packages",
            f"{bundle / REQUIREMENTS} is not that commit's {REQUIREMENTS}",
            genuine=False,
        )
    return Fact(
        "packages", f"{REQUIREMENTS} of that commit, sha256 {hashlib.sha256(ours).hexdigest()[:16]}"
    )


def _read(root: Path, commit: str, path: str) -> str:
    return _read_bytes(root, commit, path).decode()


def _read_bytes(root: Path, commit: str, path: str) -> bytes:
    """Return a file of a commit, of the work tree for ""; empty where there is none."""
    if not commit:
        return (root / path).read_bytes() if (root / path).exists() else b""
    return subprocess.run(
        ["git", "show", f"{commit}:{path}"], cwd=root, capture_output=True, check=False
    ).stdout
