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

import yaml

from seedbed.config.compose import OVERRIDES
from seedbed.config.params import PARAMS
from seedbed.config.repository import git, git_or_stop
from seedbed.errors import UserError
from seedbed.registry.promoting import ARTIFACT, BUNDLE, folder_hash, versions_with
from seedbed.serving.bundle import REQUIREMENTS, load_bundle

LOCK = "dvc.lock"
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
        raise UserError(f"{bundle}: there is no such folder. Run `dvc repro package`, or `dvc pull`.")
    digest = folder_hash(root, bundle)
    facts = [Fact("bundle", f"{bundle}, {digest}"), _whole(root / bundle)]
    origin = find_origin(root, digest)
    if origin is None:
        return [*facts, Fact("commit", _unknown(root, bundle), genuine=False)]
    locked = yaml.safe_load(_read(root, origin, LOCK))["stages"]
    return [
        *facts,
        Fact("commit", _describe(root, origin)),
        *_versions(root, digest),
        _data(locked),
        _parameters(locked, _read(root, origin, PARAMS), _read(root, origin, OVERRIDES)),
        _code(root, origin, locked),
        _packages(root, origin, bundle),
    ]


def find_origin(root: Path, digest: str) -> str | None:
    """Return the oldest commit whose dvc.lock says that stage package made this folder; "" is the work tree's."""
    found = git_or_stop(root, "log", "--all", "--full-history", "--reverse", "--format=%H", f"-S{digest}", "--", LOCK)
    for commit in found.splitlines():
        if _made_by_package(git(root, "show", f"{commit}:{LOCK}") or "", digest):
            return commit
    here = root / LOCK
    return "" if here.exists() and _made_by_package(here.read_text(encoding="utf-8"), digest) else None


def _made_by_package(lock: str, digest: str) -> bool:
    stages = (yaml.load(lock, yaml.CSafeLoader) or {}).get("stages", {})
    return any(
        out["path"] == BUNDLE.as_posix() and out.get("md5") == digest
        for out in stages.get("package", {}).get("outs", [])
    )


def _whole(bundle: Path) -> Fact:
    try:
        load_bundle(bundle)
    except UserError as error:
        return Fact("files", str(error), genuine=False)
    return Fact("files", "as they were packaged")


def _unknown(root: Path, bundle: Path) -> str:
    said = (
        "no commit and no experiment of this repository recorded this folder: it was changed by hand, or made elsewhere"
    )
    if expected := _recorded_files(root, bundle):
        present = {path.name: _md5(path.read_bytes()) for path in (root / bundle).iterdir() if path.is_file()}
        changed = sorted(name for name in expected.keys() | present if expected.get(name) != present.get(name))
        said += (
            f". Of what should be there, {', '.join(changed)} differ: `dvc checkout --force {bundle}` brings it back"
        )
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
    refs = git_or_stop(root, "for-each-ref", "--format=%(refname)", "--points-at", commit, "refs/exps").splitlines()
    names = [ref.rpartition("/")[2] for ref in refs if not ref.startswith("refs/exps/exec/")]
    return f"{told} (experiment {', '.join(names)})" if names else told


def _versions(root: Path, digest: str) -> list[Fact]:
    named = [f"{ARTIFACT}@{version}" for version in versions_with(root, digest)]
    return [Fact("version", ", ".join(named))] if named else []


def _data(locked: dict[str, Any]) -> Fact:
    (out,) = locked["ingest"]["outs"]
    dataset = locked["ingest"]["params"]["params.yaml"]["dataset"]
    window = dataset["window"]
    between = f", {window['start'] or 'the beginning'} to {window['end'] or 'the end'}" if any(window.values()) else ""
    return Fact("data", f"{dataset['name']}{between}: {out['path']} {out['md5']}, {out['size']:,} bytes")


def _parameters(locked: dict[str, Any], text: str, overrides: str) -> Fact:
    params = yaml.safe_load(text)
    differing = sorted(
        {
            key
            for name, stage in locked.items()
            if name != "explore"
            for key, value in stage.get("params", {}).get("params.yaml", {}).items()
            if params.get(key) != value
        }
    )
    if differing:
        return Fact(
            "parameters",
            f"params.yaml of that commit differs from what the stages read in {', '.join(differing)}",
            genuine=False,
        )
    changed = (yaml.safe_load(overrides) or {}).get("changed") or {}
    beyond = f", with {', '.join(f'{key}={value}' for key, value in changed.items())}" if changed else ""
    model = params["model"]["name"]
    return Fact("parameters", f"params.yaml of that commit, conf_hash {params['conf_hash']}, model {model}{beyond}")


def _code(root: Path, commit: str, locked: dict[str, Any]) -> Fact:
    recorded = {
        dep["path"]: dep["md5"]
        for name, stage in locked.items()
        if name != "explore"
        for dep in stage["deps"]
        if dep["path"].startswith("src/")
    }
    differing = sorted(path for path, md5 in recorded.items() if _md5(_read_bytes(root, commit, path)) != md5)
    if differing:
        listed = ", ".join(differing[:LONGEST_LIST]) + (" ..." if len(differing) > LONGEST_LIST else "")
        return Fact(
            "code", f"{len(differing)} of {len(recorded)} files are not as in that commit: {listed}", genuine=False
        )
    return Fact("code", f"{len(recorded)} files, all as in that commit")


def _packages(root: Path, commit: str, bundle: Path) -> Fact:
    ours = (root / bundle / REQUIREMENTS).read_bytes() if (root / bundle / REQUIREMENTS).exists() else b""
    if ours != _read_bytes(root, commit, REQUIREMENTS):
        return Fact("packages", f"{bundle / REQUIREMENTS} is not that commit's {REQUIREMENTS}", genuine=False)
    return Fact("packages", f"{REQUIREMENTS} of that commit, sha256 {hashlib.sha256(ours).hexdigest()[:16]}")


def _read(root: Path, commit: str, path: str) -> str:
    return _read_bytes(root, commit, path).decode()


def _read_bytes(root: Path, commit: str, path: str) -> bytes:
    """Return a file of a commit, of the work tree for ""; empty where there is none."""
    if not commit:
        return (root / path).read_bytes() if (root / path).exists() else b""
    return subprocess.run(["git", "show", f"{commit}:{path}"], cwd=root, capture_output=True, check=False).stdout


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
