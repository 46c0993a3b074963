"""Why a row has its score: the effects of its columns, of real models of the three tasks."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from math import comb
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from seedbed.errors import UserError
from seedbed.serving.bundle import Bundle
from seedbed.serving.explaining import explain
from seedbed.serving.loading import load_bundle
from seedbed.serving.samples import Samples
from seedbed.serving.signature import InputColumn

Built = Callable[[str], Path]
NAMES = ("flights", "wine", "diabetes")


def loaded(built: Built, name: str, samples: int = 50) -> Bundle:
    """The bundle of a dataset, with fewer samples to compare with."""
    bundle = load_bundle(built(name) / "models/bundle")
    kept = Samples(bundle.samples.rows[:samples], bundle.samples.answers[:samples])
    return replace(bundle, samples=kept)


def score_of(bundle: Bundle, rows: list[dict[str, Any]], prediction: Any) -> list[float]:
    answers = bundle.predict(rows)
    names = (f"score_{prediction}", "score", "prediction")
    return list(answers[next(name for name in names if name in answers)])


def row_like(sample: dict[str, Any], other: dict[str, Any], differing: int) -> dict[str, Any]:
    """A row with the values of `sample`, but for the first columns in which `other` has others."""
    names = [name for name in sample if sample[name] != other[name]][:differing]
    return {**sample, **{name: other[name] for name in names}}


def by_definition(bundle: Bundle, row: dict[str, Any], prediction: Any) -> dict[str, float]:
    """Shapley values as their definition says, of the columns in which the one sample differs."""
    (sample,) = bundle.samples.rows
    names = [name for name in row if row[name] != sample[name]]
    coalitions = [chosen for size in range(len(names) + 1) for chosen in combinations(names, size)]
    rows = [{**sample, **{name: row[name] for name in chosen}} for chosen in coalitions]
    worth = dict(zip(map(frozenset, coalitions), score_of(bundle, rows, prediction), strict=True))
    return {
        name: sum(
            (worth[others | {name}] - worth[others])
            / (len(names) * comb(len(names) - 1, len(others)))
            for others in worth
            if name not in others
        )
        for name in names
    }


@pytest.mark.parametrize("evaluations", [256, 255], ids=["enumerated", "sampled"])
@pytest.mark.parametrize("name", NAMES)
def test_effects_are_those_of_the_definition(built: Built, name: str, evaluations: int) -> None:
    bundle = loaded(built, name, samples=1)
    row = row_like(dict(bundle.samples.rows[0]), dict(loaded(built, name).samples.rows[7]), 8)
    found = explain(bundle, row, evaluations=evaluations)
    expected = by_definition(bundle, row, found.prediction)
    assert len(expected) == 8
    exact = evaluations == 256
    for column, effect in found.effects.items():
        assert effect.error == 0 or not exact
        allowed = 1e-9 if exact else 5 * effect.error + 1e-9
        assert abs(effect.effect - expected.get(column, 0.0)) <= allowed, column


@pytest.mark.parametrize("name", NAMES)
def test_effects_add_up_to_score_minus_base(built: Built, name: str) -> None:
    bundle = loaded(built, name)
    rows = list(bundle.samples.rows[:3])
    for row, answer in zip(rows, bundle.answer(rows).rows, strict=True):
        found = explain(bundle, row)
        assert list(found.effects) == [column.name for column in bundle.signature.columns]
        assert {column: effect.value for column, effect in found.effects.items()} == row
        assert found.prediction in (answer["prediction"], found.score)
        (score,) = score_of(bundle, [row], found.prediction)
        assert found.score == score
        base = score_of(bundle, list(bundle.samples.rows), found.prediction)
        assert found.base == pytest.approx(sum(base) / len(base), rel=1e-12)
        total = sum(effect.effect for effect in found.effects.values())
        assert total == pytest.approx(found.score - found.base, rel=0, abs=1e-9)
        assert any(effect.effect for effect in found.effects.values())


def test_the_seed_decides_which_permutations_are_taken(built: Built) -> None:
    bundle = loaded(built, "flights")
    row = dict(bundle.samples.rows[0])
    found = explain(bundle, row, evaluations=2000)
    assert explain(bundle, row, evaluations=2000) == found
    assert explain(bundle, row, evaluations=2000, seed=1) != found


def test_the_effects_of_a_linear_model_are_its_terms(built: Built) -> None:
    bundle = loaded(built, "diabetes")
    row, samples = dict(bundle.samples.rows[0]), bundle.samples.rows
    found = explain(bundle, row)
    assert found == explain(bundle, dict(reversed(row.items()))), "the order says nothing"
    for name, effect in found.effects.items():
        others = score_of(bundle, [row | {name: sample[name]} for sample in samples], None)
        term = found.score - sum(others) / len(others)
        assert effect.effect == pytest.approx(term, rel=0, abs=1e-9)
        assert effect.error < 1e-9


def test_a_column_that_the_model_does_not_use_has_no_effect(built: Built) -> None:
    bundle = loaded(built, "flights")
    row = dict(bundle.samples.rows[0])
    found = explain(bundle, row | {"tailnum": "N123"}, evaluations=2000)
    assert "tailnum" not in found.effects
    same = {name: row[name] for name in ("dest",)}
    alike = replace(bundle, samples=Samples([s | same for s in bundle.samples.rows], []))
    found = explain(alike, row, evaluations=2000)
    assert (found.effects["dest"].effect, found.effects["dest"].error) == (0, 0)


def test_more_evaluations_make_the_error_smaller(built: Built) -> None:
    bundle = loaded(built, "flights")
    row = bundle.samples.rows[0]
    errors = [
        max(effect.error for effect in explain(bundle, row, evaluations=count).effects.values())
        for count in (5000, 80_000)
    ]
    assert 0 < errors[1] < errors[0] / 2


def test_missing_and_unseen_values_are_explained(built: Built) -> None:
    bundle = loaded(built, "flights")
    row = dict(bundle.samples.rows[0]) | {"dest": "XXX", "wind_gust": None, "distance": 1e6}
    found = explain(bundle, row, evaluations=2000)
    assert found.effects["dest"].value == "XXX"
    assert found.effects["wind_gust"].value is None
    total = sum(effect.effect for effect in found.effects.values())
    assert total == pytest.approx(found.score - found.base, rel=0, abs=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"distance": "far"},
            "column distance: 1 of 1 values cannot be read, the first in row 0: 'far'",
        ),
        (
            {"distance": float("inf")},
            "column distance: 1 of 1 values cannot be read, the first in row 0: inf",
        ),
    ],
    ids=["text", "infinite"],
)
def test_a_bad_row_is_refused(built: Built, change: dict[str, Any], message: str) -> None:
    bundle = loaded(built, "flights")
    with pytest.raises(UserError) as refusal:
        explain(bundle, {**bundle.samples.rows[0], **change})
    assert message in str(refusal.value)


def test_a_bundle_that_cannot_be_explained_says_why(built: Built) -> None:
    bundle = loaded(built, "diabetes")
    row = bundle.samples.rows[0]
    with pytest.raises(UserError, match="has no sample rows to compare with"):
        explain(replace(bundle, samples=Samples([], [])), row)
    many = [InputColumn(name=f"x{n}", type="number", nullable=False) for n in range(1001)]
    signature = bundle.signature.model_copy(update={"columns": many})
    recipe = bundle.recipe.model_copy(update={"signature": signature})
    with pytest.raises(UserError, match="has 1001 input columns"):
        explain(replace(bundle, recipe=recipe), row)


def test_a_model_that_says_the_same_of_every_row_has_no_effects(
    new_root: Path, run_stages: Callable[..., None]
) -> None:
    gate = ["gate.better_than_baseline=false", "~gate.thresholds.rmse", "evaluation=quick"]
    run_stages(new_root, ["dataset=diabetes", "model=dummy", *gate])
    bundle = load_bundle(new_root / "models/bundle")
    found = explain(bundle, bundle.samples.rows[0])
    assert found.score == found.base
    assert pd.Series([effect.effect for effect in found.effects.values()]).eq(0).all()
