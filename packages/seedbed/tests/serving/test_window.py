"""The counts of a server's last minutes say of its rows what `seedbed monitor` says."""

from collections.abc import Callable
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pytest

from seedbed.config.monitor import Monitor
from seedbed.data.tables import read_table
from seedbed.monitoring.checking import check_rows
from seedbed.monitoring.watching import watch
from seedbed.serving import Bundle, load_bundle
from seedbed.serving.log_files import arrow_inputs
from seedbed.serving.window import MOST_ANSWERS, Slot, WindowFigures, figures_of

Built = Callable[[str], Path]
LIMITS = Monitor(least_rows=20)


def slot(bundle: Bundle, rows: pd.DataFrame, seed: int = 0) -> Slot:
    rows = rows.reset_index(drop=True)
    return Slot.of(bundle, rows, bundle.predict(rows), np.random.default_rng(seed))


def figures(bundle: Bundle, *parts: pd.DataFrame) -> WindowFigures:
    return figures_of(bundle, [slot(bundle, part, n) for n, part in enumerate(parts)], LIMITS)


@pytest.mark.parametrize("name", ["flights", "wine", "diabetes"])
def test_the_figures_are_those_of_monitor(built: Built, name: str) -> None:
    bundle = load_bundle(built(name) / "models/bundle")
    rows = read_table(built(name) / "data/raw")[: MOST_ANSWERS - 1]
    expected = check_rows(bundle, watch(bundle, [rows], bundle.profile), LIMITS)
    found = figures(bundle, rows[:40], rows[40:])
    assert found.rows == len(rows)
    assert found.columns == expected.columns
    assert found.scores == expected.scores
    assert found.metric == expected.metric
    if name == "diabetes":
        assert found.estimated is None
    else:
        assert expected.estimated is not None
        assert found.estimated == pytest.approx(expected.estimated["value"])


@pytest.mark.parametrize("name", ["flights", "wine", "diabetes"])
def test_rows_as_json_sends_them_count_as_those_of_a_table(built: Built, name: str) -> None:
    bundle = load_bundle(built(name) / "models/bundle")
    rows = bundle.samples.rows
    sent = pa.table(arrow_inputs(bundle.signature, rows)).to_pandas()
    found = slot(bundle, sent), slot(bundle, bundle.signature.check(rows))
    assert figures_of(bundle, found[:1], LIMITS) == figures_of(bundle, found[1:], LIMITS)
    assert found[0].months == found[1].months


def test_of_many_rows_a_fair_sample_of_answers_is_kept(built: Built) -> None:
    bundle = load_bundle(built("flights") / "models/bundle")
    rows = read_table(built("flights") / "data/raw")
    rows = rows.assign(score=bundle.predict(rows)["score"]).sort_values("score")
    parts = [slot(bundle, part, seed) for seed, part in enumerate((rows[:300], rows[300:]))]
    parts.append((parts[0] + parts[1]).thinned())
    whole = reduce(add, parts)
    assert all(len(part.answers) <= MOST_ANSWERS for part in parts)
    kept = whole.answers["score"]
    lowest = (kept <= rows["score"].iloc[299]).mean()
    assert lowest == pytest.approx(300 / len(rows), abs=0.04), "no part counts for more"


def test_few_rows_have_no_figures(built: Built) -> None:
    bundle = load_bundle(built("flights") / "models/bundle")
    rows = read_table(built("flights") / "data/raw")[: LIMITS.least_rows - 1]
    assert figures(bundle, rows) == WindowFigures(len(rows), [], [], "roc_auc", None)
    assert figures(bundle).rows == 0


def test_a_slot_is_the_same_once_it_was_written(built: Built) -> None:
    bundle = load_bundle(built("flights") / "models/bundle")
    before = slot(bundle, read_table(built("flights") / "data/raw")[:50])
    after = Slot.from_dict(bundle, orjson.loads(orjson.dumps(before.to_dict())))
    pd.testing.assert_frame_equal(after.answers, before.answers)
    assert figures_of(bundle, [after], LIMITS) == figures_of(bundle, [before], LIMITS)
