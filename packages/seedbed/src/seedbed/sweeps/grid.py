"""The jobs of a grid before any of them runs: how many there are, and whether the values that are swept can be used."""

from math import prod
from pathlib import Path

from hydra import compose
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Glob, Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from seedbed.config.params import check_params
from seedbed.errors import UserError
from seedbed.sweeps.jobs import params_of
from seedbed.sweeps.sweeping import as_typed, compared_by, objectives_of, problem_of, refuse_others


def count_jobs(config: DictConfig) -> int | None:
    """Return how many jobs there will be; None for a sweeper that decides that itself.

    Raises
    ------
    UserError
        If a grid is asked of an interval.
    """
    if "n_trials" in config.hydra.sweeper:
        return int(config.hydra.sweeper.n_trials)
    if not _is_grid(config):
        return None
    overrides = _parsed(config)
    if any(isinstance(one.value(), Glob) for one in overrides):
        return None  # Hydra knows what it stands for once it sweeps
    for one in overrides:
        if one.is_sweep_override() and not one.is_discrete_sweep():
            raise UserError(
                f"{one.input_line}: a grid needs single values, as in choice(...) or range(...). To search an interval, "
                "add hydra/sweeper=optuna or hydra/sweeper=random."
            )
    lengths = [len(list(one.sweep_iterator())) for one in overrides if one.is_discrete_sweep()]
    return prod(lengths)


def check_grid(config: DictConfig, root: Path) -> None:
    """Check the first job of a grid, and one job for each further value of a choice.

    Raises
    ------
    UserError
        If a job's parameters could not be used, or could not be compared with those of the others.
    """
    overrides = _parsed(config)
    if not _is_grid(config) or any(isinstance(one.value(), Glob) for one in overrides):
        return
    tried = [_words(one) for one in overrides]
    first = [words[0] for words in tried if words]
    check_job(config, first, root)
    for number, words in enumerate(tried):
        for word in words[1:]:
            check_job(config, [*first[:number], word, *first[number + 1 :]], root)


def check_job(config: DictConfig, overrides: list[str], root: Path) -> None:
    """Check one job: that its parameters are what the schema says, and its objectives those of the sweep.

    Raises
    ------
    UserError
        If they are not.
    """
    try:
        composed = compose(config.hydra.job.config_name, overrides)
    except (HydraException, OmegaConfBaseException):
        return  # Hydra composes each job before the first one runs, and tells this in its own words
    # First, for a gate that was written for the sweep's own dataset seldom fits another.
    objectives = objectives_of(config.sweep)
    refuse_others(
        overrides, *(compared_by(objectives, problem_of(one, root)) for one in (composed, config))
    )
    values = OmegaConf.to_container(OmegaConf.create(params_of(composed, root)))
    check_params(values, root)  # type: ignore[arg-type]


def _is_grid(config: DictConfig) -> bool:
    return str(config.hydra.sweeper._target_).endswith("BasicSweeper")


def _parsed(config: DictConfig) -> list[Override]:
    return list(OverridesParser.create().parse_overrides(as_typed(config.hydra.overrides.task)))


def _words(override: Override) -> list[str]:
    """Return an override as jobs have it: each value of a choice, the first of a range, whose values are all of a kind."""
    if not override.is_discrete_sweep():
        return [override.input_line]
    prefix = override.input_line.partition("=")[0]
    values = [f"{prefix}={value}" for value in override.sweep_string_iterator()]
    return values if isinstance(override.value(), ChoiceSweep) else values[:1]
