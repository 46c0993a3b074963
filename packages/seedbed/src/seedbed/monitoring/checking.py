"""Current rows beside the reference of a bundle: what drifted, how it performs, what to do."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import IntEnum
from typing import Any

from seedbed.config.monitor import Monitor
from seedbed.data.features import make_target
from seedbed.errors import some_of
from seedbed.models.comparison import read_outcome, scored_classes
from seedbed.models.estimation import Figure, estimate, without_truth
from seedbed.models.intervals import MINIMUM_CLUSTERS, as_text, with_interval
from seedbed.models.metrics import Metric, find_metric
from seedbed.monitoring.domain import DomainDrift, compare_domains
from seedbed.monitoring.performance import Performance, clusters_of, measure
from seedbed.monitoring.watching import Watched
from seedbed.serving.bundle import Bundle
from seedbed.serving.drift import ColumnDrift, compare_profiles

SHOWN = 5
"""Columns that are named."""


class State(IntEnum):
    """What was decided: the exit code of `seedbed monitor`."""

    CALM = 0
    DRIFT = 3
    PERFORMANCE_LOST = 4
    TOO_FEW_ROWS = 5


@dataclass(frozen=True)
class Report:
    """What `seedbed monitor` found."""

    model: str  # the bundle's version
    rows: int
    reference_rows: int
    reference: str  # what the reference is, for people
    columns: list[ColumnDrift]  # the worst first
    scores: list[ColumnDrift]  # of what was predicted
    domain: DomainDrift | None  # none where the reference is a profile: it has no rows
    performance: list[Performance]  # of all rows, then of slices; empty where no outcome has come
    estimated: Figure | None  # the deciding metric as the scores let expect it
    metric: str  # the deciding one
    reasons: list[str]
    state: State
    # what else there is to say of the rows, such as which were passed over
    notes: list[str] = field(default_factory=list)

    def performance_in_words(self) -> list[str]:
        """Return the deciding metric where outcomes have come, unless a reason names it already."""
        if not self.performance or self.performance[0].lost:
            return []
        whole = self.performance[0]
        now, before = with_interval(whole.current), with_interval(whole.before)
        return [f"{self.metric} is {now} on {whole.rows:,} rows, and was {before} on the test rows"]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {**asdict(self), "state": self.state.name.lower()}


def check_rows(
    bundle: Bundle,
    current: Watched,
    limits: Monitor,
    reference: Watched | None = None,
    same_season: bool = True,
    notes: Sequence[str] = (),
) -> Report:
    """Compare current rows with a reference, by default with the bundle's own profile.

    Parameters
    ----------
    current : Watched
        In the bins of the reference.
    limits : Monitor
        From which effects on something is reported as drift or as lost performance.
    reference : Watched, optional
        Other rows to compare with.
    same_season : bool
        Whether only the months of the year that the current rows are of are looked at in the
        bundle's profile, in the shares that they have in the current rows, if it has all of them.
    notes : sequence of str
        For the report.
    """
    inputs, scores = bundle.profile.inputs, bundle.profile.scores
    about, periods, domain = "the train rows of the model", None, None
    if reference is not None:
        inputs, scores, about = reference.inputs, reference.scores, "the rows given"
        shared = [name for name in inputs.bins if name in current.inputs.bins]
        if shared:
            domain = compare_domains(reference.sample[shared], current.sample[shared])
    elif same_season and current.months:
        if periods := bundle.profile.same_season(current.months):
            about = f"{about}, of month {', '.join(sorted(periods))}"
        elif missing := sorted(current.months.keys() - inputs.rows.keys()):
            about = f"{about}, of all months: none are of month {', '.join(missing)}"
    metric = find_metric(bundle.recipe.problem.metric, bundle.recipe.problem.task)
    performance, estimated = _perform(bundle, current, metric, limits)
    report = Report(
        model=bundle.version,
        rows=current.rows,
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
        notes=[*notes, *_left_out(current), *_drawn_only(current)],
    )
    return _decide(report, limits)


def _perform(
    bundle: Bundle, current: Watched, metric: Metric, limits: Monitor
) -> tuple[list[Performance], Figure | None]:
    problem, scored, judged = bundle.recipe.problem, current.scored, current.judged
    clusters = clusters_of(scored.times, scored.groups, len(scored.answers))
    expected = estimate(without_truth(scored.answers, problem.task), metric, clusters)
    if judged.target is None or current.known < limits.least_rows:
        return [], expected
    classes = tuple(sorted(scored_classes(judged.answers)))
    truth = make_target(judged.target, problem)
    outcome = read_outcome(judged.answers, truth, problem.task, classes)
    clusters = clusters_of(judged.times, judged.groups, len(truth))
    found = measure(outcome, metric, judged.slices, clusters, bundle.metrics, limits)
    return found, expected


def _left_out(current: Watched) -> list[str]:
    if not current.absent:
        return []
    return [f"The log does not keep {some_of(current.absent, SHOWN)} of all rows: not compared."]


def _drawn_only(current: Watched) -> list[str]:
    of = {"rows": (current.rows, current.scored), "outcomes": (current.known, current.judged)}
    verbs = {"rows": "estimated from", "outcomes": "measured on"}
    return [
        f"Performance is {verbs[name]} {len(drawn.answers):,} of {count:,} {name}, drawn at random."
        for name, (count, drawn) in of.items()
        if len(drawn.answers) < count
    ]


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
    whole = report.performance[0].current if report.performance else None
    undecided = []
    if whole and whole["value"] is not None and whole["low"] is None:
        undecided.append(
            f"{report.metric} is {as_text(whole['value'])}, and decides nothing: to know whether "
            f"that is chance takes outcomes of at least {MINIMUM_CLUSTERS} days or groups"
        )
    drifts = [
        f"{drift.column}: {reason}"
        for drift in [*report.columns, *report.scores]
        for reason in drift.reasons
    ]
    domain = report.domain
    if domain and domain.auc >= limits.domain_auc and domain.p < limits.false_alarms:
        names = ", ".join(domain.importances)
        drifts.append(
            f"all columns together: a classifier tells current rows from the reference with an AUC "
            f"of {domain.auc:.2f}, most by {names}"
        )
    state = State.PERFORMANCE_LOST if lost else State.DRIFT if drifts else State.CALM
    return replace(report, reasons=[*reasons, *drifts, *undecided], state=state)
