"""Whatever is sent, the server answers as its description says, and never with an error of its own."""

import json
from typing import Any

import pandas as pd
import pytest
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from http_server import ARROW, CSV, PARQUET, WRITE, Server, refusal
from seedbed.serving import Bundle

from support import LONG

DESCRIBED = 2600 if LONG else 150
"""Examples of each mode of schemathesis: of what fits the description, and of what does not."""
CHANGED = 3000 if LONG else 100
"""Examples of requests that are almost right."""


@pytest.mark.slow
@pytest.mark.parametrize("mode", GenerationMode)
def test_answers_are_as_described(server: Server, mode: GenerationMode) -> None:
    described = schemathesis.openapi.from_url(f"http://127.0.0.1:{server.port}/openapi.json")
    asked = 0
    for result in described.get_all_operations():
        operation = result.ok()
        if mode is GenerationMode.NEGATIVE and operation.method != "post":
            continue  # there is nothing to get wrong

        # An explanation takes as long as some hundred answers.
        examples = {"/predict": DESCRIBED, "/explain": DESCRIBED // 10}.get(operation.path, 3)

        @settings(max_examples=examples, database=None)
        @given(operation.as_strategy(generation_mode=mode))
        def check(case: Case) -> None:
            nonlocal asked
            response = case.call()
            excluded = []
            if not (isinstance(case.body, dict) and "rows" in case.body):
                # No schema says that columns are of one length, or what is CSV, Parquet or Arrow.
                excluded.append(positive_data_acceptance)
            if response.status_code == 413:  # which schemathesis does not take for a refusal
                excluded.append(negative_data_rejection)
            case.validate_response(response, excluded_checks=excluded)
            asked += 1

        check()
    assert asked >= DESCRIBED
    assert server.process_lives()


anything = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner,
                                                                max_size=3),
    max_leaves=5,
)  # fmt: skip


@st.composite
def requests(draw: st.DrawFn, row: dict[str, Any]) -> Any:
    """A request that is right but for a few values, columns or keys."""
    rows = [dict(row) for _ in range(draw(st.integers(1, 3)))]
    for place in draw(st.lists(st.integers(0, len(rows) - 1), max_size=3)):
        name = draw(st.sampled_from([*row, "other"]))
        if draw(st.booleans()):
            rows[place][name] = draw(anything)
        else:
            rows[place].pop(name, None)
    if draw(st.booleans()):
        return {"rows": rows}
    return {"columns": {name: [each.get(name) for each in rows] for name in rows[0]}}


def ask(server: Server, body: Any) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = server.post(content)
    if response.status_code != 200:
        assert response.status_code in (400, 413, 422)
        refusal(response, response.status_code)
    else:
        answer = response.json()
        assert answer.keys() == {"model", "answers", "warnings"}
        assert all(0 <= found["score"] <= 1 for found in answer["answers"])


def test_rows_that_are_almost_right_are_answered_or_refused(server: Server, bundle: Bundle) -> None:
    row = dict(bundle.samples.rows[0])

    @settings(max_examples=CHANGED, database=None)
    @given(requests(row) | st.binary(max_size=200) | anything)
    def check(body: Any) -> None:
        ask(server, body)

    check()
    assert server.process_lives()


@pytest.mark.parametrize("kind", [CSV, PARQUET, ARROW])
def test_tables_with_changed_bytes_are_answered_or_refused(
    server: Server, bundle: Bundle, kind: str
) -> None:
    good = WRITE[kind](pd.DataFrame(bundle.samples.rows[:3]))

    @settings(max_examples=CHANGED, database=None)
    @given(st.lists(st.tuples(st.integers(0, len(good) - 1), st.integers(0, 255)), max_size=4),
           st.integers(0, len(good)))  # fmt: skip
    def check(changes: list[tuple[int, int]], cut: int) -> None:
        body = bytearray(good)
        for place, byte in changes:
            body[place] = byte
        response = server.post(bytes(body if changes else body[:cut]), content_type=kind)
        if response.status_code != 200:
            refusal(response, response.status_code)
            assert response.status_code in (400, 413, 422)

    check()
    assert server.process_lives()
