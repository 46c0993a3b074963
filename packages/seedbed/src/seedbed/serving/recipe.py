"""From raw rows to decisions, apart from the fitted pipeline: what bundle.json holds, typed."""

import json
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError, field_validator

from seedbed.config.schema import Cleaning, Column, Features, Problem, Section
from seedbed.errors import UserError
from seedbed.models.decision import Decision
from seedbed.serving.signature import Signature


class OtherFormatError(UserError):
    """A bundle that another version of seedbed made, whole and yet not to be read by this one."""


class Recipe(Section):
    """How raw rows are cleaned, made into features and decided, and which rows those may be."""

    dataset: str
    problem: Problem
    columns: dict[str, Column]
    cleaning: Cleaning
    features: Features
    decision: Decision
    signature: Signature

    @field_validator("decision", mode="before")
    @classmethod
    def _from_json(cls, value: Any) -> Any:
        if isinstance(value, Decision):
            return value
        lists = {name: tuple(value[name]) for name in ("classes", "baseline_scores")}
        return Decision(**{**value, **lists})

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, values: dict[str, Any], path: Path) -> Self:
        """Return what :meth:`to_dict` gave; `path` is the file it came from, for messages.

        Raises
        ------
        OtherFormatError
            If it does not fit the schema.
        """
        try:
            own = {name: values[name] for name in cls.model_fields}
            return cls.model_validate_json(json.dumps(own))
        except (ValidationError, KeyError, TypeError) as error:
            first: Any = error.errors()[0] if isinstance(error, ValidationError) else None
            why = f"{first['loc']}: {first['msg']}" if first else error
            raise OtherFormatError(
                f"{path}: it does not fit this version of seedbed ({why}). Serve it with the "
                "version "
                "that made it, or make it anew with `dvc repro --force package`."
            ) from None
