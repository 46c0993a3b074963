"""What `seedbed monitor` finds and what it misses: false alarms, drift, planted faults, estimates.

Runs on the flights of data/raw and models/bundle, as `make repro` leaves them.
"""

import argparse
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pandas as pd
from measuring import ROOT

from seedbed.config.monitor import Monitor
from seedbed.data.features import make_target
from seedbed.data.tables import read_table
from seedbed.models.comparison import read_outcome
from seedbed.models.estimation import estimate
from seedbed.models.metrics import metrics_of
from seedbed.monitoring.checking import Report, State, check_rows
from seedbed.monitoring.performance import clusters_of
from seedbed.monitoring.watching import watch
from seedbed.serving import Bundle, load_bundle
from seedbed.serving.reference import Reference

LIMITS = Monitor()
Fault = Callable[[pd.DataFrame, float, np.random.Generator], pd.DataFrame]


@cache
def bundle() -> Bundle:
    """Return the packaged model."""
    return load_bundle(ROOT / "models/bundle")


@cache
def month(number: int) -> pd.DataFrame:
    """Return the raw rows of a month."""
    rows = read_table(ROOT / "data/raw")
    return rows[rows["time_hour"].dt.month == number]


def compare(reference: pd.DataFrame, current: pd.DataFrame) -> Report:
    """Return what is found between two samples of raw rows."""
    before = watch(bundle(), [reference], None)
    now = watch(bundle(), [current], Reference(before.inputs, before.scores))
    return check_rows(bundle(), now, LIMITS, before)


def halves(trials: int) -> None:
    """Random halves of one month do not differ: every alarm is false."""
    october = month(10).drop(columns="arr_delay")
    for share in (0.01, 0.1, 1.0):
        alarms = 0
        for seed in range(trials):
            rows = october.sample(frac=share, random_state=seed)
            first = rows.sample(frac=0.5, random_state=seed + 10_000)
            alarms += compare(first, rows.drop(first.index)).state is State.DRIFT
        print(f"halves of {share:>4.0%} of October: {alarms} false alarms in {trials} trials")


def months(trials: int) -> None:
    """September and December differ."""
    found = 0
    for seed in range(trials):
        before, now = (
            month(number).drop(columns="arr_delay").sample(frac=0.1, random_state=seed)
            for number in (9, 12)
        )
        found += compare(before, now).state is State.DRIFT
    print(f"10 % of September and of December: found in {found} of {trials} trials")


def unit_changed(rows: pd.DataFrame, share: float, random: np.random.Generator) -> pd.DataFrame:
    """Miles become kilometres."""
    return rows.assign(
        distance=rows["distance"].where(~_some(rows, share, random), rows["distance"] * 1.609)
    )


def category_renamed(rows: pd.DataFrame, share: float, random: np.random.Generator) -> pd.DataFrame:
    """An airport gets another code."""
    renamed = (rows["origin"] == "LGA") & _some(rows, share, random)
    return rows.assign(origin=rows["origin"].mask(renamed, "LaGuardia"))


def more_missing(rows: pd.DataFrame, share: float, random: np.random.Generator) -> pd.DataFrame:
    """More values are missing."""
    return rows.assign(temp=rows["temp"].mask(_some(rows, share, random)))


def frozen(rows: pd.DataFrame, share: float, random: np.random.Generator) -> pd.DataFrame:
    """A sensor repeats one value."""
    return rows.assign(pressure=rows["pressure"].mask(_some(rows, share, random), 1016.0))


def flipped(rows: pd.DataFrame, share: float, random: np.random.Generator) -> pd.DataFrame:
    """Late and punctual are mixed up for one airport."""
    wrong = (rows["origin"] == "JFK") & rows["arr_delay"].notna() & _some(rows, share, random)
    late = rows["arr_delay"] > 15
    return rows.assign(arr_delay=rows["arr_delay"].mask(wrong, np.where(late, 0.0, 60.0)))


def uncoupled(rows: pd.DataFrame, share: float, random: np.random.Generator) -> pd.DataFrame:
    """Temperature and dew point no longer belong to each other; each looks as before."""
    moved = np.flatnonzero(_some(rows, share, random))
    values = rows["dewp"].to_numpy(copy=True)
    values[moved] = values[random.permutation(moved)]
    return rows.assign(dewp=values)


FAULTS: dict[str, tuple[Fault, str, tuple[float, ...]]] = {
    "unit of distance changed": (unit_changed, "distance", (1.0, 0.5, 0.3, 0.2, 0.1, 0.0)),
    "category of origin renamed": (category_renamed, "origin", (1.0, 0.3, 0.1, 0.05, 0.03, 0.0)),
    "temp missing more often": (more_missing, "temp", (0.1, 0.07, 0.05, 0.03, 0.0)),
    "pressure frozen": (frozen, "pressure", (1.0, 0.5, 0.3, 0.2, 0.1, 0.0)),
    "late flipped at JFK": (flipped, "origin = JFK", (1.0, 0.5, 0.3, 0.2, 0.1, 0.0)),
    "temp and dewp uncoupled": (uncoupled, "dewp", (1.0, 0.5, 0.3, 0.2, 0.1, 0.0)),
}


def faults(trials: int) -> None:
    """Of each fault, planted into half of a month: in how many trials it is found and named."""
    for name, (fault, named, shares) in FAULTS.items():
        found = {share: sum(_finds(month(10), fault, named, share, trials)) for share in shares}
        least = min((share for share in shares if found[share] >= 0.9 * trials), default=None)
        smallest = "never in 9 of 10" if least is None else f"in 9 of 10 from {least:.0%} on"
        print(f"{name}: {smallest}; found of {trials}, by share of the rows: "
              + ", ".join(f"{share:.0%} {count}" for share, count in found.items()))  # fmt: skip


def _finds(
    rows: pd.DataFrame, fault: Fault, named: str, share: float, trials: int
) -> Iterator[bool]:
    for seed in range(trials):
        before = rows.sample(frac=0.5, random_state=seed)
        now = fault(rows.drop(before.index), share, np.random.default_rng(seed))
        if fault is not flipped:
            now = now.drop(columns="arr_delay")
        report = compare(before, now)
        yield any(named in reason for reason in report.reasons)


def _some(rows: pd.DataFrame, share: float, random: np.random.Generator) -> np.ndarray:
    return random.random(len(rows)) < share


def estimates() -> None:
    """The metrics as scores let expect them beside the true ones, in months without train rows."""
    problem = bundle().recipe.problem
    for number in (10, 11, 12):
        rows = month(number).dropna(subset=["arr_delay"]).reset_index(drop=True)
        truth = make_target(rows["arr_delay"], problem)
        outcome = read_outcome(bundle().predict(rows), truth, "binary", (False, True))
        clusters = clusters_of(rows["time_hour"], None, len(rows))
        for name in ("roc_auc", "brier", "f1"):
            metric = metrics_of("binary")[name]
            found, true = estimate(outcome, metric, clusters), metric.of(outcome)
            assert found is not None
            interval = f"{found['low']:.3f} to {found['high']:.3f}"
            print(
                f"month {number}, {name}: estimated {found['value']:.3f} ({interval}), "
                f"true {true:.3f}, off by {found['value'] - true:+.3f}"
            )


PARTS: dict[str, Callable[[int], None]] = {
    "halves": halves,
    "months": months,
    "faults": lambda trials: faults(max(1, trials // 10)),
    "estimates": lambda trials: estimates(),
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="default: all")
    parser.add_argument("--trials", type=int, default=100, help="of planted faults a tenth of it")
    chosen = parser.parse_args()
    for part in chosen.parts or PARTS:
        PARTS[part](chosen.trials)
