"""One row of flights: the bundle's answer beside the fitted Pipeline's `predict_proba`, in turn.

Run `dvc repro` first, then `python benchmarks/one_row.py`. The Pipeline gets the features of one
row in a DataFrame that was made before; the bundle gets the raw row as a dict, and checks, cleans,
makes features, predicts, decides and warns. OpenMP has one thread: on a machine that does something
else, several make the Pipeline many times slower.

They take turns after --block rows, each of which is asked by itself. In a block of one, what the
Pipeline did just before has taken the processor's caches from the bundle, as in a process that does
other work between two requests; in longer blocks they stay, as in a server that is busy.
"""

import argparse
import contextlib
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from measuring import ROOT

from seedbed.config.modelling import Model
from seedbed.config.yaml_files import load_yaml
from seedbed.data.tables import TARGET, read_table
from seedbed.models.features import feature_frame, split_rows
from seedbed.models.parallel import one_blas_thread
from seedbed.models.pipeline import build_pipeline, fit_pipeline
from seedbed.serving import Bundle, load_bundle
from seedbed.serving.compiled import compile_or_explain
from seedbed.serving.samples import json_value

MODELS = ("hist_gradient_boosting", "logistic_regression", "linear_svm", "random_forest", "mlp")
MODELS = (*MODELS, "stacking", "dummy")
PARTS = ("read", "features", "encode", "predict", "decide")


def bundles(train_rows: int) -> Iterator[tuple[str, Bundle]]:
    """Yield the bundle as it is, and with each other model of conf/model in it."""
    bundle = load_bundle("models/bundle")
    yield "as packaged", bundle
    train = split_rows(read_table(Path("data/features")), "train").tail(train_rows)
    kinds = bundle.recipe.decision.features
    for name in MODELS:
        model = Model.model_validate(load_yaml(Path(f"conf/model/{name}.yaml")))
        pipeline = build_pipeline(model, "binary", kinds, 0, "time")
        fit_pipeline(pipeline, feature_frame(train, kinds), train[TARGET].to_numpy(), name)
        compiled, reason = compile_or_explain(bundle.recipe, pipeline)
        if compiled is None:
            print(f"{name}: {reason}")
            continue
        yield name, replace(bundle, pipeline=pipeline, compiled=compiled)


def seconds(call: Callable[[], Any]) -> float:
    """Return how long a call takes."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def measure(
    bundle: Bundle, rows: list[dict], frame: pd.DataFrame, block: int
) -> tuple[list[float], ...]:
    """Return times of the Pipeline, of the bundle, and of the compiled scoring alone."""
    compiled = bundle.compiled
    assert compiled is not None, bundle.why_not_compiled
    values = [compiled.read(row, []) for row in rows]
    features = list(map(compiled.make_features, values))
    frames = [frame.iloc[[place]] for place in range(len(rows))]
    kinds: list[tuple[list[float], list, Callable[[Any], Any]]] = [
        ([], frames, bundle.pipeline.predict_proba),
        ([], rows, lambda row: bundle.answer([row])),
        ([], features, lambda found: compiled.predict(compiled.encode(found))),
    ]
    for turn, start in enumerate(range(0, len(rows), block)):
        for times, inputs, answer in kinds[:: 1 if turn % 2 else -1]:
            for asked in inputs[start : start + block]:
                times.append(seconds(lambda answer=answer, asked=asked: answer(asked)))
    return tuple(times for times, _, _ in kinds)


def parts(bundle: Bundle, rows: list[dict]) -> dict[str, float]:
    """Return the median microseconds of each part of an answer."""
    compiled = bundle.compiled
    assert compiled is not None, bundle.why_not_compiled
    spent: dict[str, list[float]] = {name: [] for name in PARTS}
    steps: list[Callable[[Any], Any]] = [
        lambda row: compiled.read(row, []),
        compiled.make_features,
        compiled.encode,
        compiled.predict,
        compiled.decide,
    ]
    for row in rows:
        found: Any = row
        for part, step in zip(PARTS, steps, strict=True):
            begin = time.perf_counter()
            found = step(found)
            spent[part].append(time.perf_counter() - begin)
    return {name: statistics.median(times) * 1e6 for name, times in spent.items()}


def main() -> None:
    """Print a line for each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=300, help="rows that are asked, one by one")
    parser.add_argument("--block", type=int, default=20, help="rows in a turn")
    parser.add_argument("--train", type=int, default=50_000, help="rows the models are fitted on")
    chosen = parser.parse_args()
    with contextlib.chdir(ROOT), one_blas_thread():
        features = split_rows(read_table(Path("data/features")), "test")
        clean = read_table(Path("data/clean"))
        for name, bundle in bundles(chosen.train):
            columns = [column.name for column in bundle.signature.columns]
            sample = clean[columns].sample(chosen.rows, random_state=0).to_dict(orient="records")
            rows = [{key: json_value(value) for key, value in row.items()} for row in sample]
            frame = feature_frame(features, bundle.recipe.decision.features).head(chosen.rows)
            slow, fast, alone = measure(bundle, rows, frame, chosen.block)
            ratios = sorted(one / other for one, other in zip(slow, fast, strict=True))
            low, high = ratios[len(ratios) // 20], ratios[-len(ratios) // 20]
            print(
                f"{name:24} Pipeline {statistics.median(slow) * 1e3:6.2f} ms, "
                f"bundle {statistics.median(fast) * 1e6:5.0f} us, "
                f"{statistics.median(ratios):4.0f} times as fast (90 % of rows {low:.0f} to "
                f"{high:.0f}); scoring alone {statistics.median(alone) * 1e6:5.0f} us, "
                f"{statistics.median(slow) / statistics.median(alone):4.0f} times"
            )
            shares = (f"{part} {spent:.1f}" for part, spent in parts(bundle, rows).items())
            print(f"{'':24} of that in us: {', '.join(shares)}", flush=True)


if __name__ == "__main__":
    main()
