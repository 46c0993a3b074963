"""Reads YAML files as Hydra does, with a mistake as one sentence; walks nested values."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from seedbed.errors import UserError, one_line


@contextmanager
def parsed_in_c() -> Iterator[None]:
    """Let OmegaConf and Hydra parse YAML with libyaml: the same values in half the time.

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

    Raises UserError if the file is not YAML or not a mapping.
    """
    try:
        with parsed_in_c():
            loaded = OmegaConf.to_container(OmegaConf.load(path))
    except (yaml.YAMLError, OmegaConfBaseException, UnicodeDecodeError) as error:
        raise UserError(
            f"{path}: this is not a YAML file that can be read: {one_line(error)}"
        ) from error
    if not isinstance(loaded, dict):
        raise UserError(
            f"{path}: a mapping of keys to values is expected here, not a {type(loaded).__name__}."
        )
    return {str(key): value for key, value in loaded.items()}


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what stands in nested mappings and lists, each value after its dotted key."""
    if isinstance(value, (dict, list)):
        for inner, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(part, f"{key}.{inner}" if key else str(inner))
    else:
        yield key, value


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a nested mapping's leaves by dotted key; lists and empty mappings are leaves."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            found |= flatten(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def conf_text(values: dict[str, Any]) -> str:
    """Return the text of a file of conf/ that Hydra composes to these very values.

    Names of columns hold anything: ``1e3`` and ``yes`` stand in quotes, and ``${x}``, which would
    be looked up, is escaped.

    Raises UserError if a text holds ``${`` such that no escape keeps it.
    """
    text = OmegaConf.to_yaml(OmegaConf.create(_escaped(values)))
    try:
        composed = OmegaConf.create(text)
        OmegaConf.resolve(composed)
        if OmegaConf.to_container(composed) == values:
            return text
        why = "it is read as something else"
    except (OmegaConfBaseException, yaml.YAMLError) as error:
        why = one_line(error)
    raise UserError(
        f"a text with ${{ or with signs that are not printed cannot be written into conf/ ({why}). "
        "Rename that column: source.options.names lists names of your own."
    )


def _escaped(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _escaped(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_escaped(part) for part in value]
    if not isinstance(value, str):
        return value
    return re.sub(r"(\\*)\$\{", lambda found: found[1] * 2 + r"\${", value)
