"""Models of all kinds on the three data sets, each fitted once and never written."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
import yaml

from seedbed.config.columns import resolve_columns
from seedbed.config.compose import compose_text
from seedbed.config.params import typed
from seedbed.data.features import feature_makers
from seedbed.data.featurizing import build_training_table
from seedbed.data.tables import TARGET, read_table
from seedbed.models.decision import Decision, class_labels
from seedbed.models.features import feature_frame, feature_kinds, mark_high_cardinality, split_rows
from seedbed.models.pipeline import build_pipeline, fit_pipeline
from seedbed.serving import Bundle, load_bundle
from seedbed.serving.compiled import compile_or_explain
from seedbed.serving.samples import json_value
from seedbed.serving.signature import Signature

SMALL = {
    "hist_gradient_boosting": ["model.arguments.max_iter=10"],
    "random_forest": ["model.arguments.n_estimators=10"],
}


@pytest.fixture(scope="session")
def bundle_of(built: Callable[[str], Path]) -> Callable[..., Bundle]:
    """Return a function from a dataset, a model and overrides to a bundle with that model."""
    return cache(lambda *chosen: _fit(built(chosen[0]), *chosen))


def _fit(root: Path, dataset: str, model: str, *overrides: str) -> Bundle:
    data = ["dataset.sample=3000"] if dataset == "flights" else [f"dataset={dataset}"]
    asked = [*data, f"model={model}", *SMALL.get(model, []), *overrides]
    values = yaml.safe_load(compose_text(root, asked))
    names = ("columns", "problem", "cleaning", "features", "split", "model")
    columns, problem, cleaning, features, split, chosen = (
        typed(name, values, root) for name in names
    )
    bundle = load_bundle(root / "models/bundle")
    clean = read_table(root / "data/clean")
    known = resolve_columns(columns, clean)
    with contextlib.chdir(root):
        rows = build_training_table(clean, known, problem, features, split)
        train = split_rows(rows, "train")
        kinds = mark_high_cardinality(feature_kinds(rows), train, features.high_cardinality)
        classes = class_labels(train[TARGET], problem.task)
        pipeline = build_pipeline(chosen, problem.task, kinds, 0, split.kind, features=features)
        target = train[TARGET].to_numpy(dtype=str if problem.task == "multiclass" else None)
        fit_pipeline(pipeline, feature_frame(train, kinds), target, model)
        half = clean.iloc[: len(clean) // 2]
        signature = Signature.of(half, known, features, bundle.signature.time_zone)
        recipe = bundle.recipe.model_copy(
            update={
                **{"columns": known, "cleaning": cleaning, "features": features},
                **{"problem": problem, "signature": signature},
                "decision": Decision(problem.task, kinds, classes, 0.3),
            }
        )
        compiled, reason = compile_or_explain(recipe, pipeline)
        makers = feature_makers(known, features)
    return replace(
        bundle,
        **{"recipe": recipe, "pipeline": pipeline, "_makers": makers},
        **{"compiled": compiled, "why_not_compiled": reason},
    )


@pytest.fixture(scope="session")
def raw_rows(built: Callable[[str], Path]) -> Callable[[str], pd.DataFrame]:
    """Return a function from a dataset to its raw rows, in another order."""
    return cache(lambda name: read_table(built(name) / "data/raw").sample(frac=1, random_state=1))


@pytest.fixture(scope="session")
def sent_rows(raw_rows: Callable[[str], pd.DataFrame]) -> Callable[..., list[dict]]:
    """Return a function from a dataset and a number to so many rows as a request sends them."""

    def send(name: str, count: int) -> list[dict]:
        rows = raw_rows(name).head(count).to_dict(orient="records")
        return [{key: json_value(value) for key, value in row.items()} for row in rows]

    return send
