"""Reads params.yaml and checks it: every message names the key, the value and what to edit."""

import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from seedbed.config.checks import find_mistakes
from seedbed.config.project import read_settings
from seedbed.config.schema import Params
from seedbed.config.section import Section, why_wrong
from seedbed.config.yaml_files import leaves, load_yaml
from seedbed.errors import UserError, did_you_mean

PARAMS = "params.yaml"
Place = Callable[[str], str]
"""Returns what to edit for a key."""


def read_params(names: Collection[str], root: Path = Path()) -> dict[str, Any]:
    """Return the named top-level parts of `root`/params.yaml, typed.

    Raises UserError if the file or a part is missing, or a value is not what the schema says.
    """
    if not names:
        return {}
    if not (root / "conf").is_dir():
        raise UserError(
            f"{PARAMS} is missing in {root.resolve()}, which is not the project's folder. "
            "Run stages where dvc.yaml lies."
        )
    if not (root / PARAMS).exists():
        raise UserError(
            f"{PARAMS} is missing. Run `git checkout {PARAMS}`, or `dvc repro compose` to make it "
            "anew."
        )
    values = load_yaml(root / PARAMS)
    return {name: typed(name, values, root) for name in names}


def check_params(values: dict[str, Any], root: Path, place: Place = lambda key: "conf/") -> Params:
    """Return all parameters, typed, after the checks that look across sections.

    Parameters
    ----------
    place : callable, optional
        Stages leave it out: composing has checked all before them.

    Raises UserError if a key is unknown or missing, a value is wrong or unset, or sections
    contradict each other.
    """
    fields = Params.model_fields
    for name in values:
        if name not in fields:
            raise UserError(
                f"{PARAMS}: there is no such key as {name}{did_you_mean(name, fields)}. Known: "
                f"{', '.join(fields)}. Edit {place(name)}."
            )
    params = Params.model_construct(**{name: typed(name, values, root, place) for name in fields})
    for mistake in find_mistakes(params):
        where = place(mistake.edit or mistake.key)
        raise UserError(f"{PARAMS}: {mistake.key} {mistake.message}. Edit {where}.")
    return params


def typed(name: str, values: dict[str, Any], root: Path, place: Place = lambda key: "conf/") -> Any:
    """Return one section of all parameters, typed.

    Raises UserError if it is missing, or a value is not what the schema says.
    """
    field = Params.model_fields[name]
    if name not in values and not field.is_required():
        return field.get_default()
    if name not in values:
        raise UserError(
            f"{PARAMS}: the section {name} is missing. Choose a member of its group in "
            "conf/config.yaml, or run `seedbed compose --reset`."
        )
    for key, value in leaves(values[name], name):
        if value == "???":
            raise UserError(
                f"{PARAMS}: {key} is not set (???). Give it a value with -S {key}=..., or edit "
                f"{place(key)}."
            )
    check_targets(name, values[name], root, place)
    kind: Any = field.annotation
    try:
        return TypeAdapter[Any](kind).validate_json(json.dumps(values[name]), strict=True)
    except ValidationError as error:
        raise UserError(_explain(name, error, place)) from None


def check_targets(name: str, value: Any, root: Path, place: Place) -> None:
    """Refuse a `_target_` in a section that is neither scikit-learn's nor the project's own.

    Raises UserError if there is one that [tool.seedbed] does not allow.
    """
    for key, target in leaves(value, name):
        if key.endswith("._target_"):
            allowed = read_settings(root).target_prefixes
            if not str(target).startswith(allowed):
                raise UserError(
                    f"{PARAMS}: {key} is {target!r}, and only names that begin with "
                    f"{' or '.join(allowed)} may be called. Edit {place(key)}, or add its package "
                    "to targets under [tool.seedbed] in pyproject.toml."
                )


def _explain(name: str, error: ValidationError, place: Place) -> str:
    """Return pydantic's errors as one paragraph."""
    sentences: list[str] = []
    keys: list[str] = []
    for mistake in error.errors():
        key = ".".join([name, *map(str, mistake["loc"])])
        if mistake["type"] == "extra_forbidden":
            *parents, last = mistake["loc"]
            meant = did_you_mean(last, _known_keys(Params.model_fields[name].annotation, parents))
            sentences.append(f"{key} is not a known key (value {mistake['input']!r}){meant}")
            keys.insert(0, key)  # the file that holds it is the one with the mistake
        elif mistake["type"] == "missing":
            sentences.append(f"{key} is missing")
            keys.append(key.rpartition(".")[0])  # the file that holds its neighbours
        else:
            value = repr(mistake["input"])
            value = value if len(value) <= 60 else f"{value[:57]}..."
            sentences.append(f"{key} is {value}: {why_wrong(mistake['msg'])}")
            keys.append(key)
    return f"{PARAMS}: {'; '.join(sentences)}. Edit {place(keys[0])}."


def _known_keys(kind: Any, path: Sequence[int | str]) -> list[str]:
    """Return the keys that a value of type `kind` has at `path`; none where any key may stand."""
    if isinstance(kind, type) and issubclass(kind, Section):
        fields = kind.model_fields
        if not path:
            return list(fields)
        return _known_keys(fields[str(path[0])].annotation, path[1:]) if path[0] in fields else []
    below = path[1:] if get_origin(kind) in (dict, list) else path
    return next((keys for part in get_args(kind) if (keys := _known_keys(part, below))), [])
