"""The champion, the bundle in use, predicts today's raw test rows and is compared."""

import numpy as np
import pandas as pd

from seedbed.config.modelling import Evaluation, Problem
from seedbed.config.preparation import Cleaning
from seedbed.data.cleaning import clean_rows, clean_values
from seedbed.data.roles import Columns, row_key, target_column
from seedbed.data.tables import ROW, TARGET
from seedbed.errors import UserError, one_line
from seedbed.models.comparison import (
    Comparison,
    compare_answers,
    read_outcome,
    scored_classes,
)
from seedbed.models.features import clusters_of, slices_of
from seedbed.serving.bundle import Bundle
from seedbed.serving.loading import CHAMPION, REQUIREMENTS, load_bundle
from seedbed.serving.recipe import OtherFormatError, Recipe

TRACKED = CHAMPION.with_suffix(".dvc")
"""DVC's file of the champion: where Git has none, nothing was promoted."""
MOST_LETTERS = 200
"""Of a package's own message: the gate's reason is one sentence."""


def has_champion() -> bool:
    """Tell whether a model was promoted in this repository."""
    return TRACKED.exists()


def compare_with_champion(
    raw: pd.DataFrame,
    predictions: pd.DataFrame,
    columns: Columns,
    problem: Problem,
    cleaning: Cleaning,
    evaluation: Evaluation,
    seed: int,
) -> Comparison:
    """Return how the evaluated model stands against the champion in ./models/champion.

    Parameters
    ----------
    raw : DataFrame, shape (n_rows, n_columns)
        data/raw.
    predictions : DataFrame, shape (n_test_rows, n_columns)
        data/predictions: the test rows, and what the challenger predicted for them.

    Raises
    ------
    UserError
        If the champion's files are missing or damaged. Any other obstacle is in the comparison,
        also that the packages that are installed today cannot load the champion.
    """
    try:
        champion = load_bundle(CHAMPION)
    except OtherFormatError as error:
        return Comparison(obstacle=str(error).rstrip("."))
    target, classes = predictions[TARGET], scored_classes(predictions)
    try:
        _refuse_another_question(champion.recipe, columns, problem)
        rows = raw_test_rows(raw, predictions, columns, problem, cleaning)
        _refuse_rows_of_its_training(champion, rows)
        answers = _predict(champion, rows).reset_index(drop=True)
        challenger, incumbent = (
            read_outcome(found, target, problem.task, classes) for found in (predictions, answers)
        )
    except UserError as error:
        return Comparison(obstacle=str(error).rstrip("."))
    slices, clusters = slices_of(predictions), clusters_of(predictions)
    return compare_answers(
        challenger, incumbent, slices, clusters, problem, evaluation.bootstrap, seed
    )


def raw_test_rows(
    raw: pd.DataFrame,
    predictions: pd.DataFrame,
    columns: Columns,
    problem: Problem,
    cleaning: Cleaning,
) -> pd.DataFrame:
    """Return the test rows as they came from the source, in the order of data/predictions.

    They are found by their key after cleaning; of rows with one key, cleaning keeps one.
    """
    cleaned = clean_values(raw, columns, cleaning).assign(_raw=np.arange(len(raw)))
    kept, _ = clean_rows(cleaned, columns, problem, cleaning)
    position = pd.Series(kept["_raw"].to_numpy(), index=row_key(kept, columns).to_numpy())
    position = position[~position.index.duplicated()]
    return raw.iloc[position.loc[predictions[ROW]].to_numpy()].reset_index(drop=True)


def _refuse_another_question(champion: Recipe, columns: Columns, problem: Problem) -> None:
    asked = {"columns.target": (target_column(champion.columns), target_column(columns))}
    for name in ("task", "above", "positive"):
        asked[f"problem.{name}"] = (getattr(champion.problem, name), getattr(problem, name))
    for key, (theirs, ours) in asked.items():
        if theirs != ours:
            raise UserError(
                f"it answers another question: its {key} is {theirs}, and today's is {ours}"
            )


def _predict(champion: Bundle, rows: pd.DataFrame) -> pd.DataFrame:
    try:
        return champion.predict(rows)
    except UserError:
        raise
    except Exception as error:
        # A pipeline that other versions fitted may fail anywhere in the packages of today.
        raise UserError(
            "with the packages that are installed now it cannot score a row "
            f"({type(error).__name__}: {one_line(error)[:MOST_LETTERS]}), "
            f"{CHAMPION / REQUIREMENTS} has its own"
        ) from error


def _refuse_rows_of_its_training(champion: Bundle, rows: pd.DataFrame) -> None:
    known = champion.recipe.columns
    if missing := [name for name in known if name not in rows.columns]:
        raise UserError(
            f"the rows lack its column {', '.join(missing[:3])}, so nobody can tell which rows it "
            "has seen"
        )
    keys = row_key(clean_values(rows, known, champion.recipe.cleaning), known).to_numpy()
    if count := champion.seen.count(keys):
        raise UserError(
            f"it was trained or chosen on at least {count:,} of the {len(rows):,} test rows, and "
            "would look better than it is"
        )
