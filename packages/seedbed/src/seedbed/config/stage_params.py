"""Does dvc.yaml declare for a stage in src the parameters that it takes, and its code?"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seedbed.config.params import PARAMS
from seedbed.config.project import read_settings
from seedbed.config.yaml_files import load_yaml

GRAPH = "dvc.yaml"
CODE = "code.yaml"
RUNNER = "src/stage.sh"


def find_wrong_params(root: Path) -> Iterator[str]:
    """Yield a sentence for each section that a stage takes or dvc.yaml declares, but not both.

    A stage whose section is not declared does not run again after an edit of that section, nor one
    whose fingerprint is not after an edit of its code: that is named too.
    """
    stages = load_yaml(root / GRAPH).get("stages") if (root / GRAPH).is_file() else None
    for name, definition in (stages or {}).items():
        runs = re.findall(rf"{re.escape(RUNNER)}\s+[\"']?(\w+)", str(definition.get("cmd")))
        file = f"src/{read_settings(root).package}/stages/{runs[0]}.py" if runs else ""
        if not (root / file).is_file():
            continue
        if CODE not in str(definition.get("outs")) and _fingerprints(definition) != set(runs):
            yield (
                f"{GRAPH}: stage {name} runs {file}, and does not declare the fingerprint of that "
                "code alone, so an edit of it would not run it again. Write "
                f"{{{CODE}: [{', '.join(runs)}]}} among its params, or name another stage in its "
                "cmd."
            )
        taken = _arguments((root / file).read_text(encoding="utf-8"))
        declared = _declared(definition.get("params") or [])
        if taken is None or declared is None:
            continue
        for section in sorted(taken - declared):
            yield (
                f"{file}: the stage takes {section}, and stage {name} of {GRAPH} does not declare "
                f"it, so an edit of {section} would not run it again. Add {section} to its params, "
                "or take the argument out."
            )
        for section in sorted(declared - taken):
            yield (
                f"{GRAPH}: stage {name} declares {section}, and {file} does not take it, so an "
                f"edit of {section} runs it for nothing. Remove {section} from its params, or add "
                "the argument."
            )


def _fingerprints(definition: dict[str, Any]) -> set[str]:
    """Return of which stages a stage declares the fingerprints in code.yaml."""
    listed = [each for each in definition.get("params") or [] if isinstance(each, dict)]
    return {name for each in listed for name in each.get(CODE) or []}


def _arguments(code: str) -> set[str] | None:
    """Return the names of the arguments of the function marked with @stage."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.FunctionDef) and any(
            ast.unparse(mark).rpartition(".")[2] == "stage" for mark in node.decorator_list
        ):
            arguments = node.args
            each = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
            return {argument.arg for argument in each}
    return None


def _declared(params: list[Any]) -> set[str] | None:
    """Return the sections of params.yaml that a stage declares; None if it declares the file."""
    keys: list[str] = []
    for entry in params:
        listed = [entry] if isinstance(entry, str) else entry.get(PARAMS, [])
        if listed is None:
            return None
        keys += listed
    return {key.partition(".")[0] for key in keys}
