"""Current rows beside the reference of a bundle: what drifted, how it performs, what to do."""

from dataclasses import asdict, dataclass, replace
from enum import IntEnum
from typing import Any

import numpy as np
import pandas as pd

from seedbed.config.schema import Monitor
from seedbed.data.features import make_target
from seedbed.models.comparison import read_outcome, scored_classes
from seedbed.models.intervals import with_interval
from seedbed.models.metrics import Metric, find_metric
from seedbed.monitoring.domain import DomainDrift, compare_domains
from seedbed.monitoring.performance import Figure, Performance, clusters_of, estimate, measure
from seedbed.monitoring.watching import Watched
from seedbed.serving.bundle import Bundle
from seedbed.serving.drift import ColumnDrift, compare_profiles


class State(IntEnum):
    """What was decided: the exit code of `seedbed monitor`."""

    CALM = 0
    DRIFT = 3
    PERFORMANCE_LOST = 4
    TOO_FEW_ROWS = 5


@dataclass(frozen=True)
class Report:
    """What `seedbed monitor` found.

    Attributes
    ----------
    model : str
        The bundle's version.
    rows, reference_rows : int
    reference : str
        What the reference is, for people.
    columns : list of ColumnDrift
        The worst first.
    scores : list of ColumnDrift
        Of what was predicted.
    domain : DomainDrift or None
        None where the reference is a profile: it has no rows.
    performance : list of Performance
        Of all rows, then of slices; empty where no outcome has come.
    estimated : mapping or None
        The deciding metric as the scores let expect it.
    metric : str
        The deciding one.
    """

    model: str
    rows: int
    reference_rows: int
    reference: str
    columns: list[ColumnDrift]
    scores: list[ColumnDrift]
    domain: DomainDrift | None
    performance: list[Performance]
    estimated: Figure | None
    metric: str
    reasons: list[str]
    state: State

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {**asdict(self), "state": self.state.name.lower()}


def check_rows(
    bundle: Bundle,
    current: Watched,
    limits: Monitor,
    reference: Watched | None = None,
    same_season: bool = True,
) -> Report:
    """Compare current rows with a reference, by default with the bundle's own profile.

    Parameters
    ----------
    bundle : Bundle
    current : Watched
        In the bins of the reference.
    limits : Monitor
        From which effects on something is reported as drift or as lost performance.
    reference : Watched, optional
        Other rows to compare with.
    same_season : bool
        Whether only the months of the year that the current rows are of are looked at in the
        bundle's profile, if it has all of them.
    """
    inputs, scores = bundle.profile.inputs, bundle.profile.scores
    about, periods, domain = "the train rows of the model", None, None
    if reference is not None:
        inputs, scores, about = reference.inputs, reference.scores, "the rows given"
        domain = compare_domains(reference.sample, current.sample)
    elif same_season and current.months and current.months <= inputs.rows.keys():
        periods = current.months
        about = f"{about}, of month {', '.join(sorted(periods))}"
    metric = find_metric(bundle.recipe.problem.metric, bundle.recipe.problem.task)
    performance, estimated = _perform(bundle, current, metric, limits)
    report = Report(
        model=bundle.version,
        rows=len(current.answers),
        reference_rows=sum(
            rows for period, rows in inputs.rows.items() if periods is None or period in periods
        ),
        reference=about,
        columns=compare_profiles(inputs, current.inputs, limits, periods),
        scores=compare_profiles(scores, current.scores, limits),
        domain=domain,
        performance=performance,
        estimated=estimated,
        metric=metric.name,
        reasons=[],
        state=State.CALM,
    )
    return _decide(report, limits)


def _perform(
    bundle: Bundle, current: Watched, metric: Metric, limits: Monitor
) -> tuple[list[Performance], Figure | None]:
    problem, answers = bundle.recipe.problem, current.answers
    classes = tuple(sorted(scored_classes(answers)))
    clusters = clusters_of(current.times, current.groups, len(answers))
    target = current.target
    anything: Any = {"binary": False, "multiclass": classes[:1], "regression": 0.0}[problem.task]
    unknown = pd.Series(np.resize(np.array(anything), len(answers)))
    expected = estimate(read_outcome(answers, unknown, problem.task, classes), metric, clusters)
    if target is None or target.notna().sum() < limits.least_rows:
        return [], expected
    known = target.notna().to_numpy()
    truth = make_target(target[known], problem).reset_index(drop=True)
    slices = {name: values[known].reset_index(drop=True) for name, values in current.slices.items()}
    outcome = read_outcome(answers[known].reset_index(drop=True), truth, problem.task, classes)
    return measure(outcome, metric, slices, clusters[known], bundle.metrics, limits), expected


def _decide(report: Report, limits: Monitor) -> Report:
    if min(report.rows, report.reference_rows) < limits.least_rows:
        few = f"{report.rows:,} rows and {report.reference_rows:,} of the reference"
        return replace(
            report,
            reasons=[f"{few}: with fewer than {limits.least_rows:,} nothing is decided"],
            state=State.TOO_FEW_ROWS,
        )
    lost = [found for found in report.performance if found.lost]
    reasons = []
    for found in lost:
        where = f" where {found.part}" if found.part else ""
        now, before = with_interval(found.current), with_interval(found.before)
        reasons.append(f"{report.metric}{where} is {now}, and was {before} on the test rows")
    drifts = [
        f"{drift.column}: {reason}"
        for drift in [*report.columns, *report.scores]
        for reason in drift.reasons
    ]
    domain = report.domain
    if domain and domain.auc >= limits.domain_auc and domain.p < limits.false_alarms:
        names = ", ".join(domain.importances)
        drifts.append(
            f"all columns together: current rows are told from the reference with an AUC of "
            f"{domain.auc:.2f}, most by {names}"
        )
    state = State.PERFORMANCE_LOST if lost else State.DRIFT if drifts else State.CALM
    return replace(report, reasons=[*reasons, *drifts], state=state)
