"""What is wrong with rows is told to whoever sent them; a mistake of the project's code is not."""

import pytest

from seedbed.errors import CodeError, InputError, UserError
from seedbed.serving.http.refusals import Refusal


@pytest.mark.parametrize(
    ("error", "by_columns", "where"),
    [
        (InputError("w", "distance", 3, "a number"), False, "rows[3].distance"),
        (InputError("w", "distance", 3, "a number"), True, "columns.distance[3]"),
        (InputError("w", "distance", None, "a number"), False, "rows.distance"),
        (UserError("there are no rows"), False, "rows"),
        (UserError("there are no rows"), True, "columns"),
    ],
)
def test_rows_that_do_not_fit_are_refused(error: UserError, by_columns: bool, where: str) -> None:
    refusal = Refusal.of(error, by_columns)
    assert (refusal.status, refusal.where, refusal.message) == (422, where, str(error))


def test_a_mistake_of_the_projects_code_is_one_of_the_server() -> None:
    error = CodeError("the kind of feature clock_minutes gives None")
    with pytest.raises(CodeError) as raised:
        Refusal.of(error, by_columns=False)
    assert raised.value is error
