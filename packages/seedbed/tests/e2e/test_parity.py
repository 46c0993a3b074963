"""What is served is what was tested: the bundle answers raw rows as `evaluate` recorded it, to the last bit."""

from pathlib import Path

import pytest

from support import Served

SINGLE = 40


@pytest.fixture(scope="module")
def served(prepared: Path) -> Served:
    return Served(prepared)


def test_the_whole_test_set_is_answered_as_it_was_recorded(served: Served) -> None:
    assert len(served.recorded) > 300
    assert len(served.rows) == len(served.recorded), "every test row is found among the raw rows"
    assert served.disagreements() == []


def test_a_row_alone_is_answered_as_it_is_among_others(served: Served) -> None:
    step = len(served.rows) // SINGLE
    together = served.bundle.predict(served.rows)
    for place in range(0, len(served.rows), step):
        alone = served.bundle.predict(served.rows.iloc[[place]])
        assert alone.equals(together.iloc[[place]]), served.rows.iloc[place].to_dict()


def test_the_order_of_rows_and_columns_does_not_matter(served: Served) -> None:
    shuffled = served.rows.sample(frac=1, random_state=0)[list(served.rows.columns[::-1])]
    assert (
        served.bundle.predict(shuffled)
        .loc[served.rows.index]
        .equals(served.bundle.predict(served.rows))
    )


def test_what_is_known_only_after_the_outcome_is_not_looked_at(served: Served) -> None:
    columns = served.bundle.recipe.columns
    hidden = [
        name for name, column in columns.items() if column.role in ("target", "known_after_outcome")
    ]
    assert "arr_delay" in hidden
    without = served.rows.drop(columns=hidden)
    assert served.bundle.predict(without).equals(served.bundle.predict(served.rows))
