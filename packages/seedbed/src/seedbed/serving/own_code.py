"""What a bundle takes of the project and of seedbed: modules, a wheel, and the lock of both."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from seedbed.config.imports import LOCK, Imports
from seedbed.config.project import ProjectSettings, project_module, read_settings
from seedbed.models.serialization import modules_in
from seedbed.serving.code import EXTENSIONS
from seedbed.serving.deployment import (
    choose_python,
    deployment_files,
    select_packages,
    serving_wheel,
)
from seedbed.serving.loading import CODE
from seedbed.serving.recipe import Recipe

READS_IMAGES = "seedbed/data/file_columns.py"
"""The module that imports Pillow, which is not needed without a column of images."""


@dataclass(frozen=True)
class OwnCode:
    """What a bundle takes of the project and of seedbed."""

    settings: ProjectSettings
    # by path in the bundle: the project's modules that predicting needs, the wheel of what serves,
    # and the lock of what both need
    files: dict[str, bytes]


def gather_code(pipeline: Path, recipe: Recipe, trained: Mapping[str, str]) -> OwnCode:
    """Return what the bundle of a fitted pipeline takes of the project in the working directory.

    Of the project, these are the modules of its feature kinds and estimators, those of the types in
    the pipeline, and what they import of the project; of seedbed, the modules that serve.

    Parameters
    ----------
    trained : mapping of str to str
        The versions of packages that the pipeline was fitted with.
    """
    root = Path()
    settings = read_settings(root)
    # They must be importable; and an edit of them makes stage package stale.
    project_module("features")
    project_module("models")
    prefix = f"{settings.package}."
    types = modules_in(pipeline)
    own = [module for module in types if f"{module}.".startswith(prefix)]
    imports = Imports(root)
    modules = [*(prefix + name for name in EXTENSIONS), *own]
    files = {key: file for name in modules for key, file in imports.files_of(name).items()}
    files |= imports.serving_files()
    contents = {key: file.read_bytes() for key, file in files.items()}
    ours = {
        f"{CODE}/{key}": content
        for key, content in contents.items()
        if key.startswith(f"{settings.package}/")
    }
    if not any(content.strip() for content in ours.values()):
        ours = {}  # a package without extensions consists of an empty __init__.py
    serving = {key: file for key, file in files.items() if key.startswith("seedbed/")}
    typed = serving["seedbed/__init__.py"].with_name("py.typed").read_bytes()
    python = choose_python(root / LOCK, trained)
    called = {key: file for key, file in files.items() if key != READS_IMAGES or _images(recipe)}
    packages = select_packages(root / LOCK, imports.versions_of(called, also=types), python)
    imported = imports.packages_of({key: file for key, file in called.items() if key in serving})
    wheel = serving_wheel(
        imports.seedbed_version,
        {**{key: contents[key] for key in sorted(serving)}, "seedbed/py.typed": typed},
        [entry for entry in packages if entry.name in imported],
    )
    return OwnCode(settings, ours | deployment_files(recipe, wheel, packages, python))


def _images(recipe: Recipe) -> bool:
    return any(column.type == "image" for column in recipe.columns.values())
