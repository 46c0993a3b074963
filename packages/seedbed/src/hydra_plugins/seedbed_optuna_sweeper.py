"""Hydra's sweeper on Optuna 5. Thin and lazy: Hydra imports every plugin at each start."""

from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class OptunaSweeper(Sweeper):
    """Asks an Optuna study for jobs, in batches, and tells it their objectives.

    Parameters
    ----------
    sampler : DictConfig
        An Optuna sampler, as `_target_` and arguments.
    n_trials : int
        Jobs in all, those of an earlier run of the same sweep included.
    batch : int, optional
        Jobs at a time; by default as many as the launcher runs at once.
    seed : int
        Of the sampler.
    """

    def __init__(self, sampler: DictConfig, n_trials: int, batch: int | None, seed: int) -> None:
        self.sampler = sampler
        self.n_trials = n_trials
        self.batch = batch
        self.seed = seed

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take what Hydra hands over, and make the launcher."""
        self.config = config
        self.hydra_context = hydra_context
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """Run the study to its number of trials."""
        from seedbed.sweeps.study import run_study

        return run_study(self)
