"""Why a bundle, or a row, is left to the fitted Pipeline."""


class NotCompilableError(Exception):
    """A part of the model has no compiled form; the message names it."""


class UnusualRowError(Exception):
    """A row that the compiled form does not read: the slow path answers or refuses it."""
