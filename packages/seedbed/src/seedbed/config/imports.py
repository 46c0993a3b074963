"""Which files and packages a module stands on, by its import statements: it is not imported."""

import ast
import hashlib
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

from packaging.utils import canonicalize_name

from seedbed.config.import_statements import imported_names
from seedbed.config.lock_file import Locked, read_lock
from seedbed.config.project import read_settings
from seedbed.config.yaml_files import leaves, load_yaml
from seedbed.errors import UserError

LOCK = "requirements.lock"
BUILDS_ESTIMATORS = "seedbed/models/estimator.py"
"""The module that makes what a `_target_` names, which may be of a package in [tool.seedbed]."""
READS_DATA = "seedbed/data/sources.py"
"""The module that reads tables, also those that come with a package, which counts as imported."""
PACKS_SERVING = "seedbed/serving/packaging.py"
"""The module that packs what serves, all of which counts as imported."""
SERVING = (
    "seedbed.cli.serving",
    "seedbed.serving.http.log_writer",  # started by its name
    "seedbed.models.encoders",
    "seedbed.models.preprocessing",
)
"""What serves, scores and verifies a bundle, and what a pipeline's file names of seedbed."""
BEYOND_SERVING = ("seedbed.registry", "seedbed.config.params")
"""What serving looks for only in a repository, where all of seedbed is installed."""
BY_NAME = {"uvicorn": ("httptools", "uvloop"), "sqlalchemy": ("psycopg",)}
"""Packages that others import by their names, which no statement tells."""
BESIDE = (".jinja", ".html", ".css", ".js", ".svg")
"""The ends of files that a module reads beside itself."""


class Imports:
    """The modules and locked packages of the repository `root`; each file is parsed once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._settings = read_settings(root)
        self.package = self._settings.package
        own = root / "packages/seedbed/src"
        seedbed = own if own.is_dir() else Path(__file__).parents[2]
        self._sources = {"seedbed": seedbed, "hydra_plugins": seedbed}
        self._files: dict[str, dict[str, Path]] = {}
        self._imports: dict[Path, tuple[set[str], set[str]]] = {}
        self._hashes: dict[Path, str] = {}

    def files_of(self, module: str) -> dict[str, Path]:
        """Return the files that importing `module` can execute, by paths below a source folder."""
        found = self._reach([module])
        return found | self.serving_files() if PACKS_SERVING in found else found

    def serving_files(self) -> dict[str, Path]:
        """Return the files that serve, score and verify a bundle, as :meth:`files_of` does."""
        return self._reach(SERVING, BEYOND_SERVING)

    def _reach(self, modules: Iterable[str], without: tuple[str, ...] = ()) -> dict[str, Path]:
        """Return the files that importing modules can execute, but for some and those in them."""
        found: dict[str, Path] = {}
        seen = set()
        pending = [*modules]
        while pending:
            name = pending.pop()
            if name in seen or f"{name}.".startswith(tuple(f"{other}." for other in without)):
                continue
            seen.add(name)
            parent = name.rpartition(".")[0]
            if parent:
                pending.append(parent)
            if files := self._files_of(name):
                found |= files
                pending += self._imports_of(next(iter(files.values())), name)[0]
        return found

    def _files_of(self, module: str) -> dict[str, Path]:
        """Return a module's file and those beside it, by paths below a source folder."""
        if module not in self._files:
            source = self._source_of(module)
            file = _module_file(source, module)
            files = [] if file is None else [file, *_beside(file)]
            self._files[module] = {path.relative_to(source).as_posix(): path for path in files}
        return self._files[module]

    def hash_of(self, file: Path) -> str:
        """Return the hash of a file, whatever its ends of lines; "" for an empty file."""
        if file not in self._hashes:
            content = file.read_bytes().replace(b"\r\n", b"\n").strip()
            self._hashes[file] = digest(content.decode("utf-8", "replace")) if content else ""
        return self._hashes[file]

    def packages_of(self, files: Mapping[str, Path], also: Iterable[str] = ()) -> set[str]:
        """Return the names of the packages that files, and others, use.

        Parameters
        ----------
        files : mapping of str to Path
            As :meth:`files_of` returns them.
        also : iterable of str
            Modules of other packages that are used besides.
        """
        modules = {
            *also,
            *(
                name
                for file in files.values()
                if file in self._imports
                for name in self._imports[file][1]
            ),
        }
        if READS_DATA in files:
            modules |= self._packages_with_data
        if BUILDS_ESTIMATORS in files or PACKS_SERVING in files:
            modules |= {*self._settings.targets}
        modules |= {other for name in modules for other in BY_NAME.get(name, ())}
        return {name for module in modules for name in self._distributions(module)}

    def versions_of(self, files: Mapping[str, Path], also: Iterable[str] = ()) -> dict[str, str]:
        """Return the locked versions of the packages of :meth:`packages_of`, and of their needs.

        And that of seedbed, where files pack it.
        """
        pending = [*self.packages_of(files, also)]
        found = {"seedbed": self.seedbed_version} if PACKS_SERVING in files else {}
        while pending:
            name = pending.pop()
            if name in self._locked and name not in found:
                found[name] = ", ".join(sorted(self._locked[name].versions))
                pending += self._needs[name]
        return found

    @cached_property
    def seedbed_version(self) -> str:
        """The version of seedbed: of its source here, or of what is installed."""
        from importlib.metadata import version

        pyproject = self.root / "packages/seedbed/pyproject.toml"
        if not pyproject.is_file():
            return version("seedbed")
        return str(tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]["version"])

    def _imports_of(self, file: Path, module: str) -> tuple[set[str], set[str]]:
        """Return the first-party modules and the other packages that a file imports."""
        if file not in self._imports:
            package = module if file.name == "__init__.py" else module.rpartition(".")[0]
            try:
                tree = ast.parse(file.read_bytes())
                names = set(imported_names(tree, package, self.package))
            except SyntaxError as error:
                place = f"{file.relative_to(self.root)}, line {error.lineno}"
                raise UserError(f"{place}: {error.msg}. Correct that line.") from None
            except (ValueError, ImportError) as error:
                raise UserError(f"{file.relative_to(self.root)}: {error}. Correct it.") from None
            ours = {name for name in names if self._is_ours(name)}
            others = {name.partition(".")[0] for name in names - ours} - sys.stdlib_module_names
            self._imports[file] = ours, others
        return self._imports[file]

    def _is_ours(self, name: str) -> bool:
        first, _, rest = name.partition(".")
        if first == "hydra_plugins":
            return rest.startswith("seedbed_")
        return first == "seedbed" or first in self._in_src

    @cached_property
    def _in_src(self) -> set[str]:
        """The names of the project's packages and modules, below src/."""
        return {path.stem for path in (self.root / "src").glob("[!_.]*") if path.suffix != ".sh"}

    def _source_of(self, module: str) -> Path:
        return self._sources.get(module.partition(".")[0], self.root / "src")

    @cached_property
    def _packages_with_data(self) -> set[str]:
        """The packages that bring data, to whichever dataset."""
        return {
            str(value)
            for file in (self.root / "conf/dataset").glob("*.yaml")
            for key, value in leaves(load_yaml(file))
            if key.endswith(".package")
        }

    @cached_property
    def _locked(self) -> dict[str, Locked]:
        return read_lock(self.root / LOCK)

    @cached_property
    def _needs(self) -> Mapping[str, list[str]]:
        """The packages that each package asks for."""
        needs = defaultdict(list)
        for name, locked in self._locked.items():
            for asking in locked.via:
                needs[asking].append(name)
        return needs

    def _distributions(self, module: str) -> list[str]:
        """Return the packages that a module may be of: several, where it is a namespace."""
        module = module.partition(".")[0]
        if (name := canonicalize_name(module)) in self._locked:
            return [name]
        return sorted({canonicalize_name(name) for name in self._installed.get(module, ())})

    @cached_property
    def _installed(self) -> Mapping[str, list[str]]:
        from importlib.metadata import packages_distributions

        return packages_distributions()


def _module_file(source: Path, module: str) -> Path | None:
    path = source.joinpath(*module.split("."))
    return next(
        (file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None
    )


def _beside(file: Path) -> Iterator[Path]:
    """Yield the files that are a part of a module: card.md.jinja of card.py, for its name.

    What lies in a folder without code is a part of the package around it.
    """
    others = [*file.parent.glob(f"{file.stem}.*")]
    if file.name == "__init__.py":
        folders = [path for path in file.parent.iterdir() if path.is_dir()]
        for folder in folders:
            others += [] if any(folder.glob("*.py")) else folder.rglob("*")
    yield from (other for other in others if other.suffix in BESIDE)


def digest(text: str) -> str:
    """Return a short hash of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
