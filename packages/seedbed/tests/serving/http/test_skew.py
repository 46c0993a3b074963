"""The test rows are answered over HTTP, in every format, as evaluate answered them: to the last bit."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from http_server import WRITE, Server, serving
from seedbed.data.tables import read_table
from seedbed.serving import load_bundle
from seedbed.serving.champion import raw_test_rows
from seedbed.serving.samples import json_value

from support import PAIRS, TASKS

ALONE = 25
"""So many rows are also asked one by one."""


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as JSON holds them."""
    return [
        {name: json_value(value) for name, value in row.items()}
        for row in table.to_dict(orient="records")
    ]


def ways(server: Server, rows: pd.DataFrame) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the answers to rows, by each way in which they can be asked."""
    sent = records(rows)

    def asked(part: Any) -> list[dict[str, Any]]:
        response = server.post(part)
        assert response.status_code == 200, response.text
        return response.json()["answers"]

    yield "rows, all at once", asked({"rows": sent})
    fifties = [sent[start : start + 50] for start in range(0, len(sent), 50)]
    yield "rows, fifty at a time", [answer for few in fifties for answer in asked({"rows": few})]
    yield "rows, one by one", [asked({"rows": [row]})[0] for row in sent[:ALONE]]
    yield "columns", asked({"columns": {name: [row[name] for row in sent] for name in rows}})
    for kind, write in WRITE.items():
        response = server.post(write(rows), content_type=kind)
        assert response.status_code == 200, response.text
        yield kind, response.json()["answers"]


def differences(root: Path, log: Path) -> dict[str, int]:
    """Return how many test rows are answered in another way than by evaluate."""
    bundle = load_bundle(root / "models/bundle")
    recipe, predictions = bundle.recipe, read_table(root / "data/predictions")
    raw = read_table(root / "data/raw")
    rows = raw_test_rows(raw, predictions, recipe.columns, recipe.problem, recipe.cleaning)
    names = [column.name for column in bundle.signature.columns]
    wanted = predictions.rename(columns=lambda name: name.removeprefix("_"))
    expected = records(wanted[list(bundle.samples.answers[0])])
    assert len(expected) == len(rows) > ALONE
    with serving(root / "models/bundle", log) as server:
        found = {}
        for way, answers in ways(server, rows[names]):
            some = expected[: len(answers)]
            found[way] = sum(one != other for one, other in zip(answers, some, strict=True))
            assert len(answers) == (ALONE if way.endswith("by one") else len(expected))
        return found


@pytest.mark.parametrize("task", TASKS)
def test_no_answer_differs_from_evaluates(
    built: Callable[[str], Path], tmp_path: Path, task: str
) -> None:
    found = differences(built(task), tmp_path / "log")
    assert found == dict.fromkeys(found, 0)


@pytest.mark.slow
@pytest.mark.parametrize(("task", "model"), PAIRS)
def test_no_answer_of_any_model_differs_from_evaluates(
    built: Callable[..., Path], tmp_path: Path, task: str, model: str
) -> None:
    found = differences(built(task, model), tmp_path / "log")
    assert found == dict.fromkeys(found, 0)
