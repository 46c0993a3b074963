"""What makes a bundle run anywhere: seedbed's wheel of serving, locked packages, a container."""

import json
import re
from collections.abc import Collection, Mapping
from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path

from seedbed.config.lock_file import entries, versions_for
from seedbed.errors import one_line
from seedbed.serving.bundle import REQUIREMENTS
from seedbed.serving.recipe import Recipe
from seedbed.serving.wheel import wheel_content, wheel_name

PYTHONS = ("3.13", "3.12", "3.11")
"""Those that seedbed runs on."""
REQUIRES_PYTHON = ">=3.11,<3.14"
NEEDED_BY = {"pillow": "image"}
"""Packages that only columns of one type need."""
DOCKERIGNORE = ".dockerignore"
HEADER = """\
# What serving this bundle needs, and nothing else. In this folder, with no other package installed:
#    python -m pip install --no-deps --require-hashes --requirement requirements.lock
"""
TEMPLATES = {
    "Dockerfile": "deployment.Dockerfile.jinja",
    "compose.yaml": "deployment.compose.jinja",
}


def serving_wheel(
    version: str, modules: Mapping[str, bytes], packages: Collection[str], lock: Path
) -> tuple[str, bytes]:
    """Return name and content of the wheel that holds what serves, of seedbed.

    Parameters
    ----------
    version : str
        Of seedbed. The wheel's has ``+serving`` at its end.
    modules : mapping of str to bytes
        By path.
    packages : collection of str
        What these modules import.
    lock : Path
        Says which version of each.
    """
    about = {
        "name": "seedbed",
        "version": f"{version}+serving",
        "description": "Serves, scores and verifies a bundle: the part of seedbed that does so",
        "license": "MIT",
        "requires-python": REQUIRES_PYTHON,
        "dependencies": [
            entry.partition(" \\\n")[0] for name, entry in entries(lock) if name in packages
        ],
        "scripts": {"seedbed": "seedbed.cli.serving:main"},
    }
    license_text = distribution("seedbed").read_text("licenses/LICENSE") or ""
    return wheel_name(about), wheel_content(about, modules, license_text.encode())


def needed_packages(packages: Collection[str], recipe: Recipe) -> set[str]:
    """Return the packages without those that only columns need which the recipe has not."""
    types = {column.type for column in recipe.columns.values()}
    return {name for name in packages if NEEDED_BY.get(name) in (None, *types)}


def lock_text(lock: Path, packages: Collection[str], wheel: str, content: bytes) -> str:
    """Return a lock of packages, as another lock pins them, and of a wheel beside it.

    Parameters
    ----------
    lock : Path
        The project's requirements.lock.
    packages : collection of str
    wheel : str
        Path of the wheel, relative to the folder that the lock is for.
    content : bytes
        Of the wheel.
    """
    digest = sha256(content).hexdigest()
    kept = "".join(entry for name, entry in entries(lock) if name in packages)
    return f"{HEADER}./{wheel} \\\n    --hash=sha256:{digest}\n{kept}"


def container_files(recipe: Recipe, lock: Path, packages: Mapping[str, str]) -> dict[str, str]:
    """Return the text of Dockerfile and compose.yaml, by name.

    Parameters
    ----------
    recipe : Recipe
    lock : Path
        The project's requirements.lock.
    packages : mapping of str to str
        The versions that the pipeline was fitted with.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters["quoted"] = _quoted
    facts = {
        "python": choose_python(lock, packages),
        "name": re.sub(r"[^a-z0-9]+", "-", recipe.dataset.lower()).strip("-") or "model",
        "title": recipe.dataset,
        "question": recipe.problem.question,
        "requirements": REQUIREMENTS,
    }
    return {
        name: environment.get_template(template).render(facts)
        for name, template in TEMPLATES.items()
    }


def choose_python(lock: Path, packages: Mapping[str, str]) -> str:
    """Return the newest Python for which a lock has most of these versions of packages.

    NumPy ends its support of a Python early: a lock has several versions of it.
    """

    def equal(python: str) -> int:
        locked = versions_for(lock, python)
        return sum(locked.get(name) == version for name, version in packages.items())

    return max(PYTHONS, key=equal)


def dockerignore_text(names: Collection[str]) -> str:
    """Return what keeps all but the bundle's own files and folders out of an image."""
    return "".join(f"{line}\n" for line in ("*", *(f"!{name}" for name in sorted(names))))


def _quoted(text: str) -> str:
    """Return a text as a Dockerfile's instruction LABEL holds it."""
    return json.dumps(one_line(text), ensure_ascii=False).replace("$", "\\$")
