"""DVC's run cache between machines: what a stage made of which inputs, so that no other machine computes it again.

`dvc push --run-cache` sends every record each time, and no data for it. Here a record goes once, and only when all that it
names is at the remote; small reports go with it, of which Git has the content and DVC's remote has not.
"""

from pathlib import Path
from typing import Any

from seedbed.remotes.data import Data

SMALL = 1_000_000
"""Bytes up to which an output is sent along with the record that names it."""


def push_runs(data: Data) -> int:
    """Send the records that the remote lacks and whose data it has; return how many."""
    place = data.repo.cloud.get_remote().legacy_odb
    here = Path(data.repo.stage_cache.cache_dir)
    new = _names(data.cache.fs, str(here)) - _listed(data, place)
    outs = {name: _outs(here / name) for name in new}
    named = {oid: size for found in outs.values() for oid, size in found.items()}
    small = {
        oid
        for oid, size in named.items()
        if size <= SMALL and not oid.endswith(".dir") and data.cache.exists(oid)
    }
    large = named.keys() - small
    failed = "not all of the run cache was sent"
    with data.told(failed):
        there = set(data.remote.odb.oids_exist(large)) if large else set()
    going = sorted(name for name, found in outs.items() if found and found.keys() <= small | there)
    data.transfer(
        data.cache, data.remote.odb, small & {oid for name in going for oid in outs[name]}, failed
    )
    with data.told(failed):
        _copy(
            data.cache.fs,
            [str(here / name) for name in going],
            place.fs,
            [_path(place, name) for name in going],
        )
    return len(going)


def fetch_runs(data: Data) -> int:
    """Fetch the records that are not here and can be read, and the small outputs that they name; return how many."""
    place = data.repo.cloud.get_remote().legacy_odb
    here = Path(data.repo.stage_cache.cache_dir)
    new = sorted(_listed(data, place) - _names(data.cache.fs, str(here)))
    # Beside their place first: a record must not be there before what it names.
    beside = [here.with_name("runs.tmp") / name for name in new]
    failed = "not all of the run cache was fetched"
    with data.told(failed, inward=True):
        _copy(
            place.fs,
            [_path(place, name) for name in new],
            data.cache.fs,
            [str(path) for path in beside],
        )
    # One that cannot be read would stop DVC at the stage that it is of.
    read = {
        name: (path, outs) for name, path in zip(new, beside, strict=True) if (outs := _outs(path))
    }
    small = {
        oid
        for _, outs in read.values()
        for oid, size in outs.items()
        if size <= SMALL and not oid.endswith(".dir")
    }
    data.transfer(data.remote.odb, data.cache, small, failed)
    for name, (path, _) in read.items():
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        path.replace(here / name)
    return len(read)


def _names(fs: Any, folder: str) -> set[str]:
    """Return the records below a folder, by the last three parts of their paths."""
    if not fs.exists(folder):
        return set()
    return {"/".join(fs.parts(path)[-3:]) for path in fs.find(folder) if not path.endswith(".tmp")}


def _listed(data: Data, place: Any) -> set[str]:
    with data.told("the run cache was not compared"):
        return _names(place.fs, place.fs.join(place.path, "runs"))


def _path(place: Any, name: str) -> str:
    return str(place.fs.join(place.path, "runs", *name.split("/")))


def _outs(record: Path) -> dict[str, int]:
    """Return the objects that a record names, with their sizes; none if it cannot be read."""
    import yaml  # most often there is no record to read

    try:
        content = yaml.load(record.read_bytes(), yaml.CSafeLoader)
        return {out["md5"]: out.get("size", 0) for out in content["outs"]}
    except (OSError, yaml.YAMLError, TypeError, KeyError):
        return {}


def _copy(source: Any, paths: list[str], target: Any, targets: list[str]) -> None:
    from dvc_objects.fs.generic import copy

    if paths:
        copy(source, paths, target, targets, batch_size=target.jobs)
