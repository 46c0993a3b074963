"""The names that the package's README lists are there, and a project needs no others."""

import ast
import re
from importlib import import_module

import pytest

from support import REPOSITORY

README = (REPOSITORY / "packages/seedbed/README.md").read_text("utf-8")
ROWS = re.findall(r"^\| `(seedbed[\w.]*)` \| (.+?) \|", README, re.MULTILINE)
PUBLIC = {(module, name) for module, names in ROWS for name in re.findall(r"`(\w+)`", names)}
RECIPES = (REPOSITORY / "docs/extending.md").read_text("utf-8")


def imports(code: str) -> set[tuple[str, str]]:
    """Return what `code` imports of seedbed: a module and a name, the name empty for a module."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom):
            found |= {(node.module or "", alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names if alias.name != "seedbed"}
    return {(module, name) for module, name in found if module.split(".")[0] == "seedbed"}


@pytest.mark.parametrize(("module", "name"), sorted(PUBLIC))
def test_a_listed_name_can_be_imported(module: str, name: str) -> None:
    assert hasattr(import_module(module), name)


def test_a_project_imports_listed_names_only() -> None:
    files = sorted((REPOSITORY / "src/project").rglob("*.py"))
    code = [file.read_text("utf-8") for file in files]
    recipes = re.findall(r"^```python\n(.*?)^```", RECIPES, re.MULTILINE | re.DOTALL)
    used = set().union(*map(imports, code + recipes))
    assert used
    assert used <= PUBLIC, f"list in packages/seedbed/README.md: {sorted(used - PUBLIC)}"
