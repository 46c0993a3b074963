"""The thresholds of monitoring: conf/monitor."""

from typing import Annotated

from pydantic import Field

from seedbed.config.section import Section


class Monitor(Section):
    """The effects from which on a model in use drifts, or has lost performance."""

    # population stability index of a column, less what chance makes it
    psi: Annotated[float, Field(gt=0)] = 0.1
    # shares of rows by which missing values, and values never seen before, may grow
    missing: Annotated[float, Field(gt=0, le=1)] = 0.05
    unseen: Annotated[float, Field(gt=0, le=1)] = 0.02
    # ROC AUC of a classifier that tells current rows from the reference
    domain_auc: Annotated[float, Field(gt=0.5, le=1)] = 0.55
    # share of the deciding metric that may be lost
    performance: Annotated[float, Field(gt=0)] = 0.05
    # chance of an alarm without drift: of all columns together, of the scores, and of the
    # classifier
    false_alarms: Annotated[float, Field(gt=0, lt=1)] = 0.01
    least_rows: Annotated[int, Field(ge=20)] = 100  # fewer rows decide nothing
