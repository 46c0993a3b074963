"""From a batch to its answers: what a worker does."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seedbed.data.values import ValueReadError
from seedbed.serving.bundle import Bundle
from seedbed.serving.scoring.batches import Batch, Rejected
from seedbed.serving.scoring.reading import Wording, read_frame, set_aside
from seedbed.serving.unusual import Unusual, count_unusual

PREDICTION = "prediction"
VERSION = "model_version"
TYPES = {"binary": pa.bool_(), "multiclass": pa.string(), "regression": pa.float64()}
"""Of the prediction, by task."""


@dataclass(frozen=True)
class Scored:
    """The answers to a batch."""

    answers: pa.Table  # shape (n_good_rows, n_answers)
    # shape (n_rows,), or None: which rows are answered; None: all
    good: NDArray[np.bool_] | None = None
    rejected: list[Rejected] = field(default_factory=list)
    unusual: dict[str, Unusual] = field(default_factory=dict)  # by column, where there is any


def answer_schema(bundle: Bundle) -> pa.Schema:
    """Return the names and types of a bundle's answers."""
    decision = bundle.recipe.decision
    scores: list[Any] = {
        "binary": ["score"],
        "multiclass": [f"score_{label}" for label in decision.classes],
        "regression": [],
    }[decision.task]
    return pa.schema(
        [(PREDICTION, TYPES[decision.task]), *((name, pa.float64()) for name in scores)]
    )


def score_batch(bundle: Bundle, batch: Batch, wording: Wording) -> Scored:
    """Answer the rows of a batch that fit the bundle's signature.

    Rows are looked at one by one only where the batch as a whole does not fit.
    """
    schema = answer_schema(bundle)
    if not len(batch.numbers):
        return Scored(schema.empty_table(), rejected=batch.rejected)
    good, rejected = None, batch.rejected
    try:
        checked = bundle.check(read_frame(batch, bundle.signature, wording))
    except ValueReadError:
        good, wrong = set_aside(batch, bundle.signature, wording)
        rejected = sorted([*rejected, *wrong], key=lambda found: found.row)
        if not good.any():
            return Scored(schema.empty_table(), good, rejected)
        kept = Batch(batch.columns.filter(pa.array(good)), batch.numbers[good], batch.taken)
        checked = bundle.check(read_frame(kept, bundle.signature, wording))
    answers = bundle.predict(checked)
    counted = {
        column.name: count_unusual(checked.cleaned[column.name], column)
        for column in bundle.signature.columns
    }
    unusual = {name: found for name, found in counted.items() if found != Unusual()}
    table = pa.Table.from_pandas(answers, schema=schema, preserve_index=False)
    return Scored(table, good, rejected, unusual)
