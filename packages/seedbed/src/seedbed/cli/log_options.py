"""The options of the commands that keep a prediction log."""

from typing import Annotated

import typer

LogRate = Annotated[
    float, typer.Option(help="Share that is kept: of requests, or of the rows of `score`.")
]
LogDays = Annotated[int | None, typer.Option(help="How many days they are kept; else for good.")]
LogWithout = Annotated[
    str, typer.Option(help="Roles between commas whose columns are left out, such as key.")
]
