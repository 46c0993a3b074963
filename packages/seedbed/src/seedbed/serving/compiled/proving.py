"""The proof that a compiled form does as the Pipeline: on a bundle's sample rows, at each load."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seedbed.serving.compiled.exceptions import UnusualRowError
from seedbed.serving.compiled.model import CompiledModel
from seedbed.serving.compiled.values import is_missing
from seedbed.serving.samples import json_value

if TYPE_CHECKING:
    from seedbed.serving.bundle import Bundle


def find_difference(
    compiled: CompiledModel,
    rows: Sequence[Mapping[str, Any]],
    uncompiled: "Bundle",
) -> str:
    """Return how the compiled form does otherwise than the Pipeline, empty if it does not.

    Parameters
    ----------
    rows : sequence of dict
        As a request sends them. They are asked as they are, and the first of them with each value
        missing, and with each category unseen.
    """
    if not rows:
        return "there are no sample rows to compare it with the Pipeline"
    first = dict(rows[0])
    unseen = {c.name: "never seen" for c in compiled.columns if c.type == "category"}
    missing = [first | {column.name: None} for column in compiled.columns]
    asked = [*map(dict, rows), *missing, first | unseen, dict.fromkeys(first)]
    checked = uncompiled.check(asked)
    features = uncompiled.features_of(checked.cleaned)
    answers = uncompiled.predict(checked).to_dict(orient="records")
    columns = [features[name].tolist() for name in features]
    compared = 0
    for place, row in enumerate(asked):
        try:
            values = compiled.read(row, [])
            [answer], *_ = compiled.answer([row])
        except UnusualRowError:
            continue
        compared += 1
        made = compiled.make_features(values)
        for name, value, column in zip(features, made, columns, strict=True):
            if (found := _shown(value)) != (wanted := _shown(column[place])):
                return f"its feature {name} is {found} where the Pipeline's is {wanted}"
        expected = {name: json_value(value) for name, value in answers[place].items()}
        if json.dumps(answer) != json.dumps(expected):
            return f"it answers {answer} where the Pipeline answers {expected}"
    return "" if compared else "it can read none of the sample rows"


def _shown(value: Any) -> str:
    return "missing" if is_missing(value) else repr(value)
