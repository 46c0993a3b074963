"""What pyproject.toml says under [tool.seedbed]: the project's package, and what of it may be called and loaded."""

import importlib
import importlib.util
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from seedbed.errors import UserError, did_you_mean

PYPROJECT = "pyproject.toml"


@dataclass(frozen=True)
class ProjectSettings:
    """The table ``[tool.seedbed]`` of pyproject.toml.

    Attributes
    ----------
    package : str
        The project's own package, below src/.
    targets : tuple of str
        Packages, beside scikit-learn and the project's own, of which a ``_target_`` may be.
    trusted : tuple of str
        Types that a model may hold when it is loaded, beside those of scikit-learn, by their full names.
    """

    package: str = "project"
    targets: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()

    @property
    def target_prefixes(self) -> tuple[str, ...]:
        """What a ``_target_`` may begin with."""
        return tuple(f"{name.rstrip('.')}." for name in ("sklearn", self.package, *self.targets))


def read_settings(root: Path) -> ProjectSettings:
    """Return what `root`/pyproject.toml says; the defaults where there is no such file or table.

    Raises
    ------
    UserError
        If the file is not TOML, or a key is unknown or of another type.
    """
    file = root / PYPROJECT
    if not file.is_file():
        return ProjectSettings()
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("seedbed", {})
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{PYPROJECT}: this is not TOML: {error}.") from None
    known = ProjectSettings.__dataclass_fields__
    for key, value in table.items():
        where = f"{PYPROJECT}, [tool.seedbed] {key}"
        if key not in known:
            raise UserError(
                f"{where}: there is no such key{did_you_mean(key, known)}. Known: {', '.join(known)}."
            )
        if key == "package" and not (isinstance(value, str) and value.isidentifier()):
            raise UserError(
                f"{where} is {value!r}: write the name of the package below src/, such as project."
            )
        if key != "package" and not (
            isinstance(value, list) and all(isinstance(name, str) for name in value)
        ):
            raise UserError(f"{where} is {value!r}: write a list of names, such as ['lightgbm'].")
    return ProjectSettings(
        **{key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    )


def project_package(root: Path) -> str:
    """Return the name of the project's own package."""
    return read_settings(root).package


@lru_cache
def project_module(name: str) -> ModuleType | None:
    """Import a module of the project's own package, for what its decorators register; None if there is none.

    Fingerprints take ``project_module("features")`` for an import of that module.
    """
    module = f"{project_package(Path())}.{name}"
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    return importlib.import_module(module) if found else None
