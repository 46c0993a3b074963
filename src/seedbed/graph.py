"""Keeps the code dependencies in dvc.yaml equal to what each stage really imports."""

import ast
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from seedbed.files import replacing

RUNNER = "src/stage.sh"


def first_party_imports(root: Path, module: str) -> set[str]:
    """Return the files below `root`/src that importing `module` can execute, as POSIX paths from `root`.

    Imports inside functions count: a stage that reaches them runs that code. Empty files hold no code and are left out.

    Parameters
    ----------
    root : Path
        The repository.
    module : str
        A dotted module name, such as ``seedbed.stages.train``.
    """
    source = root / "src"
    seen: set[Path] = set()
    pending = [module]
    while pending:
        name = pending.pop()
        parent = name.rpartition(".")[0]
        if parent:
            pending.append(parent)
        file = _module_file(source, name)
        if file is None or file in seen:
            continue
        seen.add(file)
        pending += _imported_names(ast.parse(file.read_text(encoding="utf-8")))
    return {file.relative_to(root).as_posix() for file in seen if file.read_text(encoding="utf-8").strip()}


def stage_code(root: Path, stage: str) -> list[str]:
    """Return the code that stage `stage` depends on: the runner and its modules, sorted."""
    return sorted({RUNNER, *first_party_imports(root, f"seedbed.stages.{stage}")})


def stale_stages(root: Path) -> dict[str, list[str]]:
    """Return the stages whose code dependencies in dvc.yaml are not what they import, with what they should be."""
    stages = _load(root)["stages"]
    # A stage that runs something else than a module of seedbed.stages is its author's to describe.
    wanted = {name: stage_code(root, name) for name, stage in stages.items() if RUNNER in str(stage["cmd"])}
    return {name: code for name, code in wanted.items() if sorted(_code(stages[name])) != code}


def update_graph(root: Path) -> list[str]:
    """Write the code dependencies of every stage into dvc.yaml, comments kept; return the stages that changed."""
    stale = stale_stages(root)
    if stale:
        document = _load(root)
        for name, code in stale.items():
            deps = document["stages"][name].setdefault("deps", [])
            data = [dep for dep in deps if dep not in _code(document["stages"][name])]
            deps[:] = code + data
        with replacing(root / "dvc.yaml") as beside:
            _yaml().dump(document, beside)
    return sorted(stale)


def _code(stage: Any) -> list[str]:
    return [dep for dep in stage.get("deps", []) if str(dep).startswith("src/")]


def _yaml() -> YAML:
    yaml = YAML()
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _load(root: Path) -> Any:
    return _yaml().load((root / "dvc.yaml").read_text(encoding="utf-8"))


def _module_file(source: Path, module: str) -> Path | None:
    path = source.joinpath(*module.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None


def _imported_names(tree: ast.Module) -> list[str]:
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from package import name` runs package.name as well, where that is a module.
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Call) and _is_import_module(node):
            names.append(str(node.args[0].value))  # type: ignore[attr-defined]
    return [name for name in names if name.partition(".")[0] in ("seedbed", "hydra_plugins")]


def _is_import_module(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name == "import_module" and bool(call.args) and isinstance(call.args[0], ast.Constant)
