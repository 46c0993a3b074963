"""What params.yaml holds beyond the plain composition of conf/: reports/overrides.yaml."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from seedbed.config.yaml_files import flatten, load_yaml
from seedbed.errors import some_of
from seedbed.files import write_text

OVERRIDES = "reports/overrides.yaml"
HEADER = (
    "# Where params.yaml differs from the plain composition of conf/: brought in by an experiment "
    "or by hand.\n"
)
SHOWN = 10
"""How many values a message names."""
Values = dict[str, Any]


@dataclass(frozen=True)
class Overrides:
    """How params.yaml differs from the plain composition of the conf/ with this hash."""

    conf_hash: str
    changed: Values  # what params.yaml alone has, nested as there
    removed: Values  # what the composition alone has

    def __len__(self) -> int:
        return len(flatten(self.changed)) + len(flatten(self.removed))

    def __str__(self) -> str:
        return ", ".join(self.as_typed())

    def as_typed(self) -> list[str]:
        """Return the overrides as they would be typed after -S."""
        return [*_as_typed(self.changed), *(f"~{key}" for key in flatten(self.removed))]

    def explain(self) -> str:
        """Return what params.yaml holds, how it came there, and the commands that settle it."""
        dataset = self.changed.get("dataset", {}).get("name")
        chosen = f" (which chose the dataset {dataset})" if dataset else ""
        return (
            f"params.yaml holds values that conf/ does not: {some_of(self.as_typed(), SHOWN)}. "
            f"They came by `dvc exp apply` or `dvc exp run -S`{chosen}, or by hand, and composing "
            "anew would drop them. To keep them, `seedbed adopt NAME` writes them into conf/; to "
            "drop them, `seedbed compose --reset`."
        )

    def apply_to(self, values: Values) -> Values:
        """Return a copy of a composition with these overrides."""
        return _merge(_remove(values, self.removed), self.changed)

    def write(self, root: Path) -> None:
        """Write reports/overrides.yaml."""
        write_text(root / OVERRIDES, HEADER + OmegaConf.to_yaml(OmegaConf.create(asdict(self))))


def as_override(key: str, value: Any) -> str:
    """Return a value as it is typed after -S, quoted where Hydra's grammar asks for it."""
    return f"{key}={_quote(value)}"


def read_overrides(root: Path) -> Overrides | None:
    """Return what reports/overrides.yaml holds, or None if there is none."""
    path = root / OVERRIDES
    return as_overrides(load_yaml(path)) if path.exists() else None


def as_overrides(recorded: Mapping[str, Any]) -> Overrides:
    """Return overrides as their YAML file records them."""
    changed, removed = recorded.get("changed") or {}, recorded.get("removed") or {}
    if isinstance(removed, list):  # dotted keys, as seedbed 0.2 wrote them
        removed = dict.fromkeys(removed)
    return Overrides(str(recorded.get("conf_hash", "")), changed, removed)


def find_overrides(params: Values, plain: Values) -> Overrides:
    """Return how `params` differs from `plain`, conf_hash aside."""
    changed = _difference(params, plain)
    changed.pop("conf_hash", None)
    return Overrides(str(params.get("conf_hash")), changed, _difference(plain, params, absent=True))


def _difference(values: Values, others: Values, *, absent: bool = False) -> Values:
    """Return the values that others do not have, or only those under keys absent from others."""
    found: Values = {}
    for key, value in values.items():
        if key not in others:
            found[key] = value
        elif isinstance(value, dict) and value and isinstance(others[key], dict):
            if inner := _difference(value, others[key], absent=absent):
                found[key] = inner
        elif value != others[key] and not absent:
            found[key] = value
    return found


def _merge(values: Values, changed: Values) -> Values:
    merged = dict(values)
    for key, value in changed.items():
        nested = isinstance(value, dict) and isinstance(values.get(key), dict)
        merged[key] = _merge(values[key], value) if nested else value
    return merged


def _remove(values: Values, removed: Values) -> Values:
    """Return the values without the leaves of `removed`, and without what these leave empty."""
    kept = {}
    for key, value in values.items():
        nested = isinstance(value, dict) and isinstance(removed.get(key), dict)
        left = _remove(value, removed[key]) if nested else None
        if key not in removed or left:
            kept[key] = left or value
    return kept


def _as_typed(values: Values, prefix: str = "") -> Iterator[str]:
    for key, value in values.items():
        nested = isinstance(value, dict) and value
        # Hydra's grammar takes a column's name, such as mean.radius, only inside of braces.
        if nested and all(
            re.fullmatch(r"[A-Za-z_][\w-]*", str(inner), re.ASCII) for inner in value
        ):
            yield from _as_typed(value, f"{prefix}{key}.")
        else:
            yield as_override(f"{prefix}{key}", value)


def _quote(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(_quote, value))}]"
    if isinstance(value, dict):
        keys = [re.sub(r"([\\()\[\]{}:=,\s])", r"\\\1", str(key)) for key in value]
        pairs = zip(keys, map(_quote, value.values()), strict=True)
        return f"{{{','.join(f'{key}:{part}' for key, part in pairs)}}}"
    if not isinstance(value, str):
        return json.dumps(value)
    word = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_./-]*", value)
    plain = word and value.lower() not in ("null", "true", "false", "inf", "nan")
    escaped = value.replace("'", "\\'")
    return value if plain else f"'{escaped}'"
