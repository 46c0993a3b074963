"""Reading params.yaml and judging it: every mistake is told with its key and the file to edit."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import TypeAdapter, ValidationError

from seedbed.config.conf_hash import conf_files
from seedbed.config.schema import TARGET_PREFIXES, Params
from seedbed.errors import UserError

PARAMS = "params.yaml"
HOMES = {"columns": "dataset", "problem": "dataset"}
"""Sections that a file of another group holds."""


@contextmanager
def parsed_in_c() -> Iterator[None]:
    """Let OmegaConf, and Hydra through it, parse YAML with libyaml: the same values in half the time.

    OmegaConf derives its loader from `yaml.SafeLoader` each time it reads.
    """
    usual = yaml.SafeLoader
    yaml.SafeLoader = getattr(yaml, "CSafeLoader", usual)  # type: ignore[misc]
    try:
        yield
    finally:
        yaml.SafeLoader = usual  # type: ignore[misc]


def load_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping the way Hydra does (1e-3 is a number, a date is text).

    Raises
    ------
    UserError
        If the file is not YAML or not a mapping.
    """
    try:
        with parsed_in_c():
            loaded = OmegaConf.to_container(OmegaConf.load(path))
    except (yaml.YAMLError, OmegaConfBaseException, UnicodeDecodeError) as error:
        raise UserError(f"{path}: this is not a YAML file that can be read: {' '.join(str(error).split())}") from error
    if not isinstance(loaded, dict):
        raise UserError(f"{path}: a mapping of keys to values is expected here, not a {type(loaded).__name__}.")
    return {str(key): value for key, value in loaded.items()}


def read_params(names: list[str], root: Path = Path()) -> dict[str, Any]:
    """Return the named top-level parts of `root`/params.yaml, typed.

    Raises
    ------
    UserError
        If the file or a part is missing, or a value is not what the schema says.
    """
    if not names:
        return {}
    if not (root / PARAMS).exists():
        raise UserError(f"{PARAMS} is missing. Run `git checkout {PARAMS}`, or `dvc repro compose` to make it anew.")
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
                f"{PARAMS}: there is no such key as {name}. Known: {', '.join(Params.model_fields)}. "
                f"Edit {home_of(name, root)}."
            )
    params = Params.model_construct(**{name: typed(name, values, root) for name in Params.model_fields})
    _check_across(params, root)
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
    _refuse_unset(name, values[name], root)
    _refuse_foreign_targets(name, values[name], root)
    try:
        return TypeAdapter[Any](Params.model_fields[name].annotation or Any).validate_json(
            json.dumps(values[name]), strict=True
        )
    except ValidationError as error:
        raise UserError(_in_words(name, error, root)) from None


def _in_words(name: str, error: ValidationError, root: Path) -> str:
    sentences: list[str] = []
    places: list[str] = []
    for mistake in error.errors():
        key = ".".join([name, *map(str, mistake["loc"])])
        message = mistake["msg"].removeprefix("Value error, ")
        if mistake["type"] == "extra_forbidden":
            sentences.append(f"{key} is not a known key (value {mistake['input']!r})")
            places.insert(0, key)  # the file that holds it is the one with the mistake
        elif mistake["type"] == "missing":
            sentences.append(f"{key} is missing")
            places.append(key.rpartition(".")[0])  # those that hold it are the right ones
        else:
            sentences.append(f"{key} is {_shortened(mistake['input'])}: {message[0].lower()}{message[1:]}")
            places.append(key)
    return f"{PARAMS}: {'; '.join(sentences)}. Edit {home_of(places[0], root)}, or correct the -S override that brought it in."


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _refuse_unset(key: str, value: Any, root: Path) -> None:
    if value == "???":
        raise UserError(
            f"{PARAMS}: {key} is not set (???). Give it a value with -S {key}=..., or in {home_of(key, root)}."
        )
    for inner, part in _items(value):
        _refuse_unset(f"{key}.{inner}", part, root)


def _refuse_foreign_targets(key: str, value: Any, root: Path) -> None:
    for where, target in foreign_targets(key, value):
        raise UserError(f"{PARAMS}: {where} {not_to_be_called(target, home_of(where, root))}")


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
        "the prefix to TARGET_PREFIXES in src/seedbed/config/schema.py."
    )


def _items(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def _check_across(params: Params, root: Path) -> None:
    """Refuse sections that contradict each other, before the first stage spends time on them."""
    columns, problem = params.columns, params.problem
    target = problem.target.column
    if target not in columns or columns[target].role != "target":
        raise UserError(
            f"{PARAMS}: problem.target.column is {target!r}, which is no column of role target under columns "
            f"(those are: {', '.join(name for name, column in columns.items() if column.role == 'target') or 'none'}). "
            f"Edit {home_of('problem.target.column', root)}."
        )
    if hidden := [name for name in columns if name.startswith("_")]:
        raise UserError(
            f"{PARAMS}: columns names {', '.join(hidden)}, and names that begin with _ are the pipeline's own. Rename it "
            f"where the rows come from, and in {home_of('columns', root)}."
        )
    for name in problem.slices:
        if name not in columns:
            raise UserError(
                f"{PARAMS}: problem.slices names {name!r}, which is not among columns. "
                f"Edit {home_of('problem.slices', root)}."
            )
    for kind, role in (("time", "time"), ("group", "group")):
        if params.split.kind == kind and not any(column.role == role for column in columns.values()):
            raise UserError(
                f"{PARAMS}: split.kind is {kind}, and no column has the role {role}. Choose -S split=random, "
                f"or give a column that role in {home_of('columns', root)}."
            )
    if params.dataset.base not in params.dataset.tables:
        raise UserError(
            f"{PARAMS}: dataset.base is {params.dataset.base!r}, which is not among dataset.tables. "
            f"Edit {home_of('dataset.base', root)}."
        )


def home_of(key: str, root: Path) -> str:
    """Return the configuration file that holds `key`, or the best place to look for it."""
    section, *rest = key.split(".")
    group = HOMES.get(section, section)
    holders = []
    for path in conf_files(root):
        relative = path.relative_to(root).as_posix()
        within = (
            key.split(".")
            if relative == "conf/config.yaml" or group == "dataset" or "/experiment/" in relative
            else rest
        )
        if (relative.startswith((f"conf/{group}/", "conf/experiment/")) or relative == "conf/config.yaml") and within:
            value: Any = load_yaml(path)
            for part in within:
                value = value.get(part) if isinstance(value, dict) else None
            if value is not None:
                holders.append(relative)
    if holders:
        return " or ".join(holders)
    return f"conf/{group}/" if (root / "conf" / group).is_dir() else "conf/config.yaml"
