"""What all sections of params.yaml have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(gt=0, lt=1)]


class Section(BaseModel):
    """A part of params.yaml that knows all of its keys and never changes after it was read."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")
