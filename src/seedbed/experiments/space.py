"""What a search may try: Hydra's own words for sweeps, from the command line and from conf/search/<model>.yaml."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, IntervalSweep, Override, RangeSweep
from hydra.errors import HydraException

from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError


@dataclass(frozen=True)
class Dimension:
    """One parameter that is searched: its key as an override names it, and what it may be.

    Raises
    ------
    UserError
        If there is nothing to choose from.
    """

    key: str
    override: Override

    def __post_init__(self) -> None:
        sweep = self.override.value()
        if isinstance(sweep, Glob):
            raise UserError(f"{self.override.input_line}: a search needs the names themselves. Write choice(...).")
        if isinstance(sweep, RangeSweep) and not list(sweep.range()):
            raise UserError(f"{self.override.input_line}: this range holds no value. Its end is not one of its values.")

    def suggest(self, trial: Any, prefix: str = "") -> str:
        """Let an Optuna trial choose a value; return the override that sets it."""
        name = prefix + self.key
        sweep = self.override.value()
        log = "log" in getattr(sweep, "tags", ())
        if isinstance(sweep, IntervalSweep):
            suggest = trial.suggest_int if isinstance(sweep.start, int) else trial.suggest_float
            value = suggest(name, sweep.start, sweep.end, log=log)
        elif isinstance(sweep, RangeSweep) and all(isinstance(x, int) for x in (sweep.start, sweep.stop, sweep.step)):
            values = sorted(sweep.range())
            value = trial.suggest_int(name, values[0], values[-1], step=abs(sweep.step))
        else:
            value = trial.suggest_categorical(name, list(self.override.sweep_string_iterator()))
        return f"{self.key}={value}"


def split_overrides(arguments: list[str]) -> tuple[list[str], list[Dimension]]:
    """Return the overrides that are the same for all jobs, and the dimensions of those that are searched."""
    fixed, searched = [], []
    for text, override in zip(arguments, OverridesParser.create().parse_overrides(arguments), strict=True):
        if override.is_sweep_override():
            searched.append(Dimension(override.get_key_element(), override))
        else:
            fixed.append(text)
    return fixed, searched


def read_space(conf: Path, model: str, task: str) -> list[Dimension]:
    """Return the space of a model, from conf/search; empty if there is none.

    Keys of the other kind of task (`model.classification.*` in a regression, and the reverse) are passed over.

    Raises
    ------
    UserError
        If the file holds something that is no sweep in Hydra's words.
    """
    file = conf / "search" / f"{model}.yaml"
    if not file.exists():
        return []
    other = "model.classification." if task == "regression" else "model.regression."
    found = []
    for key, value in _read(file).items():
        if key.startswith(other):
            continue
        try:
            override = OverridesParser.create().parse_override(f"{key}={value}")
        except HydraException as error:
            raise UserError(f"{file}: {key}: {value!r} cannot be read: {' '.join(str(error).split())}") from None
        if not override.is_sweep_override():
            raise UserError(
                f"{file}: {key}: {value!r} is one value. Write choice(...), range(...), interval(...) or tag(log, interval(...))."
            )
        try:
            found.append(Dimension(key, override))
        except UserError as error:
            raise UserError(f"{file}: {error}") from None
    return found


def _read(file: Path) -> dict[str, Any]:
    content = load_yaml(file)
    if not content:
        raise UserError(f"{file}: it must hold lines of `key: interval(...)`, and does not.")
    return content


Chooser = Callable[[Any], list[str]]


def chooser(searched: list[Dimension], space_of: Callable[[str], list[Dimension]], default_model: str) -> Chooser:
    """Return what makes a trial's overrides: the dimensions of the command line first, then the space of its model.

    Each model's dimensions carry its name, so that one study may hold several models, each with a space of its own.
    """
    typed = {dimension.key for dimension in searched}

    def choose(trial: Any) -> list[str]:
        overrides = [dimension.suggest(trial) for dimension in searched]
        model = next((text.partition("=")[2] for text in overrides if text.startswith("model=")), default_model)
        own = [dimension for dimension in space_of(model) if dimension.key not in typed]
        return overrides + [dimension.suggest(trial, f"{model}:") for dimension in own]

    return choose
