"""Which files and packages a module stands on, by its import statements: it is not imported."""

import ast
import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from seedbed.config.lock_file import canonical, read_lock
from seedbed.config.project import project_package, read_settings
from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError

LOCK = "requirements.lock"
BUILDS_ESTIMATORS = "seedbed/models/estimator.py"
"""The module that makes what a `_target_` names, which may be of a package in [tool.seedbed]."""
READS_DATA = "seedbed/data/sources.py"
"""The module that reads tables, also those that come with a package, which counts as imported."""


class Imports:
    """The modules and locked packages of the repository `root`; each file is parsed once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.package = project_package(root)
        own = root / "packages/seedbed/src"
        self._sources = {
            self.package: root / "src",
            "seedbed": own if own.is_dir() else Path(__file__).parents[2],
        }
        self._sources["hydra_plugins"] = self._sources["seedbed"]
        self._imports: dict[Path, tuple[set[str], set[str]]] = {}
        self._hashes: dict[Path, str] = {}

    def files_of(self, module: str) -> dict[str, Path]:
        """Return the files that importing `module` can execute, by paths below a source folder."""
        found: dict[str, Path] = {}
        pending = [module]
        while pending:
            name = pending.pop()
            parent = name.rpartition(".")[0]
            if parent:
                pending.append(parent)
            source = self._source_of(name)
            file = _module_file(source, name)
            if file is None or (key := file.relative_to(source).as_posix()) in found:
                continue
            found[key] = file
            # A template beside a module bears its name: card.md.jinja is a part of card.py.
            found |= {
                template.relative_to(source).as_posix(): template
                for template in file.parent.glob(f"{file.stem}.*.jinja")
            }
            pending += self._imports_of(file, name)[0]
        return found

    def hash_of(self, file: Path) -> str:
        """Return the hash of a file, whatever its ends of lines; "" for an empty file."""
        if file not in self._hashes:
            content = file.read_bytes().replace(b"\r\n", b"\n").strip()
            self._hashes[file] = digest(content.decode("utf-8", "replace")) if content else ""
        return self._hashes[file]

    def versions_of(self, files: Mapping[str, Path], also: Iterable[str] = ()) -> dict[str, str]:
        """Return the locked versions of the packages that files, and others, use and need.

        Parameters
        ----------
        files : mapping of str to Path
            As :meth:`files_of` returns them.
        also : iterable of str
            Modules of other packages that are used besides.
        """
        modules = [file for file in files.values() if file in self._imports]
        imported = {name for file in modules for name in self._imports[file][1]}
        if READS_DATA in files:
            imported |= self._packages_with_data
        if BUILDS_ESTIMATORS in files:
            imported |= set(read_settings(self.root).targets)
        pending = [self._distribution(name.partition(".")[0]) for name in {*imported, *also}]
        found: dict[str, str] = {}
        while pending:
            name = pending.pop()
            if name in self._locked and name not in found:
                found[name], needs = self._locked[name]
                pending += needs
        return found

    def _imports_of(self, file: Path, module: str) -> tuple[set[str], set[str]]:
        """Return the first-party modules and the other packages that a file imports."""
        if file not in self._imports:
            try:
                tree = ast.parse(file.read_bytes())
            except (SyntaxError, ValueError) as error:
                line = getattr(error, "lineno", None)
                raise UserError(
                    f"{file.relative_to(self.root)}, line {line}: {error}. Correct that line."
                ) from None
            package = module if file.name == "__init__.py" else module.rpartition(".")[0]
            names = set(_imported_names(tree, package, self.package))
            ours = {name for name in names if self._is_ours(name)}
            others = {name.partition(".")[0] for name in names - ours} - sys.stdlib_module_names
            self._imports[file] = ours, others
        return self._imports[file]

    def _is_ours(self, name: str) -> bool:
        first, _, rest = name.partition(".")
        if first == "hydra_plugins":
            return rest.startswith("seedbed_")
        return first in (self.package, "seedbed") or first in self._beside

    @cached_property
    def _beside(self) -> set[str]:
        """The names of other packages and modules of the project, below src/."""
        return {path.stem for path in (self.root / "src").glob("[!_.]*") if path.suffix != ".sh"}

    def _source_of(self, module: str) -> Path:
        return self._sources.get(module.partition(".")[0], self.root / "src")

    @cached_property
    def _packages_with_data(self) -> set[str]:
        """The packages that bring data, to whichever dataset."""
        return {
            name
            for file in (self.root / "conf/dataset").glob("*.yaml")
            for name in _values_of("package", load_yaml(file))
        }

    @cached_property
    def _locked(self) -> dict[str, tuple[str, list[str]]]:
        return read_lock(self.root / LOCK)

    def _distribution(self, module: str) -> str:
        name = canonical(module)
        return (
            name
            if name in self._locked
            else canonical(self._distributions.get(module, [module])[0])
        )

    @cached_property
    def _distributions(self) -> Mapping[str, list[str]]:
        from importlib.metadata import packages_distributions

        return packages_distributions()


def _imported_names(tree: ast.Module, package: str, project: str) -> Iterator[str]:
    nodes: list[ast.AST] = [tree]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            nodes += node.orelse
            continue
        nodes += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: -(node.level - 1) or None] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            # `from package import name` runs package.name as well, where that is a module.
            yield from (base, *(f"{base}.{alias.name}" for alias in node.names))
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = (
                node.func.attr
                if isinstance(node.func, ast.Attribute)
                else getattr(node.func, "id", "")
            )
            if called == "import_module":
                name = str(node.args[0].value)
                level = len(name) - len(name.lstrip("."))
                parents = package.split(".")[: -(level - 1) or None] if level else []
                yield ".".join([*parents, *filter(None, [name[level:]])])
            elif called == "project_module":
                yield f"{project}.{node.args[0].value!s}"


def _module_file(source: Path, module: str) -> Path | None:
    path = source.joinpath(*module.split("."))
    return next(
        (file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None
    )


def _values_of(key: str, value: Any) -> set[str]:
    """Return the texts that stand under a key at any depth."""
    if isinstance(value, list):
        return {text for part in value for text in _values_of(key, part)}
    if not isinstance(value, dict):
        return set()
    own = {value[key]} if isinstance(value.get(key), str) else set()
    return own | {text for part in value.values() for text in _values_of(key, part)}


def digest(text: str) -> str:
    """Return a short hash of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
