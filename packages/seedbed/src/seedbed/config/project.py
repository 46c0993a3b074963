"""[tool.seedbed] of pyproject.toml: the project's package, and what of it is called and loaded."""

import importlib
import importlib.util
import sys
import tomllib
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from seedbed.errors import UserError, did_you_mean, one_line

PYPROJECT = "pyproject.toml"
_bundled: ContextVar[str | None] = ContextVar("bundled", default=None)


@dataclass(frozen=True)
class ProjectSettings:
    """The table ``[tool.seedbed]`` of pyproject.toml."""

    package: str = "project"  # the project's own package, below src/
    # packages, beside scikit-learn and the project's own, of which a ``_target_`` may be
    targets: tuple[str, ...] = ()
    # types that a model may hold when it is loaded, beside those of scikit-learn, by their full
    # names
    trusted: tuple[str, ...] = ()

    @property
    def target_prefixes(self) -> tuple[str, ...]:
        """What a ``_target_`` may begin with."""
        own = f"{self.package}.models"
        return tuple(f"{name.rstrip('.')}." for name in ("sklearn", own, *self.targets))


def read_settings(root: Path) -> ProjectSettings:
    """Read [tool.seedbed] of `root`/pyproject.toml; the defaults where there is none.

    Raises UserError if the file is not TOML, or a key is unknown or of another type.
    """
    file = root / PYPROJECT
    if not file.is_file():
        return ProjectSettings()
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("seedbed", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{PYPROJECT}: this is not TOML: {error}.") from None
    if not isinstance(table, dict):
        raise UserError(f"{PYPROJECT}: tool.seedbed is {table!r}: write a table, [tool.seedbed].")
    known = ProjectSettings.__dataclass_fields__
    for key, value in table.items():
        where = f"{PYPROJECT}, [tool.seedbed] {key}"
        if key not in known:
            raise UserError(
                f"{where}: there is no such key{did_you_mean(key, known)}. "
                f"Known: {', '.join(known)}."
            )
        if key == "package":
            fits = isinstance(value, str) and value.isidentifier()
            expected = "the name of the package below src/, such as project"
        else:
            fits = isinstance(value, list) and all(map(_is_dotted_name, value))
            example = "lightgbm" if key == "targets" else "lightgbm.sklearn.LGBMClassifier"
            expected = f"a list of names, such as ['{example}']"
        if not fits:
            raise UserError(f"{where} is {value!r}: write {expected}.")
    lists = {key: tuple(value) for key, value in table.items() if key != "package"}
    return ProjectSettings(table.get("package", "project"), **lists)


def _is_dotted_name(value: object) -> bool:
    return isinstance(value, str) and all(
        part.isidentifier() for part in value.rstrip(".").split(".")
    )


def project_package(root: Path) -> str:
    """Return the name of the project's own package."""
    return read_settings(root).package


def import_module_of_project(module: str) -> ModuleType:
    """Import a module of the project in the working directory.

    Raises UserError if that fails; the message names the file and the line where it does.
    """
    try:
        return importlib.import_module(module)
    except UserError as error:  # of a decorator
        raise UserError(f"{_place_of(error, module)}: {error}") from error
    except Exception as error:
        missing = "; if a package is missing, add it to pyproject.toml and run `make lock setup`"
        raise UserError(
            f"{_place_of(error, module)}: {type(error).__name__}: {one_line(error)}. "
            f"Correct that line{missing if isinstance(error, ImportError) else ''}."
        ) from error


def project_module(name: str) -> ModuleType | None:
    """Import a module of the project's package, for what it registers; None if there is none.

    Fingerprints take ``project_module("features")`` for an import of that module. The project is
    that of the working directory, or the one whose code a bundle brings.
    """
    package = _bundled.get()
    if package is None:
        here = Path.cwd()
        root = next((top for top in (here, *here.parents) if (top / PYPROJECT).is_file()), here)
        package, source = project_package(root), str(root / "src")
        if package not in sys.modules and Path(source, package).is_dir():
            sys.path[:0] = [] if source in sys.path else [source]
    found = None
    for module in (package, f"{package}.{name}") if package else ():
        if module not in sys.modules and importlib.util.find_spec(module) is None:
            return None
        found = import_module_of_project(module)
    return found


@contextmanager
def bundled_project(package: str) -> Iterator[None]:
    """Within it, :func:`project_module` looks in the package that a bundle brings, "" for none."""
    token = _bundled.set(package)
    try:
        yield
    finally:
        _bundled.reset(token)


def _place_of(error: Exception, module: str) -> str:
    """Return file and line of the project's own code that an error of importing comes from."""
    source = Path("src").absolute()
    lines = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        lines.append((error.filename, error.lineno))
    own = [(Path(file), line) for file, line in lines if Path(file).is_relative_to(source)]
    if not own:
        return f"src/{module.replace('.', '/')}.py"
    file, line = own[-1]
    return f"{file.relative_to(source.parent)}, line {line}"
