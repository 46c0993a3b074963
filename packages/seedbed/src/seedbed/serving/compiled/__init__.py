"""A model for few rows without pandas: the same answers as the fitted Pipeline, to the last bit."""

from seedbed.serving.compiled.exceptions import NotCompilableError, UnusualRowError
from seedbed.serving.compiled.model import CompiledModel, compile_model, find_difference

__all__ = [
    "CompiledModel",
    "NotCompilableError",
    "UnusualRowError",
    "compile_model",
    "find_difference",
]
