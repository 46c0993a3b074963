"""What a search may try: Hydra's own words for sweeps, from the command line and from conf/search/<model>.yaml."""

import math
from collections.abc import Iterator
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
        If there is nothing to choose from, or not on that scale.
    """

    key: str
    override: Override

    def __post_init__(self) -> None:
        sweep = self.override.value()
        if isinstance(sweep, Glob):
            raise UserError(
                f"{self.override.input_line}: a search needs the names themselves. Write choice(...)."
            )
        if isinstance(sweep, RangeSweep) and not list(sweep.range()):
            raise UserError(
                f"{self.override.input_line}: this range holds no value. Its end is not one of its values."
            )
        if isinstance(sweep, IntervalSweep):
            if not -math.inf < sweep.start <= sweep.end < math.inf:
                raise UserError(
                    f"{self.override.input_line}: this goes from no number to a larger one. Write it as in interval(0, 1)."
                )
            if "log" in sweep.tags and sweep.start <= 0:
                raise UserError(
                    f"{self.override.input_line}: a logarithmic scale has no {sweep.start}. Write a lower end above 0, or leave "
                    "out tag(log, ...)."
                )

    def suggest(self, trial: Any, prefix: str = "") -> str:
        """Let an Optuna trial choose a value; return the override that sets it."""
        name = prefix + self.key
        sweep = self.override.value()
        log = "log" in getattr(sweep, "tags", ())
        if isinstance(sweep, IntervalSweep):
            suggest = trial.suggest_int if isinstance(sweep.start, int) else trial.suggest_float
            value = suggest(name, sweep.start, sweep.end, log=log)
        elif isinstance(sweep, RangeSweep) and all(
            isinstance(x, int) for x in (sweep.start, sweep.stop, sweep.step)
        ):
            values = sorted(sweep.range())
            value = trial.suggest_int(name, values[0], values[-1], step=abs(sweep.step))
        else:
            value = trial.suggest_categorical(name, list(self.override.sweep_string_iterator()))
        return f"{self.key}={value}"

    def examples(self) -> list[str]:
        """Return overrides that stand for all: each one of a choice, which may be that of a file, but one of many numbers."""
        sweep = self.override.value()
        if isinstance(sweep, IntervalSweep):
            return [f"{self.key}={sweep.start}"]
        found = [f"{self.key}={value}" for value in self.override.sweep_string_iterator()]
        return found[:1] if isinstance(sweep, RangeSweep) else found


@dataclass(frozen=True)
class Plan:
    """What the jobs of a search are made of.

    Attributes
    ----------
    fixed : list of str
        The overrides that all jobs share.
    typed : list of Dimension
        What the command line searches.
    own : dict of str to list of Dimension
        By model, what its file searches beside that.
    default : str
        The model of a job whose `typed` has none.
    """

    fixed: list[str]
    typed: list[Dimension]
    own: dict[str, list[Dimension]]
    default: str

    def job(self, trial: Any) -> list[str]:
        """Let an Optuna trial choose; return the overrides of its job.

        Each model's own dimensions carry its name, so that one study may hold several models, each with a space of its own.
        """
        typed = [dimension.suggest(trial) for dimension in self.typed]
        model = next(
            (text.partition("=")[2] for text in typed if text.startswith("model=")), self.default
        )
        return [
            *self.fixed,
            *typed,
            *(dimension.suggest(trial, f"{model}:") for dimension in self.own[model]),
        ]

    def examples(self) -> Iterator[tuple[str, list[str]]]:
        """Yield models with jobs that, taken together, hold each key of each model and each choice."""
        for model, own in self.own.items():
            typed = [
                [f"model={model}"] if one.key == "model" else one.examples() for one in self.typed
            ]
            columns = [*typed, *(one.examples() for one in own)]
            for number in range(max(map(len, columns), default=0)):
                yield model, [*self.fixed, *(column[number % len(column)] for column in columns)]


def make_plan(arguments: list[str], default: str, conf: Path, task: str) -> Plan:
    """Return what to search by these overrides; the files of the spaces are read now, once.

    What the command line says of a key, be it one value or several, goes before what a file says of it.

    Raises
    ------
    UserError
        If neither the command line nor conf/search says what to search, or either is mistaken.
    """
    fixed, searched = split_overrides(arguments)
    models = [
        str(value)
        for dimension in searched
        if dimension.key == "model"
        for value in dimension.override.sweep_string_iterator()
    ]
    said = {_bare(text.partition("=")[0]) for text in arguments}
    spaces = {model: read_space(conf, model, task) for model in models or [default]}
    own = {
        model: [one for one in space if _bare(one.key) not in said]
        for model, space in spaces.items()
    }
    if not searched and not own[default]:
        file = f"conf/search/{default}.yaml"
        why = (
            f"each key of {file} has its value on the command line"
            if spaces[default]
            else f"model={default} has no {file}"
        )
        raise UserError(
            f"there is nothing to search: {why}, and no override is a sweep. "
            f"Write such keys into that file, or something like 'seed=range(20)'."
        )
    return Plan(fixed, searched, own, default)


def split_overrides(arguments: list[str]) -> tuple[list[str], list[Dimension]]:
    """Return the overrides that are the same for all jobs, and the dimensions of those that are searched."""
    fixed, searched = [], []
    for text, override in zip(
        arguments, OverridesParser.create().parse_overrides(arguments), strict=True
    ):
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
            raise UserError(
                f"{file}: {key}: {value!r} cannot be read: {' '.join(str(error).split())}"
            ) from None
        if not override.is_sweep_override():
            raise UserError(
                f"{file}: {key}: {value!r} is one value. Write choice(...), range(...), interval(...) or tag(log, interval(...))."
            )
        try:
            found.append(Dimension(key, override))
        except UserError as error:
            raise UserError(f"{file}: {error}") from None
    return found


def _bare(key: str) -> str:
    """Return the key of an override without the sign that adds or removes it."""
    return key.lstrip("+~")


def _read(file: Path) -> dict[str, Any]:
    content = load_yaml(file)
    if not content:
        raise UserError(f"{file}: it must hold lines of `key: interval(...)`, and does not.")
    return content
