"""The project's own modules in a bundle: feature kinds and estimators, as in training."""

import importlib
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType

from seedbed.config.extensions import only_seedbed
from seedbed.config.project import bundled_project
from seedbed.errors import UserError, one_line

EXTENSIONS = ("features", "models")
"""The modules whose decorators register what a model needs when it predicts."""
_LOCK = threading.RLock()


class ProjectCode(MetaPathFinder, Loader):
    """The modules that one bundle holds, importable under their own names while they are active.

    Another version of the package may be imported in this process, that of the working directory or
    of another bundle. Neither sees the other's modules. Nothing is written beside the files.

    Parameters
    ----------
    package : str
        The project's package.
    folder : Path
        Where its folder lies, for tracebacks.
    files : mapping of str to bytes
        Contents by path below `folder`.
    """

    def __init__(self, package: str, folder: Path, files: Mapping[str, bytes]) -> None:
        self._package = package
        self._folder = folder
        self._files = files
        self._modules: dict[str, ModuleType] = {}

    @contextmanager
    def active(self) -> Iterator[None]:
        """Within it, importing the package gives the bundle's modules."""
        if not self._files:
            yield
            return
        with _LOCK:
            others = self._take_modules()
            sys.modules.update(self._modules)
            sys.meta_path.insert(0, self)
            try:
                yield
            finally:
                sys.meta_path.remove(self)
                self._modules = self._take_modules()
                sys.modules.update(others)

    @contextmanager
    def registered(self) -> Iterator[None]:
        """Within it, registries know what the bundle's modules register, and no other project's.

        Raises UserError if a module cannot be imported.
        """
        package = self._package if self._files else ""
        with self.active(), only_seedbed(), bundled_project(package):
            for name in EXTENSIONS:
                if f"{self._package}/{name}.py" in self._files:
                    self._import(f"{self._package}.{name}")
            yield

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module of the package is found, None for any other."""
        file = self._file_of(name)
        if file is None:
            return None
        origin = str(self._folder / file)
        return spec_from_loader(name, self, origin=origin, is_package=file.endswith("__init__.py"))

    def exec_module(self, module: ModuleType) -> None:
        """Run a module's code, from the bytes whose hash was compared."""
        file = self._file_of(module.__name__)
        if file is not None:
            module.__file__ = str(self._folder / file)
            exec(compile(self._files[file], module.__file__, "exec"), vars(module))

    def _file_of(self, name: str) -> str | None:
        path = name.replace(".", "/")
        found = (file for file in (f"{path}.py", f"{path}/__init__.py") if file in self._files)
        return next(found, None)

    def _import(self, name: str) -> None:
        try:
            importlib.import_module(name)
        except Exception as error:
            raise UserError(
                f"{self._folder}: the module {name}, which the bundle brings, cannot be imported "
                f"({type(error).__name__}: {one_line(error)}). Install the bundle's "
                "requirements.lock."
            ) from error

    def _take_modules(self) -> dict[str, ModuleType]:
        """Take the package out of what is imported."""
        names = [name for name in sys.modules if name.partition(".")[0] == self._package]
        return {name: sys.modules.pop(name) for name in names}
