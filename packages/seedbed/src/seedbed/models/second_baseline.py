"""A second baseline: the same estimator behind the preprocessing that skrub chooses by itself.

The first baseline is a constant answer. This one says what the project's own features and
preprocessing are worth beside https://skrub-data.org/stable/reference/generated/skrub.tabular_pipeline.html
"""

from typing import TYPE_CHECKING, Any

import pandas as pd
from numpy.typing import NDArray

from seedbed.config.modelling import Evaluation, Model, Problem, Task
from seedbed.data.tables import FOLD, TARGET
from seedbed.models.decision import Decision, encode_target, make_decision
from seedbed.models.estimator import build_estimator, innermost
from seedbed.models.features import clusters_of, feature_frame, split_rows
from seedbed.models.intervals import as_text, compare
from seedbed.models.metrics import find_metric, metrics_of
from seedbed.models.outcome import Outcome
from seedbed.models.parallel import run_in_parallel
from seedbed.models.pipeline import fit_pipeline
from seedbed.models.predicting import predict_scores

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

KEY = "second_baseline"
"""Where details.json holds it."""


def measure_second_baseline(
    rows: pd.DataFrame,
    part: str,
    outcome: Outcome,
    decision: Decision,
    model: Model,
    problem: Problem,
    evaluation: Evaluation,
    seed: int,
) -> dict[str, Any]:
    """Fit it on the train rows, and measure it beside the model on the rows of one part.

    Parameters
    ----------
    rows : DataFrame, shape (n_rows, n_columns)
        data/features.
    part : {"validation", "test"}
    outcome : Outcome
        The model's, on the rows of that part.
    decision : Decision
        The model's: kinds of the features, and classes.

    Returns
    -------
    dict
        Under `second_baseline`, where the evaluation asks for one: its name; `figures` of every
        metric; and `difference`, positive where the model is better.
    """
    if evaluation.second_baseline is None:
        return {}
    parts = {name: split_rows(rows, name) for name in {"train", "validation", part}}
    kinds, classes, task = decision.features, decision.classes, problem.task
    frames = {name: feature_frame(found, kinds) for name, found in parts.items()}
    truths = {name: encode_target(found[TARGET], task, classes) for name, found in parts.items()}
    target = decision.fit_target(truths["train"])
    pipeline = skrub_pipeline(model, task, seed, parts["train"][FOLD].to_numpy())
    (fitted,) = run_in_parallel(
        [lambda: fit_pipeline(pipeline, frames["train"], target, model.name)], "second baseline"
    )
    scores = {name: predict_scores(fitted, frames[name], task, classes) for name in parts}
    # It gets a threshold of its own, chosen as the model's was.
    own = make_decision(
        problem, kinds, classes, truths["train"], truths["validation"], scores["validation"]
    )
    figures = compare(
        outcome,
        dict.fromkeys(metrics_of(task), own.outcome(truths[part], scores[part])),
        {},
        clusters_of(parts[part]),
        find_metric(problem.metric, task),
        evaluation.bootstrap,
        seed,
    )
    found = {"figures": figures["baseline"], "difference": figures["difference"]}
    return {KEY: {"name": evaluation.second_baseline, **found}}


def describe_second_baseline(details: dict[str, Any]) -> str:
    """Return its deciding figure as the end of a sentence, empty where there is none."""
    if KEY not in details:
        return ""
    value = details[KEY]["figures"][details["metric"]]["value"]
    return f"; {details[KEY]['name']}'s pipeline has {as_text(value)}"


def skrub_pipeline(model: Model, task: Task, seed: int, folds: NDArray) -> "Pipeline":
    """Return the model's estimator, unfitted, behind the preprocessing that skrub takes for it.

    Parameters
    ----------
    folds : ndarray, shape (n_rows,)
        Of the train rows: calibration and stacking follow them.
    """
    from skrub import tabular_pipeline

    estimator = build_estimator(model, task, seed, "group", folds)
    pipeline = tabular_pipeline(innermost(estimator))
    # skrub goes by the estimator itself; what calibrates it or transforms the target goes around.
    pipeline.steps[-1] = (pipeline.steps[-1][0], estimator)
    open_seeds = [
        name
        for name, value in pipeline.get_params().items()
        if name.endswith("random_state") and value is None
    ]
    return pipeline.set_params(**dict.fromkeys(open_seeds, seed))
