"""Current rows beside the reference of a bundle: what drifted, how it performs, what to do."""

from dataclasses import asdict, dataclass, replace
from enum import IntEnum
from typing import Any

import pandas as pd

from seedbed.config.schema import Monitor
from seedbed.data.features import make_target
from seedbed.data.profiles import Profile, profiled_columns
from seedbed.data.roles import group_column, target_column, time_column
from seedbed.data.values import read_values
from seedbed.models.comparison import read_outcome, scored_classes
from seedbed.models.metrics import find_metric
from seedbed.monitoring.domain import DomainDrift, compare_domains
from seedbed.monitoring.drift import ColumnDrift, compare_profiles
from seedbed.monitoring.performance import Figure, Performance, clusters_of, estimate, measure
from seedbed.serving.bundle import Bundle
from seedbed.serving.reference import scores_of


class State(IntEnum):
    """What was decided: the exit code of `seedbed monitor`."""

    CALM = 0
    DRIFT = 3
    PERFORMANCE_LOST = 4
    TOO_FEW_ROWS = 5


@dataclass(frozen=True)
class Watched:
    """Rows as a bundle sees them.

    Attributes
    ----------
    inputs : DataFrame, shape (n_rows, n_inputs)
        Checked and cleaned.
    answers : DataFrame, shape (n_rows, n_answers)
        What the bundle predicts.
    raw : DataFrame, shape (n_rows, n_columns)
        As they were given, with outcomes where they have come.
    """

    inputs: pd.DataFrame
    answers: pd.DataFrame
    raw: pd.DataFrame


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


def watch(bundle: Bundle, raw: pd.DataFrame) -> Watched:
    """Return raw rows as the bundle sees them.

    Raises
    ------
    UserError
        If they do not fit its signature.
    """
    raw = raw.reset_index(drop=True)
    checked = bundle.check(raw)
    return Watched(checked.cleaned, bundle.predict(checked), raw)


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
    limits : Monitor
        From which effects on something is reported as drift or as lost performance.
    reference : Watched, optional
        Other rows to compare with.
    same_season : bool
        Whether only the months of the year that the current rows are of are looked at in the
        bundle's profile, if it has all of them.
    """
    inputs, scores, about = _references(bundle, current, reference)
    periods = _months(bundle, current) if same_season and reference is None else None
    if periods is not None and periods <= inputs.rows.keys():
        about = f"{about}, months {', '.join(sorted(periods))}"
    else:
        periods = None
    reference_rows = sum(
        rows for period, rows in inputs.rows.items() if periods is None or period in periods
    )
    names = list(inputs.bins)
    found = compare_profiles(
        inputs, Profile.of(current.inputs[names], bins=inputs.bins), limits, periods
    )
    drifted_scores = compare_profiles(
        scores, Profile.of(scores_of(current.answers), bins=scores.bins), limits
    )
    domain = None
    if reference is not None:
        domain = compare_domains(reference.inputs[names], current.inputs[names])
    metric = find_metric(bundle.recipe.problem.metric, bundle.recipe.problem.task)
    performance, estimated = _perform(bundle, current, limits)
    report = Report(
        bundle.version, len(current.raw), reference_rows, about, found, drifted_scores, domain,
        performance, estimated, metric.name, [], State.CALM,
    )  # fmt: skip
    return _decide(report, limits)


def _references(
    bundle: Bundle, current: Watched, reference: Watched | None
) -> tuple[Profile, Profile, str]:
    if reference is None:
        return bundle.profile.inputs, bundle.profile.scores, "the train rows of the model"
    columns = bundle.recipe.columns
    names = profiled_columns(columns, [column.name for column in bundle.signature.columns])
    return (
        Profile.of(reference.inputs[names]),
        Profile.of(scores_of(reference.answers)),
        "the rows given",
    )


def _months(bundle: Bundle, current: Watched) -> set[str] | None:
    name = time_column(bundle.recipe.columns)
    if name is None or name not in current.inputs:
        return None
    return set(current.inputs[name].dropna().dt.strftime("%m"))


def _perform(
    bundle: Bundle, current: Watched, limits: Monitor
) -> tuple[list[Performance], Figure | None]:
    recipe, problem = bundle.recipe, bundle.recipe.problem
    metric = find_metric(problem.metric, problem.task)
    classes = tuple(sorted(scored_classes(current.answers)))
    name, columns = target_column(recipe.columns), recipe.columns
    time, group = time_column(columns), group_column(columns)
    clusters = clusters_of(
        current.raw.get(time) if time else None,
        current.raw.get(group) if group else None,
        len(current.raw),
    )
    anything = pd.Series(
        False if problem.task == "binary" else (*classes, 0.0)[0], current.raw.index
    )
    expected = estimate(
        read_outcome(current.answers, anything, problem.task, classes), metric, clusters
    )
    if name not in current.raw:
        return [], expected
    target = read_values(current.raw[name], name, columns[name].type, bundle.signature.time_zone)
    known = target.notna().to_numpy()
    if known.sum() < limits.least_rows:
        return [], expected
    truth = make_target(target[known], problem).reset_index(drop=True)
    answers = current.answers[known].reset_index(drop=True)
    slices = {
        column: current.raw.loc[known, column].reset_index(drop=True)
        for column in problem.slices
        if column in current.raw
    }
    outcome = read_outcome(answers, truth, problem.task, classes)
    found = measure(outcome, metric, slices, clusters[known], bundle.metrics, limits)
    return found, expected


def _decide(report: Report, limits: Monitor) -> Report:
    if min(report.rows, report.reference_rows) < limits.least_rows:
        few = f"{report.rows:,} rows and {report.reference_rows:,} of the reference"
        return replace(
            report,
            reasons=[f"{few}: with fewer than {limits.least_rows:,} nothing is decided"],
            state=State.TOO_FEW_ROWS,
        )
    lost = [found for found in report.performance if found.lost]
    reasons = [
        f"{report.metric}{f' where {found.part}' if found.part else ''} is {_text(found.current)}, "
        f"and was {_text(found.before)} on the test rows"
        for found in lost
    ]
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


def _text(figure: Figure) -> str:
    from seedbed.models.intervals import with_interval

    return with_interval(figure)
