"""The bundle in memory: it checks raw rows, answers the question for them, and warns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from seedbed.data.cleaning import clean_values
from seedbed.data.features import Makers, make_features
from seedbed.errors import UserError, one_line
from seedbed.models.features import feature_frame
from seedbed.models.outcome import Floats
from seedbed.models.predicting import predict_scores
from seedbed.serving.code import ProjectCode
from seedbed.serving.compiled import CompiledModel, UnusualRowError
from seedbed.serving.compiled.model import Odd
from seedbed.serving.recipe import Recipe
from seedbed.serving.reference import Reference
from seedbed.serving.samples import Samples, json_value
from seedbed.serving.seen_rows import SeenRows
from seedbed.serving.signature import Rows, Signature
from seedbed.serving.unusual import find_unusual

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

FEW = 100
"""More rows are answered faster together, in columns."""


@dataclass(frozen=True)
class CheckedRows:
    """Rows that fit a bundle's signature, cleaned: what :meth:`Bundle.check` returns."""

    cleaned: pd.DataFrame
    index: pd.Index


@dataclass(slots=True)  # frozen, it takes three times as long to make
class Answers:
    """What :meth:`Bundle.answer` returns."""

    # `prediction` and `score`, or `score_<class>` of each class, of each row, as JSON holds them
    rows: list[dict[str, Any]]
    warnings: list[str]  # a sentence for each column with values beyond those in training
    # of each row the places of columns, with their values, that are missing or may not have been in
    # training; None if the compiled form did not answer
    odd: Odd | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Bundle:
    """A model that was loaded, ready to predict."""

    recipe: Recipe  # how raw rows are cleaned, made into features and decided
    pipeline: "Pipeline"
    metrics: dict[str, Any]  # what train and evaluate measured
    seen: SeenRows  # which rows the model was trained or chosen on
    samples: Samples  # rows, and the answers that this bundle must give to them
    profile: Reference  # how the model's inputs and scores were distributed, to notice drift
    version: str  # the first letters of the hash of all that the bundle holds
    packages: dict[str, str]  # the versions of the packages that the pipeline was fitted with
    card: str  # the model card, in Markdown
    _makers: Makers = field(repr=False)
    _code: ProjectCode = field(repr=False)
    # what answers few rows without pandas, in about a hundredth of the time
    compiled: CompiledModel | None = field(default=None, repr=False)
    why_not_compiled: str = ""  # why there is none; empty if there is one

    @property
    def signature(self) -> Signature:
        """The columns that :meth:`predict` needs."""
        return self.recipe.signature

    def check(self, raw_rows: Rows) -> CheckedRows:
        """Return rows for :meth:`predict` and :meth:`warn`, so that both are given the same check.

        Raises UserError if the rows do not fit the signature.
        """
        checked = self.signature.check(raw_rows)
        index, rows = checked.index, checked.reset_index(drop=True)
        return CheckedRows(clean_values(rows, self.recipe.columns, self.recipe.cleaning), index)

    def predict(self, rows: Rows | CheckedRows) -> pd.DataFrame:
        """Answer the question for raw rows: the same cleaning and the same features as in training.

        Parameters
        ----------
        rows : DataFrame of shape (n_rows, n_columns), mapping, sequence of mappings, or CheckedRows
            As ingested or as sent: a frame, a dict that is one row, or a list of dicts. Columns
            that the signature does not list are not looked at.

        Returns
        -------
        DataFrame, shape (n_rows, n_answers)
            `prediction` (bool, str or the target's unit), and `score` (binary: probability of the
            positive class) or one `score_<class>` for each class of a multiclass problem. Same
            index as `rows`.

        Raises UserError if the rows do not fit the signature.
        """
        checked = rows if isinstance(rows, CheckedRows) else self.check(rows)
        try:
            scores = self._score(self.features_of(checked.cleaned))
        except ValueError as error:
            raise UserError(
                f"The model cannot score these rows: {one_line(error)} Compare their values with "
                "those that the signature lists."
            ) from error
        return pd.DataFrame(self.recipe.decision.answers(scores)).set_axis(checked.index)

    def features_of(self, cleaned: pd.DataFrame) -> pd.DataFrame:
        """Return what the pipeline is given for rows that were checked and cleaned."""
        with self._code.active():
            features = make_features(cleaned, self._makers)
        return feature_frame(features, self.recipe.decision.features)

    def _score(self, features: pd.DataFrame) -> Floats:
        if self.compiled is not None:
            return self.compiled.scores(features)
        decision = self.recipe.decision
        with self._code.active():
            return predict_scores(self.pipeline, features, decision.task, decision.classes)

    def answer(self, rows: Sequence[Mapping[str, Any]]) -> Answers:
        """Answer few rows, fast: the same as :meth:`predict` and :meth:`warn`, to the last bit.

        Raises UserError if the rows do not fit the signature.
        """
        if self.compiled is not None and len(rows) <= FEW:
            try:
                return Answers(*self.compiled.answer(rows))
            except UnusualRowError:
                pass  # the slow path reads it, or says what is wrong
        checked = self.check(rows)
        return Answers(_as_json(self.predict(checked)), self.warn(checked))

    def warn(self, rows: Rows | CheckedRows) -> list[str]:
        """Return a sentence for each column with values beyond those in training."""
        checked = rows if isinstance(rows, CheckedRows) else self.check(rows)
        return find_unusual(self.signature, checked.cleaned)


def _as_json(answers: pd.DataFrame) -> list[dict[str, Any]]:
    found = answers.to_dict(orient="records")
    return [{name: json_value(value) for name, value in row.items()} for row in found]
