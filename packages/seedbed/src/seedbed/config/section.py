"""What all sections of params.yaml have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Fraction = Annotated[float, Field(gt=0, lt=1)]


class Section(BaseModel):
    """A part of params.yaml that knows all of its keys and never changes after it was read."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


def why_wrong(message: str) -> str:
    """Return pydantic's message on a value as the rest of a sentence."""
    why = message.removeprefix("Value error, ")
    return f"{why[0].lower()}{why[1:]}"


def first_mistake(error: ValidationError) -> str:
    """Return the first of the keys that do not fit a schema, and why."""
    first = error.errors()[0]
    return ": ".join(filter(None, [".".join(map(str, first["loc"])), why_wrong(first["msg"])]))
