"""The search space: Hydra's words for sweeps, typed or in conf/search/<model>.yaml."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

from hydra import compose
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, IntervalSweep, Override, RangeSweep
from hydra.errors import HydraException
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from seedbed.config.composition import explain_hydra
from seedbed.config.params import check_params
from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError, one_line
from seedbed.sweeps.jobs import params_of, read_job_objectives
from seedbed.sweeps.snapshot import Sweep

Space = dict[str, Override]
"""What is searched, by the key as an override names it."""


@dataclass(frozen=True)
class Plan:
    """What the jobs of a sweep are made of."""

    fixed: list[str]  # the overrides that all jobs share
    typed: Space  # what the command line sweeps
    own: dict[str, Space]  # by model, what its file sweeps beside that; empty in a grid
    default: str  # the model of a job where the command line sweeps none
    jobs: int | None = None  # how many there will be, where that is known

    def job(self, trial: Any) -> list[str]:
        """Let an Optuna trial choose; return the overrides of its job.

        A model's own parameters carry its name, so that several models search in one study.
        """
        chosen = {key: suggest(trial, key, one) for key, one in self.typed.items()}
        model = chosen.get("model", self.default)
        chosen |= {
            key: suggest(trial, f"{model}:{key}", one) for key, one in self.own[model].items()
        }
        return [*self.fixed, *(f"{key}={value}" for key, value in chosen.items())]

    def examples(self) -> Iterator[list[str]]:
        """Yield jobs that, taken together, hold each key of each model and each choice."""
        for model, own in self.own.items():
            spaces = {**self.typed, **own}
            columns = [
                [f"model={model}"]
                if key == "model" and len(self.own) > 1
                else [f"{key}={value}" for value in _example_values(override)]
                for key, override in spaces.items()
            ]
            for number in range(max(map(len, columns), default=1)):
                yield [*self.fixed, *(column[number % len(column)] for column in columns)]


def as_typed(overrides: ListConfig) -> list[str]:
    """Return overrides from Hydra's own configuration as they were typed, `${...}` included."""
    typed: Any = OmegaConf.to_container(overrides, resolve=False)
    return list(typed)


def plan_sweep(config: DictConfig, root: Path) -> Plan | None:
    """Return the plan of the sweep that Hydra has composed; None if only Hydra knows its jobs.

    Raises UserError if a job could not be made of it.
    """
    if "n_trials" in config.hydra.sweeper:
        return replace(plan_search(config, root), jobs=int(config.hydra.sweeper.n_trials))
    if str(config.hydra.sweeper._target_).endswith("BasicSweeper"):
        return plan_grid(as_typed(config.hydra.overrides.task))
    return None


def plan_search(config: DictConfig, root: Path) -> Plan:
    """Return the plan of a search by Optuna, in the spaces of `root`/conf/search."""
    task, model = str(config.problem.task), str(config.hydra.runtime.choices.model)
    return plan_models(as_typed(config.hydra.overrides.task), model, root / "conf", task)


def plan_grid(arguments: list[str]) -> Plan | None:
    """Return the plan of a grid; None with a glob, which Hydra resolves.

    Raises UserError if a grid is asked of an interval.
    """
    fixed, typed = _split(arguments)
    sweeps = [override.value() for override in typed.values()]
    if any(isinstance(sweep, Glob) for sweep in sweeps):
        return None
    for override, sweep in zip(typed.values(), sweeps, strict=True):
        if isinstance(sweep, IntervalSweep):
            raise UserError(
                f"{override.input_line}: a grid needs single values, as in choice(...) or "
                "range(...). To search an interval, add hydra/sweeper=optuna or "
                "hydra/sweeper=random."
            )
    jobs = prod(len(list(override.sweep_iterator())) for override in typed.values())
    return Plan(fixed, typed, {"": {}}, "", jobs)


def plan_models(arguments: list[str], default: str, conf: Path, task: str) -> Plan:
    """Return the plan of a search; what the command line says of a key goes before the file.

    Parameters
    ----------
    arguments : list of str
        The overrides of the command line.
    default : str
        The model where they choose none.
    conf : Path
        The folder of search/<model>.yaml.
    task : {"binary", "multiclass", "regression"}
        Keys of the other kind of task, as `model.regression.alpha`, are passed over.

    Raises UserError if neither the command line nor conf/search says what to search, or either is
    mistaken.
    """
    fixed, typed = _split(arguments)
    for override in typed.values():
        _check(override)
    models = list(typed["model"].sweep_string_iterator()) if "model" in typed else [default]
    given = {text.lstrip("+~").partition("=")[0] for text in arguments}
    own = {}
    for model in models:
        space = read_space(conf, str(model), task)
        own[str(model)] = {key: one for key, one in space.items() if key not in given}
    if not typed and not own[default]:
        file = f"conf/search/{default}.yaml"
        exists = (conf / "search" / f"{default}.yaml").exists()
        why = "each of its keys has a value on the command line" if exists else "it does not exist"
        raise UserError(
            f"there is nothing to search: no override is a sweep, and of {file}, {why}. Write keys "
            "into that file, or something like 'seed=range(20)'."
        )
    return Plan(fixed, typed, own, default)


def read_space(conf: Path, model: str, task: str) -> Space:
    """Return the space of a model from conf/search; empty if it has none.

    Raises UserError if the file holds something that is no sweep in Hydra's words.
    """
    file = conf / "search" / f"{model}.yaml"
    if not file.exists():
        return {}
    content = load_yaml(file)
    if not content:
        raise UserError(f"{file}: it holds nothing. Write lines such as `key: interval(0, 1)`.")
    other_task = "model.classification." if task == "regression" else "model.regression."
    space = {}
    for key, value in content.items():
        if key.startswith(other_task):
            continue
        try:
            override = OverridesParser.create().parse_override(f"{key}={value}")
        except HydraException as error:
            raise UserError(f"{file}: {key}: {value!r} cannot be read: {one_line(error)}") from None
        if not override.is_sweep_override():
            raise UserError(
                f"{file}: {key}: {value!r} is one value. Write choice(...), range(...), "
                "interval(...) or tag(log, interval(...))."
            )
        try:
            _check(override)
        except UserError as error:
            raise UserError(f"{file}: {error}") from None
        space[key] = override
    return space


def suggest(trial: Any, name: str, override: Override) -> Any:
    """Let an Optuna trial choose a value of a sweep."""
    sweep = override.value()
    if isinstance(sweep, IntervalSweep):
        ask = trial.suggest_int if isinstance(sweep.start, int) else trial.suggest_float
        return ask(name, sweep.start, sweep.end, log="log" in sweep.tags)
    if isinstance(sweep, RangeSweep) and all(isinstance(x, int) for x in sweep.range()):
        values = sorted(sweep.range())
        return trial.suggest_int(name, values[0], values[-1], step=abs(sweep.step))
    return trial.suggest_categorical(name, list(override.sweep_string_iterator()))


def check_job(config: DictConfig, overrides: list[str], sweep: Sweep) -> None:
    """Check that a job's parameters fit the schema, and that its objectives are those of the sweep.

    Raises UserError if they do not, or Hydra cannot compose the job.
    """
    root = Path(sweep.root)
    try:
        composed = compose(config.hydra.job.config_name, overrides)
    except (HydraException, OmegaConfBaseException) as error:
        reason = explain_hydra(error, root / "conf")
        raise UserError(
            f"{' '.join(overrides)}: this job cannot be composed: {reason} Correct the "
            "override, on the command line or in conf/search."
        ) from None
    # First, since a gate that was written for the sweep's own dataset seldom fits another.
    read_job_objectives(overrides, composed, sweep)
    values = OmegaConf.to_container(OmegaConf.create(params_of(composed, root)))
    check_params(values, root)  # type: ignore[arg-type]


def _split(arguments: list[str]) -> tuple[list[str], Space]:
    """Return the overrides that all jobs share, and those that are sweeps, by their keys."""
    overrides = OverridesParser.create().parse_overrides(arguments)
    typed = {one.get_key_element(): one for one in overrides if one.is_sweep_override()}
    fixed = [one.input_line for one in overrides if not one.is_sweep_override()]
    return fixed, typed


def _example_values(override: Override) -> list[str]:
    """Return values that stand for all: each one of a choice, but one of many numbers."""
    sweep = override.value()
    if isinstance(sweep, IntervalSweep):
        return [str(sweep.start)]
    found = [str(value) for value in override.sweep_string_iterator()]
    return found[:1] if isinstance(sweep, RangeSweep) else found


def _check(override: Override) -> None:
    """Refuse a sweep that a search cannot choose from."""
    sweep, text = override.value(), override.input_line
    if isinstance(sweep, Glob):
        raise UserError(f"{text}: a search needs the names themselves. Write choice(...).")
    if isinstance(sweep, RangeSweep) and not list(sweep.range()):
        raise UserError(f"{text}: this range holds no value: its end is not one of its values.")
    if isinstance(sweep, IntervalSweep):
        if not -math.inf < sweep.start <= sweep.end < math.inf:
            raise UserError(f"{text}: an interval goes from a number to a larger one: (0, 1).")
        if "log" in sweep.tags and sweep.start <= 0:
            raise UserError(
                f"{text}: a logarithmic scale begins above 0, not at {sweep.start}. Write a larger "
                "start, or leave out tag(log, ...)."
            )
