"""What a dvc.lock says of how an output came about: the stages behind it, what they read, and whether that fits together."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

Stages = dict[str, dict[str, Any]]


def mapping_of(text: str) -> dict[str, Any]:
    """Return what a YAML file of a commit holds, nothing of one that cannot be read: conflict marks, too, are committed."""
    try:
        loaded = yaml.load(text, yaml.CSafeLoader)
    except yaml.YAMLError:
        return {}
    return loaded if isinstance(loaded, dict) else {}


def stages_of(lock: str) -> Stages:
    """Return the stages of a dvc.lock."""
    return mapping_of(lock).get("stages") or {}


def outputs_of(stages: Stages) -> dict[str, dict[str, Any]]:
    """Return what the stages made, by path."""
    return {out["path"]: out for stage in stages.values() for out in stage.get("outs", [])}


def stages_behind(stages: Stages, path: str) -> Stages:
    """Return the stage that made an output, and those that made what it read, however far back."""
    makers = {out["path"]: name for name, stage in stages.items() for out in stage.get("outs", [])}
    found, wanted = set(), [path]
    while wanted:
        name = makers.get(wanted.pop())
        if name is not None and name not in found:
            found.add(name)
            wanted += [dep["path"] for dep in stages[name].get("deps", [])] + list(
                stages[name].get("params", {})
            )
    return {name: stage for name, stage in stages.items() if name in found}


def dependencies_of(stages: Stages) -> Iterator[tuple[str, str, str]]:
    """Yield what each stage read: its name, the path, the hash."""
    for name, stage in stages.items():
        for dep in stage.get("deps", []):
            yield name, dep["path"], str(dep.get("md5"))


def broken_links(stages: Stages) -> list[str]:
    """Return a sentence for each output that a later stage did not read as it was made."""
    made = {path: out.get("md5") for path, out in outputs_of(stages).items()}
    return [
        f"{name} read {path} {digest}, and {made[path]} was made"
        for name, path, digest in dependencies_of(stages)
        if path in made and made[path] != digest
    ]


def differing_params(stages: Stages, file: str, params: Mapping[str, Any]) -> list[str]:
    """Return the keys of a parameter file that stages read with another value than it holds; a key may have dots."""
    return sorted(
        {
            key
            for stage in stages.values()
            for key, value in stage.get("params", {}).get(file, {}).items()
            if _look_up(params, key) != value
        }
    )


def _look_up(params: Any, key: str) -> Any:
    for part in key.split("."):
        params = params.get(part) if isinstance(params, Mapping) else None
    return params
