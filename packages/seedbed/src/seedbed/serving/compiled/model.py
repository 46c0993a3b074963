"""A whole model for one row at a time: read, clean, make features, encode, predict, decide."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

from seedbed.config.features import plan_features
from seedbed.models.decision import Decision
from seedbed.models.outcome import Floats
from seedbed.serving.compiled.encoders import compile_steps, take_steps_apart
from seedbed.serving.compiled.estimators import compile_estimator
from seedbed.serving.compiled.exceptions import NotCompilableError, UnusualRowError
from seedbed.serving.compiled.features import MakeFeatures, compile_features
from seedbed.serving.compiled.tables import compile_scores
from seedbed.serving.compiled.values import Read, compile_reader, is_missing
from seedbed.serving.recipe import Recipe
from seedbed.serving.signature import InputColumn
from seedbed.serving.unusual import Unusual

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

Answer = dict[str, Any]
Odd = list[list[tuple[int, Any]]]
Answers = tuple[list[Answer], list[str], Odd]


@dataclass(frozen=True)
class CompiledModel:
    """What a bundle does to raw rows, as functions on plain Python values."""

    columns: Sequence[InputColumn]
    # by the name of each column what reads and cleans a value of it
    readers: Sequence[tuple[str, Read]]
    # of each column whether a value was in training; None if any may have been
    checks: Sequence[Callable[[Any], bool] | None]
    # of the values of a row; it returns the features in the order of the Pipeline
    make_features: MakeFeatures
    encode: Callable[[Sequence[Any]], list[float]]  # of the features of a row
    predict: Callable[[list[float]], list[float]]  # of the encoded row
    # of what was predicted; returns the answer as JSON holds it
    decide: Callable[[list[float]], Answer]
    scores: Callable[["pd.DataFrame"], Floats]  # of the features of many rows, in a DataFrame

    def answer(self, rows: Sequence[Mapping[str, Any]]) -> Answers:
        """Return the answers to raw rows, and a sentence for each column with unusual values.

        And of each row the places of columns with the values that are missing, or may not have been
        in training.

        Raises UnusualRowError if a row is to be left to the slow path, which answers or refuses it.
        """
        answers, looked_at = [], []
        unusual: dict[int, list[Any]] = {}
        for row in rows:
            odd: list[int] = []
            values = self.read(row, odd)
            for place in odd:
                is_usual = self.checks[place]
                if is_usual is not None and not is_usual(values[place]):
                    unusual.setdefault(place, []).append(values[place])
            looked_at.append([(place, values[place]) for place in odd])
            encoded = self.encode(self.make_features(values))
            answers.append(self.decide(self.predict(encoded)))
        if not answers:
            raise UnusualRowError
        return answers, self._describe(unusual) if unusual else [], looked_at

    def read(self, row: Mapping[str, Any], odd: list[int]) -> list[Any]:
        """Return the values of a raw row, checked and cleaned; `odd` becomes longer by places.

        Raises UnusualRowError as :meth:`answer`.
        """
        if type(row) is not dict:
            raise UnusualRowError
        try:
            return [read(row[name], odd) for name, read in self.readers]
        except KeyError:
            raise UnusualRowError from None

    def _describe(self, unusual: Mapping[int, list[Any]]) -> list[str]:
        sentences = []
        for place in sorted(unusual):
            found = unusual[place]
            others = [value for value in found if not is_missing(value)]
            column = self.columns[place]
            counted = Unusual.of(column, len(found) - len(others), others)
            sentences += counted.sentences(column)
        return sentences


def compile_model(recipe: Recipe, pipeline: "Pipeline") -> CompiledModel:
    """Return the compiled form of a recipe and its fitted pipeline.

    The project's own kinds of features must be registered.

    Raises NotCompilableError if it names a part that has none.
    """
    columns, decision = recipe.signature.columns, recipe.decision
    zone = recipe.signature.time_zone
    places = {column.name: place for place, column in enumerate(columns)}
    readers = [(c.name, compile_reader(c, places[c.name], recipe.cleaning, zone)) for c in columns]
    types = {column.name: column.type for column in columns}
    plan = plan_features(recipe.columns, recipe.features)
    make = compile_features({name: plan[name] for name in decision.features}, places, types)
    estimator = pipeline[-1]
    method = "predict" if decision.task == "regression" else "predict_proba"
    try:
        steps = take_steps_apart(pipeline)
        encode = compile_steps(steps, {name: n for n, name in enumerate(decision.features)})
        predict = compile_estimator(estimator, method, steps.sparse)
        scores = compile_scores(steps, estimator, decision.task, decision.classes)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise NotCompilableError(
            f"this version of scikit-learn ({type(error).__name__}: {error})"
        ) from error
    decide = _decider(decision, [] if method == "predict" else list(estimator.classes_))
    checks = [_usual(column) for column in columns]
    return CompiledModel(columns, readers, checks, make, encode, predict, decide, scores)


def compile_or_explain(recipe: Recipe, pipeline: "Pipeline") -> tuple[CompiledModel | None, str]:
    """Return the compiled form, or None and why there is none."""
    try:
        return compile_model(recipe, pipeline), ""
    except NotCompilableError as error:
        return None, f"There is no compiled form of {error}."


def _usual(column: InputColumn) -> Callable[[Any], bool] | None:
    """Return whether a value was in training, as count_unusual judges it."""
    nullable = column.nullable
    if column.categories is not None and column.complete:
        return frozenset([*column.categories, *([None] if nullable else [])]).__contains__
    if column.minimum is not None and column.maximum is not None:
        low, high = column.minimum, column.maximum
        return lambda value: low <= value <= high or (nullable and isnan(value))
    return None if nullable else lambda value: not is_missing(value)


def _decider(decision: Decision, classes: Sequence[Any]) -> Callable[[list[float]], Answer]:
    if decision.task == "regression":

        def decide_number(found: list[float]) -> Answer:
            return {"prediction": _known(found[0])}

        return decide_number
    if decision.task == "binary":
        positive = classes.index(True)
        threshold = 0.5 if decision.threshold is None else decision.threshold

        def decide_two(found: list[float]) -> Answer:
            score = _known(found[positive])
            return {"prediction": score >= threshold, "score": score}

        return decide_two
    labels = [str(label) for label in classes]
    places = [labels.index(name) if name in labels else None for name in decision.classes]
    names = [f"score_{label}" for label in decision.classes]

    def decide_class(found: list[float]) -> Answer:
        scores = [0.0 if place is None else _known(found[place]) for place in places]
        label = decision.classes[scores.index(max(scores))]
        return {"prediction": label, **dict(zip(names, scores, strict=True))}

    return decide_class


def _known(number: float) -> float:
    if isnan(number):
        raise UnusualRowError
    return number
