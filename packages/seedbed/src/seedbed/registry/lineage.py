"""Where a bundle comes from: commit, data, parameters and code, each compared with its hash.

A bundle cannot name its commit, which is made after it. So the hash of its folder is searched for
in the dvc.lock of all commits, those of experiments among them.
"""

import hashlib
import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from seedbed.config.composition import look_up
from seedbed.config.fingerprints import PARTS
from seedbed.config.lock_file import entries
from seedbed.config.overrides import OVERRIDES, as_overrides
from seedbed.config.params import PARAMS
from seedbed.config.repository import git, git_or_stop
from seedbed.config.stage_params import CODE
from seedbed.errors import UserError
from seedbed.registry.content import path_hash
from seedbed.registry.versions import ARTIFACT, versions_with
from seedbed.serving.facts import Fact
from seedbed.serving.loading import REQUIREMENTS, load_bundle

BUNDLE = "models/bundle"
LOCK = "dvc.lock"
RAW = "data/raw"
DATA = "data/"
"""What no stage makes there is raw data, which need not be in Git."""

Stages = dict[str, dict[str, Any]]


def trace(root: Path, bundle: Path) -> list[Fact]:
    """Return what made the bundle in a folder, of this repository or elsewhere.

    Raises UserError if there is no such folder.
    """
    digest = path_hash(root / bundle)
    if digest is None or not (root / bundle).is_dir():
        raise UserError(
            f"{bundle}: there is no such folder. Run `dvc repro package`, or `dvc pull`."
        )
    facts = [Fact("bundle", f"{bundle}, {digest}")]
    commit = find_commit(root, digest)
    if commit is None:
        return [*facts, Fact("commit", _why_unknown(root / bundle), genuine=False)]
    facts.append(Fact("commit", _describe(root, commit)))
    if versions := versions_with(root, digest):
        facts.append(Fact("version", ", ".join(f"{ARTIFACT}@{version}" for version in versions)))
    with _files_of(root, commit) as files:
        stages = _stages_behind_bundle(_read(files / LOCK)["stages"])
        facts += [_chain(stages), _data(root, files, stages), _parameters(files, stages)]
        return [*facts, _code(files, stages, root / bundle)]


def find_commit(root: Path, digest: str) -> str | None:
    """Return the oldest commit whose dvc.lock has a folder of this hash as models/bundle."""
    search = ["log", "--all", "--full-history", "--reverse", "--format=%H", f"-S{digest}"]
    for commit in git_or_stop(root, *search, "--", LOCK).splitlines():
        stages = _parse(git(root, "show", f"{commit}:./{LOCK}") or "").get("stages", {})
        if _outputs(stages).get(BUNDLE, {}).get("md5") == digest:
            return commit
    return None


def _why_unknown(bundle: Path) -> str:
    try:
        load_bundle(bundle)
    except UserError as error:
        return str(error)
    return f"no commit and no experiment has it. If it is new, commit {LOCK}"


def _describe(root: Path, commit: str) -> str:
    text = git_or_stop(root, "show", "--no-patch", "--format=%h of %as, %s", commit)
    refs = ["for-each-ref", "--format=%(refname:lstrip=4)", "refs/exps/??/*/*"]
    names = git_or_stop(root, *refs, "--points-at", commit).splitlines()
    return f"{text} (experiment {', '.join(names)})" if names else text


def _chain(stages: Stages) -> Fact:
    made = _outputs(stages)
    broken = [
        f"{name} read {path} {md5}, and {made[path].get('md5')} was made"
        for name, path, md5 in _dependencies(stages)
        if path in made and made[path].get("md5") != md5
    ]
    return Fact.on("chain", f"{len(stages)} stages, each read what another made", broken)


def _data(root: Path, files: Path, stages: Stages) -> Fact:
    raw = _outputs(stages).get(RAW)
    if raw is None:
        return Fact("data", f"no stage behind the bundle makes {RAW}")
    dataset = _read(files / PARAMS).get("dataset") or {}
    window = dataset.get("window") or {}
    ends = f", {window.get('start') or 'the beginning'} to {window.get('end') or 'the end'}"
    here = "as" if path_hash(root / RAW) == raw["md5"] else "not"
    return Fact(
        "data",
        f"{dataset.get('name')}{ends if any(window.values()) else ''}: {RAW} {raw['md5']}, "
        f"{raw['size']:,} bytes, {here} in the work tree",
    )


def _parameters(files: Path, stages: Stages) -> Fact:
    """Compare params.yaml and code.yaml of the commit with what dvc.lock says the stages read."""
    differing = {
        f"{name} has another {key} than the stages read"
        for stage in stages.values()
        for name, values in stage.get("params", {}).items()
        for key, value in values.items()
        if look_up(_read(files / name), key.split(".")) != value
    }
    params, changed = _read(files / PARAMS), as_overrides(_read(files / OVERRIDES))
    model = (params.get("model") or {}).get("name")
    overrides = "".join(f", {override}" for override in changed.as_typed())
    text = f"conf_hash {params.get('conf_hash')}, model {model}{overrides}"
    return Fact.on("parameters", text, sorted(differing))


def _code(files: Path, stages: Stages, bundle: Path) -> Fact:
    """Compare the commit's sources with code.yaml, and what else no stage makes with dvc.lock.

    Of a package, and of seedbed as a wheel, code.yaml has the version; requirements.lock pins it.
    """
    parts: dict[str, str] = _read(files / CODE).get(PARTS) or {}
    places = [files / "src", files / "packages/seedbed/src", files]
    sources = {part: place / part for part in parts for place in places if (place / part).is_file()}
    changed = []
    for part, source in sources.items():
        content = source.read_bytes().replace(b"\r\n", b"\n").strip()
        if hashlib.sha256(content).hexdigest()[:12] != parts[part]:
            changed.append(part)
    made = _outputs(stages)
    for name, path, md5 in _dependencies(stages):
        if name != "code" and path not in made and not path.startswith(DATA):
            tracked = _read(files / f"{path}.dvc").get("outs", [{}])[0].get("md5")
            if md5 != (tracked or path_hash(files / path)):
                changed.append(path)
    # The bundle holds the part that serving needs, or nothing but the gate's no.
    if not _pins(bundle / REQUIREMENTS) <= _pins(files / REQUIREMENTS):
        changed.append(REQUIREMENTS)
    return Fact.on(
        "code",
        f"{len(sources)} files, conf/ and {REQUIREMENTS}, all as in that commit",
        [f"{name} is not as in that commit" for name in sorted(changed)],
    )


@contextmanager
def _files_of(root: Path, commit: str) -> Iterator[Path]:
    """Yield a folder with the files of a commit."""
    done = subprocess.run(["git", "archive", commit], cwd=root, capture_output=True, check=True)
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(folder, filter="tar")
        yield Path(folder)


def _stages_behind_bundle(stages: Stages) -> Stages:
    """Return the stage that made the bundle, and those that made what it read, however far back."""
    makers = {out["path"]: name for name, stage in stages.items() for out in stage.get("outs", [])}
    found: Stages = {}
    pending = [BUNDLE]
    while pending:
        name = makers.get(pending.pop())
        if name and name not in found:
            found[name] = stages[name]
            pending += [dep["path"] for dep in stages[name].get("deps", [])]
            pending += stages[name].get("params", {})
    return found


def _outputs(stages: Stages) -> dict[str, dict[str, Any]]:
    return {out["path"]: out for stage in stages.values() for out in stage.get("outs", [])}


def _dependencies(stages: Stages) -> Iterator[tuple[str, str, str | None]]:
    """Yield stage, path and hash of each dependency."""
    for name, stage in stages.items():
        for dep in stage.get("deps", []):
            yield name, dep["path"], dep.get("md5")


def _pins(lock: Path) -> set[tuple[str, tuple[str, ...]]]:
    return {(entry.pin, entry.hashes) for entry in entries(lock)}


def _read(path: Path) -> dict[str, Any]:
    return _parse(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _parse(text: str) -> dict[str, Any]:
    """Return what a YAML file holds; nothing of one with conflict marks, which is committed too."""
    try:
        loaded = yaml.load(text, yaml.CSafeLoader)
    except yaml.YAMLError:
        return {}
    return loaded if isinstance(loaded, dict) else {}
