"""Does a bundle still do what it was packaged for: files, packages, and answers to its samples."""

import platform
import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from seedbed.config.lock_file import entries
from seedbed.errors import UserError
from seedbed.serving.bundle import Bundle
from seedbed.serving.facts import Fact
from seedbed.serving.loading import ABOUT, REQUIREMENTS, load_bundle, read_about, read_genuine
from seedbed.serving.samples import json_value

TOLERANCE = 1e-9
"""The largest difference of two numbers, relative to the largest number expected in their column.

Processors differ in how they add up: in the last bits, some 1e-16 each time."""


def verify_bundle(folder: Path) -> list[Fact]:
    """Return what is as it was packaged, and what is not; what cannot be looked at is left out.

    Parameters
    ----------
    folder : Path
        Of a bundle. Its code runs once its hashes were compared.
    """
    try:
        if not (folder / ABOUT).is_file():
            load_bundle(folder)  # says whether it is none, or a refusal
        about, whole = read_about(folder / ABOUT)
    except UserError as error:
        return [Fact("bundle", str(error), genuine=False)]
    facts = [Fact("bundle", f"{folder}, {whole}"), _files(folder, about["files"])]
    facts += [_packages(about["packages"]), _lock(folder / REQUIREMENTS)]
    if not facts[1].genuine:
        return facts
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            bundle = load_bundle(folder)
    except UserError as error:
        return [*facts, Fact("loading", str(error), genuine=False)]
    # Other versions of packages have a line of their own.
    messages = [str(warning.message) for warning in caught if facts[2].genuine]
    by = f"by seedbed {version('seedbed')}, Python {platform.python_version()}"
    return [*facts, Fact("loading", ". ".join([by, *messages])), compare_samples(bundle)]


def _files(folder: Path, digests: Mapping[str, str]) -> Fact:
    wrong = []
    for name, digest in digests.items():
        try:
            read_genuine(folder, name, digest)
        except UserError as error:
            wrong.append(str(error))
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    wrong += [
        f"{folder / name} is no file of this bundle: remove it"
        for name in sorted(found - digests.keys() - {ABOUT})
    ]
    return Fact.on("files", f"{len(digests)}, all as they were packaged", wrong)


def _packages(trained: Mapping[str, str]) -> Fact:
    found = ", ".join(f"{name} {number}" for name, number in trained.items())
    return Fact.on("packages", f"{found}, as in training", _differing(trained, "in training"))


def _lock(lock: Path) -> Fact:
    locked = {entry.name: entry.version for entry in entries(lock) if entry.holds()}
    text = f"{len(locked)} packages, all as in {lock.name}"
    return Fact.on("lock", text, _differing(locked, f"in {lock.name}"))


def _differing(expected: Mapping[str, str], where: str) -> list[str]:
    """Return a sentence for each package that is not installed in its expected version."""
    wrong = []
    for name, number in expected.items():
        try:
            installed = f"{version(name)} is"
        except PackageNotFoundError:
            installed = "is not"
        if installed != f"{number} is":
            wrong.append(f"{name} {installed} installed, and {number} {where}")
    return wrong


def compare_samples(bundle: Bundle) -> Fact:
    """Compare a bundle's answers to its sample rows with those that it gave when it was packaged.

    The rows are asked as a few and as many are, which may go two ways. Numbers may differ by
    :data:`TOLERANCE`, and the sentence says by how much they do.
    """
    samples = bundle.samples
    if not samples.rows:
        return Fact("answers", "the bundle carries no sample rows, so none were compared")
    try:
        many = bundle.predict(samples.rows).to_dict(orient="records")
        ways = [bundle.answer(samples.rows).rows, many]
    except UserError as error:
        return Fact("answers", str(error), genuine=False)
    wrong, largest = [], 0.0
    for name in samples.answers[0]:
        expected = [row[name] for row in samples.answers]
        for answers in ways:
            found = [json_value(row[name]) for row in answers]
            differences = _differences(found, expected)
            largest = max(largest, *(value for value in differences if value <= TOLERANCE), 0.0)
            wrong += [
                f"row {place}: {name} is {found[place]!r}, and {expected[place]!r} was expected"
                for place, value in enumerate(differences)
                if value > TOLERANCE
            ]
    text = f"{len(samples.rows)} sample rows, {_in_words(largest)}"
    return Fact.on("answers", text, [*dict.fromkeys(wrong)])


def _differences(found: Sequence[Any], expected: Sequence[Any]) -> list[float]:
    """Return by how much numbers differ, relative to the largest; 0 or infinity for all else."""
    numbers = [abs(value) for value in expected if isinstance(value, float)]
    largest = max(numbers, default=0.0) or 1.0
    return [
        abs(value - other) / largest
        if isinstance(value, float) and isinstance(other, float)
        else (0.0 if value == other else float("inf"))
        for value, other in zip(found, expected, strict=True)
    ]


def _in_words(largest: float) -> str:
    if largest == 0:
        return "answered as in training, to the last bit"
    return (
        f"answered as in training but for the last bits: numbers differ by {largest:.1e} of the "
        f"largest at most. Another processor or library may do so, and up to {TOLERANCE:.0e} is "
        "tolerated"
    )
