"""A model for few rows without pandas: the same answers as the fitted Pipeline, to the last bit."""

from seedbed.serving.compiled.exceptions import NotCompilableError, UnusualRowError
from seedbed.serving.compiled.model import CompiledModel, compile_model, compile_or_explain
from seedbed.serving.compiled.proving import find_difference

__all__ = [
    "CompiledModel",
    "NotCompilableError",
    "UnusualRowError",
    "compile_model",
    "compile_or_explain",
    "find_difference",
]
