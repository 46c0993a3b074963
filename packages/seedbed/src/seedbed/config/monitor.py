"""The thresholds of monitoring: conf/monitor."""

from typing import Annotated

from pydantic import Field

from seedbed.config.section import Section


class Monitor(Section):
    """The effects from which on a model in use drifts, or has lost performance.

    Attributes
    ----------
    psi : float
        Population stability index of a column, less what chance makes it.
    missing, unseen : float
        Shares of rows by which missing values, and values never seen before, may grow.
    domain_auc : float
        ROC AUC of a classifier that tells current rows from the reference.
    performance : float
        Share of the deciding metric that may be lost.
    false_alarms : float
        Chance of an alarm without drift: of all columns together, of the scores, and of the
        classifier.
    least_rows : int
        Fewer rows decide nothing.
    """

    psi: Annotated[float, Field(gt=0)] = 0.1
    missing: Annotated[float, Field(gt=0, le=1)] = 0.05
    unseen: Annotated[float, Field(gt=0, le=1)] = 0.02
    domain_auc: Annotated[float, Field(gt=0.5, le=1)] = 0.55
    performance: Annotated[float, Field(gt=0)] = 0.05
    false_alarms: Annotated[float, Field(gt=0, lt=1)] = 0.01
    least_rows: Annotated[int, Field(ge=20)] = 100
