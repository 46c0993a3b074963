"""Runs a stage: hands it the parameter subtrees its signature names, and tells mistakes in one paragraph."""

import inspect
import sys
from collections.abc import Callable

from seedbed.config.params import read_params
from seedbed.errors import UserError


def run(stage: Callable[..., None]) -> None:
    """Call `stage` with the parts of ./params.yaml that its arguments are named after.

    Exits with code 1 and a paragraph on standard error when a :class:`UserError` comes up.
    """
    try:
        stage(**read_params(list(inspect.signature(stage).parameters)))
    except UserError as error:
        sys.exit(f"{stage.__name__}: {error}")
