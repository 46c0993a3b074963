"""From raw rows to decisions, apart from the fitted pipeline: what bundle.json holds, typed."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from seedbed.config.modelling import Problem
from seedbed.config.preparation import Cleaning, Features
from seedbed.config.schema import Column
from seedbed.config.section import Section, first_mistake
from seedbed.errors import UserError
from seedbed.models.decision import Decision
from seedbed.serving.signature import Signature

REMEDY = "Serve it with the version that made it, or make it anew with `dvc repro --force package`."


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

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], path: Path) -> Self:
        """Return what :meth:`to_dict` gave; `path` is the file it came from, for messages.

        Raises OtherFormatError if it does not fit the schema.
        """
        own = {name: values[name] for name in cls.model_fields if name in values}
        try:
            return cls.model_validate_json(json.dumps(own))
        except ValidationError as error:
            why = first_mistake(error)
            raise OtherFormatError(
                f"{path}: it does not fit this version of seedbed ({why}). {REMEDY}"
            ) from None
