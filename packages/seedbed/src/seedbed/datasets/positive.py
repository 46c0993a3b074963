"""The positive class: which of the two values of a target is asked for."""

import numpy as np
import pandas as pd

from seedbed.data.texts import TRUTH_PAIRS
from seedbed.datasets.columns import ColumnValues
from seedbed.errors import UserError, did_you_mean


def positive_place(
    column: ColumnValues, numbers: pd.Series | None, positive: str | None
) -> tuple[int, str]:
    """Return which of two values is the positive class, and why."""
    shown = [str(value).strip() for value in column.distinct]
    if positive is not None:
        wanted = positive.strip().casefold()
        exact = [place for place, text in enumerate(shown) if text == positive.strip()]
        alike = [place for place, text in enumerate(shown) if text.casefold() == wanted]
        if numbers is not None and not exact:
            alike = [
                p for p, number in enumerate(numbers) if wanted in (f"{number:g}", str(number))
            ]
        if len(exact or alike) != 1:
            raise UserError(
                f"--positive {positive}: {column.name} is {shown[0]!r} or {shown[1]!r}"
                f"{did_you_mean(positive, shown)}. Name one of the two."
            )
        return (exact or alike)[0], "named by --positive"
    small = sorted(text.lower() for text in shown)
    pair = next((pair for pair in TRUTH_PAIRS if sorted(pair) == small), None)
    if pair is not None:
        return [text.lower() for text in shown].index(pair[0]), f"it says {pair[0]}"
    if numbers is not None and sorted(numbers) == [-1, 1]:
        return int(numbers.argmax()), "1 of -1 and 1"
    if column.counts[0] == column.counts[1]:
        place = int(np.argmax(shown))
        return place, "both have equally many rows; the last by name is taken"
    place = int(column.counts.argmin())
    return place, f"the rarer one, {column.counts[place] / column.present:.1%} of the rows"
