"""What makes a bundle run anywhere: seedbed's wheel of serving, locked packages, a container."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path

from seedbed.config.lock_file import Entry, entries
from seedbed.errors import one_line
from seedbed.serving.loading import REQUIREMENTS, WHEELS
from seedbed.serving.recipe import Recipe
from seedbed.serving.wheel import wheel_content, wheel_name
from seedbed.templates import render

PYTHONS = ("3.13", "3.12", "3.11")
"""Those that seedbed runs on."""
REQUIRES_PYTHON = ">=3.11,<3.14"
DOCKERIGNORE = ".dockerignore"
HEADER = """\
# What serving this bundle needs, and nothing else. In this folder:
#    python -m pip install --no-deps --require-hashes --requirement requirements.lock
"""
TEMPLATES = {
    "Dockerfile": "deployment.Dockerfile.jinja",
    "compose.yaml": "deployment.compose.jinja",
}


def choose_python(lock: Path, trained: Mapping[str, str]) -> str:
    """Return the newest Python for which a lock has the versions that a pipeline was fitted with.

    NumPy and SciPy end their support of a Python early, so that a lock has two versions of each.

    Parameters
    ----------
    trained : mapping of str to str
        Versions by the names of packages.
    """

    def equal(python: str) -> int:
        return sum(
            entry.version == trained.get(entry.name)
            for entry in entries(lock)
            if entry.holds(python)
        )

    return max(PYTHONS, key=equal)


def select_packages(lock: Path, names: Collection[str], python: str) -> list[Entry]:
    """Return what a lock pins of packages on one Python.

    It is pinned for all other Pythons too: a model predicts with the versions that it was fitted
    with, wherever it is served.
    """
    found = []
    for entry in entries(lock):
        by_python = "python" in entry.marker
        if entry.name in names and (not by_python or entry.holds(python)):
            found.append(entry._replace(marker="") if by_python else entry)
    return found


def serving_wheel(
    version: str, modules: Mapping[str, bytes], packages: Sequence[Entry]
) -> tuple[str, bytes]:
    """Return name and content of the wheel that holds what serves, of seedbed.

    Parameters
    ----------
    version : str
        Of seedbed. The wheel's has ``+serving`` at its end.
    modules : mapping of str to bytes
        By path.
    packages : sequence of Entry
        What these modules import.
    """
    about = {
        "name": "seedbed",
        "version": f"{version}+serving",
        "description": "Serves, scores and verifies a bundle: the part of seedbed that does so",
        "license": "MIT",
        "requires-python": REQUIRES_PYTHON,
        "dependencies": [_requirement(entry) for entry in packages],
        "scripts": {"seedbed": "seedbed.cli.serving:main"},
    }
    license_text = distribution("seedbed").read_text("licenses/LICENSE") or ""
    return wheel_name(about), wheel_content(about, modules, license_text.encode())


def deployment_files(
    recipe: Recipe, wheel: tuple[str, bytes], packages: Sequence[Entry], python: str
) -> dict[str, bytes]:
    """Return the wheel, the lock, Dockerfile and compose.yaml, by path in the bundle.

    Parameters
    ----------
    wheel : tuple
        As :func:`serving_wheel` returns it.
    packages : sequence of Entry
        All that serving needs.
    python : str
        Such as 3.12.
    """
    facts = {
        "python": python,
        "name": re.sub(r"[^a-z0-9]+", "-", recipe.dataset.lower()).strip("-") or "model",
        "title": recipe.dataset,
        "question": recipe.problem.question,
    }
    texts = {
        name: render(Path(__file__).with_name(template), {"quoted": _quoted}, **facts)
        for name, template in TEMPLATES.items()
    }
    place = f"{WHEELS}/{wheel[0]}"
    pins = [_pin(f"./{place}", [f"sha256:{sha256(wheel[1]).hexdigest()}"])]
    pins += [_pin(_requirement(entry), entry.hashes) for entry in packages]
    texts[REQUIREMENTS] = HEADER + "".join(pins)
    return {place: wheel[1], **{name: text.encode() for name, text in texts.items()}}


def dockerignore_text(names: Collection[str]) -> str:
    """Return what keeps all but the bundle's own files and folders out of an image."""
    return "".join(f"{line}\n" for line in ("*", *(f"!{name}" for name in sorted(names))))


def _requirement(entry: Entry) -> str:
    return f"{entry.pin} ; {entry.marker}" if entry.marker else entry.pin


def _pin(requirement: str, hashes: Sequence[str]) -> str:
    lines = [requirement, *(f"    --hash={digest}" for digest in hashes)]
    return " \\\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Return a text as the instruction LABEL of a Dockerfile holds it."""
    return json.dumps(one_line(text), ensure_ascii=False).replace("$", "\\$")
