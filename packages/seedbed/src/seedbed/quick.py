"""Commands of typer that start without pydantic, where no text was typed and none left out.

To read an option that was not typed, typer imports pydantic, unless it is a yes or no that has a value. The only option that every
command has is --help, and typer gives it none.
"""

from typing import Any

from typer.core import TyperCommand, TyperGroup


class _HelpIsNo:
    """Gives --help the value no."""

    def get_help_option(self, ctx: Any) -> Any:
        option = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.default = False
        return option


class QuickCommand(_HelpIsNo, TyperCommand):
    """A command."""


class QuickGroup(_HelpIsNo, TyperGroup):
    """What holds commands."""
