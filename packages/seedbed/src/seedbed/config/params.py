"""Reading params.yaml and judging it: every mistake is told with its key and the file to edit."""

import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from seedbed.config.checks import find_mistakes
from seedbed.config.homes import home_of
from seedbed.config.schema import TARGET_PREFIXES, Params, Section
from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError, did_you_mean

PARAMS = "params.yaml"


def read_params(names: Collection[str], root: Path = Path()) -> dict[str, Any]:
    """Return the named top-level parts of `root`/params.yaml, typed.

    Raises
    ------
    UserError
        If the file or a part is missing, or a value is not what the schema says.
    """
    if not names:
        return {}
    if not (root / "conf").is_dir():
        raise UserError(
            f"{PARAMS} is missing in {root.resolve()}, which is not the project's folder. Run stages where dvc.yaml lies."
        )
    if not (root / PARAMS).exists():
        raise UserError(
            f"{PARAMS} is missing. Run `git checkout {PARAMS}`, or `dvc repro compose` to make it anew."
        )
    values = load_yaml(root / PARAMS)
    return {name: typed(name, values, root) for name in names}


def check_params(values: dict[str, Any], root: Path) -> Params:
    """Return all parameters, typed, after the checks that look across sections.

    Raises
    ------
    UserError
        If a key is unknown or missing, a value is wrong or unset, or sections contradict each other.
    """
    for name in values:
        if name not in Params.model_fields:
            raise UserError(
                f"{PARAMS}: there is no such key as {name}{did_you_mean(name, Params.model_fields)}. "
                f"Known: {', '.join(Params.model_fields)}. Edit {home_of(name, root, values)}."
            )
    params = Params.model_construct(
        **{name: typed(name, values, root) for name in Params.model_fields}
    )
    for mistake in find_mistakes(params):
        home = home_of(mistake.edit or mistake.key, root, values)
        raise UserError(f"{PARAMS}: {mistake.key} {mistake.told}. Edit {home}.")
    return params


def typed(name: str, values: dict[str, Any], root: Path) -> Any:
    """Return one section of all parameters, typed.

    Raises
    ------
    UserError
        If it is missing, or a value is not what the schema says.
    """
    if name not in values:
        raise UserError(
            f"{PARAMS}: the section {name} is missing. Choose a member of its group in conf/config.yaml, "
            "or run `seedbed compose --reset`."
        )
    _refuse_unset(name, values[name], root, values)
    _refuse_foreign_targets(name, values, root)
    try:
        return TypeAdapter[Any](Params.model_fields[name].annotation or Any).validate_json(
            json.dumps(values[name]), strict=True
        )
    except ValidationError as error:
        raise UserError(_in_words(name, error, root, values)) from None


def _in_words(name: str, error: ValidationError, root: Path, values: dict[str, Any]) -> str:
    sentences: list[str] = []
    places: list[str] = []
    for mistake in error.errors():
        key = ".".join([name, *map(str, mistake["loc"])])
        message = mistake["msg"].removeprefix("Value error, ")
        if mistake["type"] == "extra_forbidden":
            meant = did_you_mean(
                mistake["loc"][-1],
                known_keys(Params.model_fields[name].annotation, mistake["loc"][:-1]),
            )
            sentences.append(f"{key} is not a known key (value {mistake['input']!r}){meant}")
            places.insert(0, key)  # the file that holds it is the one with the mistake
        elif mistake["type"] == "missing":
            sentences.append(f"{key} is missing")
            places.append(key.rpartition(".")[0])  # those that hold it are the right ones
        else:
            sentences.append(
                f"{key} is {_shortened(mistake['input'])}: {message[0].lower()}{message[1:]}"
            )
            places.append(key)
    home = home_of(places[0], root, values)
    return f"{PARAMS}: {'; '.join(sentences)}. Edit {home}, or correct the -S override that brought it in."


def known_keys(kind: Any, path: Sequence[int | str]) -> list[str]:
    """Return the keys that a value of type `kind` has at `path` below it; none where any key may stand."""
    if isinstance(kind, type) and issubclass(kind, Section):
        fields = kind.model_fields
        if not path:
            return list(fields)
        return known_keys(fields[str(path[0])].annotation, path[1:]) if path[0] in fields else []
    below = path[1:] if get_origin(kind) in (dict, list) else path
    return next((keys for part in get_args(kind) if (keys := known_keys(part, below))), [])


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _refuse_unset(key: str, value: Any, root: Path, values: dict[str, Any]) -> None:
    if value == "???":
        raise UserError(
            f"{PARAMS}: {key} is not set (???). Give it a value with -S {key}=..., or in {home_of(key, root, values)}."
        )
    for inner, part in _items(value):
        _refuse_unset(f"{key}.{inner}", part, root, values)


def _refuse_foreign_targets(name: str, values: dict[str, Any], root: Path) -> None:
    for where, target in foreign_targets(name, values[name]):
        raise UserError(
            f"{PARAMS}: {where} {not_to_be_called(target, home_of(where, root, values))}"
        )


def foreign_targets(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield each `_target_` below `key` that may not be called, after its own key."""
    for inner, part in _items(value):
        if inner == "_target_" and not str(part).startswith(TARGET_PREFIXES):
            yield f"{key}.{inner}", part
        yield from foreign_targets(f"{key}.{inner}", part)


def not_to_be_called(target: Any, home: str) -> str:
    """Return what is wrong with a foreign `_target_`, and the remedy."""
    return (
        f"is {target!r}, and only names that begin with {' or '.join(TARGET_PREFIXES)} may be called. Edit {home}, or add "
        "the prefix to TARGET_PREFIXES in packages/seedbed/src/seedbed/config/schema.py."
    )


def _items(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []
