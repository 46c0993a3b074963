"""From raw rows to decisions, apart from the fitted pipeline: what bundle.json holds, typed."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError

from seedbed.config.schema import Cleaning, Column, Features, Problem
from seedbed.data.roles import Columns
from seedbed.errors import UserError
from seedbed.models.decision import Decision
from seedbed.serving.signature import Signature


class OtherFormatError(UserError):
    """A bundle that another version of seedbed made, whole and yet not to be read by this one."""


@dataclass(frozen=True)
class Recipe:
    """How raw rows are cleaned, made into features and decided, and which rows those may be."""

    dataset: str
    problem: Problem
    columns: Columns
    cleaning: Cleaning
    features: Features
    decision: Decision
    signature: Signature

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "dataset": self.dataset,
            "problem": self.problem.model_dump(mode="json"),
            "columns": {
                name: column.model_dump(mode="json") for name, column in self.columns.items()
            },
            "cleaning": self.cleaning.model_dump(mode="json"),
            "features": self.features.model_dump(mode="json"),
            "decision": asdict(self.decision),
            "signature": self.signature.model_dump(mode="json"),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any], path: Path) -> Self:
        """Return what :meth:`to_dict` gave; `path` is the file it came from, for messages.

        Raises
        ------
        OtherFormatError
            If it does not fit the schema.
        """
        try:
            decision = values["decision"]
            lists = {name: tuple(decision[name]) for name in ("classes", "baseline_scores")}
            return cls(
                dataset=values["dataset"],
                problem=_typed(Problem, values["problem"]),
                columns=_typed(dict[str, Column], values["columns"]),
                cleaning=_typed(Cleaning, values["cleaning"]),
                features=_typed(Features, values["features"]),
                decision=Decision(**{**decision, **lists}),
                signature=_typed(Signature, values["signature"]),
            )
        except (ValidationError, KeyError, TypeError) as error:
            first: Any = error.errors()[0] if isinstance(error, ValidationError) else None
            why = f"{first['loc']}: {first['msg']}" if first else error
            raise OtherFormatError(
                f"{path}: it does not fit this version of seedbed ({why}). Serve it with the version "
                "that made it, or make it anew with `dvc repro --force package`."
            ) from None


def _typed(kind: Any, values: Any) -> Any:
    return TypeAdapter(kind).validate_json(json.dumps(values), strict=True)
