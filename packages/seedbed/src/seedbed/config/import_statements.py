"""What the code of a module names to import, whether or not it ever runs."""

import ast
from collections.abc import Iterator
from importlib.util import resolve_name


def imported_names(tree: ast.AST, package: str, project: str) -> Iterator[str]:
    """Yield the modules that code in `package` names, and what it takes of them."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and _is_type_checking(node.test):
            pending += node.orelse
            continue
        pending += ast.iter_child_nodes(node)
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom():
                base = resolve_name("." * node.level + (node.module or ""), package)
                # `from package import name` runs package.name as well, where that is a module.
                yield from (base, *(f"{base}.{alias.name}" for alias in node.names))
            case ast.Call(
                func=ast.Attribute(attr=called) | ast.Name(id=called),
                args=[ast.Constant(value=str(name)), *_],
            ):
                if called == "import_module":
                    yield resolve_name(name, package)
                elif called == "project_module":
                    yield f"{project}.{name}"


def _is_type_checking(test: ast.expr) -> bool:
    match test:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name == "TYPE_CHECKING"
    return False
