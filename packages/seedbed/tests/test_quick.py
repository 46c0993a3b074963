"""A command starts without what only typed options need."""

import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from seedbed.quick import QuickCommand, QuickGroup

LOADED = """
import sys, typer
from {home} import {group}, {command}
app = typer.Typer(cls={group}, add_completion=False)
app.callback()(lambda: None)
app.command("go", cls={command})(lambda: print("pydantic" in sys.modules))
app(["go"])
"""


@pytest.mark.parametrize(
    ("home", "group", "command", "imported"),
    [
        ("seedbed.quick", "QuickGroup", "QuickCommand", "False"),
        ("typer.core", "TyperGroup", "TyperCommand", "True"),
    ],
)
def test_pydantic_is_imported_by_typer_itself_alone(
    home: str, group: str, command: str, imported: str
) -> None:
    code = LOADED.format(home=home, group=group, command=command)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == imported, (
        f"{home}: pydantic imported? (Of typer itself: these classes may go if not.)"
    )


def test_push_and_pull_begin_without_pydantic() -> None:
    code = "import sys, seedbed.__main__ as m\nm._root = lambda: sys.exit('pydantic' in sys.modules)\nm.app([sys.argv[1]])"
    for command in ("push", "pull"):
        done = subprocess.run(
            [sys.executable, "-c", code, command], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), (
            f"{command} imports pydantic before it begins"
        )


def test_help_is_shown_where_it_is_asked_for() -> None:
    app = typer.Typer(cls=QuickGroup, add_completion=False)
    app.callback()(lambda: None)

    @app.command(cls=QuickCommand)
    def go() -> None:
        """Do it."""
        raise AssertionError

    assert "Do it." in CliRunner().invoke(app, ["go", "--help"]).output
    assert "go" in CliRunner().invoke(app, ["--help"]).output
