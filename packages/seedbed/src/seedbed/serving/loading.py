"""Reads a bundle: one folder with all that predicting needs, loaded if every byte is genuine."""

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from seedbed.config.project import ProjectSettings
from seedbed.data.features import feature_makers
from seedbed.errors import UserError, one_line
from seedbed.files import read_json
from seedbed.models.gate import Verdict
from seedbed.models.serialization import load_pipeline
from seedbed.serving.bundle import Bundle
from seedbed.serving.code import ProjectCode
from seedbed.serving.compiled import compile_or_explain, find_difference
from seedbed.serving.recipe import REMEDY, OtherFormatError, Recipe
from seedbed.serving.reference import Reference
from seedbed.serving.samples import Samples
from seedbed.serving.seen_rows import SeenRows

FORMAT = 5
"""Grows when what a bundle holds changes its meaning."""
CHAMPION, PACKAGED = Path("models/champion"), Path("models/bundle")
"""Where a repository has the bundle in use, and the one that was packaged last."""
ABOUT = "bundle.json"
PIPELINE = "pipeline.skops"
VERDICT = "verdict.json"
CARD = "MODEL_CARD.md"
METRICS = "metrics.json"
REQUIREMENTS = "requirements.lock"
SEEN = "seen_rows.npy"
SAMPLES = "samples.json"
PROFILE = "profile.json"
CODE = "code"
WHEELS = "wheels"
VERSION_LETTERS = 12
CHANGED = "is not the file that was packaged: it was damaged or changed by hand"


def default_bundle() -> Path:
    """Return where the bundle lies that a command takes: the champion, or else the packaged one."""
    return CHAMPION if (CHAMPION / ABOUT).is_file() else PACKAGED


def load_bundle(path: str | Path, *, same_packages: bool = False) -> Bundle:
    """Read a bundle that :func:`write_bundle` wrote.

    A bundle may hold the project's own modules, and loading runs them: load only bundles whose
    origin you know. They are used whatever version of the project is importable here.

    Warns when a package that decides what is predicted has another version than in training.

    Parameters
    ----------
    path : str or Path
        Its folder.
    same_packages : bool, default=False
        Whether to raise an error instead of that warning.

    Raises
    ------
    UserError
        If it holds a refusal of the gate, or was damaged or changed; it names the file.
    OtherFormatError
        If it is of another format, or as it was packaged, and yet not to be loaded by the packages
        that are installed.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise UserError(
            f"{folder}: there is no such bundle. `dvc repro package` makes it, unless the gate "
            "refuses the model (reports/verdict.json says why); `dvc pull` fetches it."
        )
    if (folder / VERDICT).is_file():
        raise UserError(
            f"{folder}: the gate refused this model, so it is not served. "
            f"{Verdict.read(folder / VERDICT).reason}"
        )
    about, whole = read_about(folder / ABOUT)
    files = {name: read_genuine(folder, name, digest) for name, digest in about["files"].items()}
    for name, trained in about["packages"].items():
        if version(name) != trained:
            differs = (
                f"{folder} was trained with {name} {trained}, and {version(name)} is installed: "
                f"predictions may differ. Install {folder / REQUIREMENTS}."
            )
            if same_packages:
                raise UserError(differs)
            warnings.warn(differs, stacklevel=2)
    try:
        return _load(folder, about, files, whole)
    except OtherFormatError:
        raise
    except (UserError, ValueError) as error:
        raise OtherFormatError(
            f"{error} It was packaged with the versions in {folder / REQUIREMENTS}."
        ) from error


def _load(folder: Path, about: Mapping[str, Any], files: Mapping[str, bytes], whole: str) -> Bundle:
    settings = TypeAdapter(ProjectSettings).validate_python(about["project"])
    own = {
        name.removeprefix(f"{CODE}/"): content
        for name, content in files.items()
        if name.startswith(f"{CODE}/")
    }
    code = ProjectCode(settings.package, folder / CODE, own)
    with code.registered():
        recipe = Recipe.from_dict(about, folder / ABOUT)
        makers = feature_makers(recipe.columns, recipe.features)
        pipeline = load_pipeline(folder / PIPELINE, settings)
        compiled, reason = compile_or_explain(recipe, pipeline)
    metrics, seen = read_json(folder / METRICS), SeenRows.read(folder / SEEN)
    samples, profile = Samples.read(folder / SAMPLES), Reference.read(folder / PROFILE)
    version = whole[:VERSION_LETTERS]
    packages, card = about["packages"], files[CARD].decode()
    bundle = Bundle(
        recipe, pipeline, metrics, seen, samples, profile, version, packages, card, makers, code
    )
    if compiled is not None:
        try:
            difference = find_difference(compiled, samples.rows, bundle)
        except Exception as error:  # in the packages of today it may fail anywhere
            difference = f"the Pipeline fails ({type(error).__name__}: {one_line(error)})"
        if difference:
            compiled, reason = None, f"The compiled form of {folder} is not used: {difference}."
            warnings.warn(f"{reason} Rows are answered slowly.", stacklevel=3)
    return replace(bundle, compiled=compiled, why_not_compiled=reason)


def read_about(path: Path) -> tuple[dict[str, Any], str]:
    """Return what bundle.json says, and the hash of that.

    Raises UserError if it is missing or changed, or of another format.
    """
    try:
        about: dict[str, Any] = read_json(path)
        digest = about.pop("sha256")
        if about["format"] != FORMAT:
            raise OtherFormatError(
                f"{path}: format is {about['format']!r}, and this version of seedbed reads "
                f"{FORMAT}. {REMEDY}"
            )
        genuine = digest == hash_of(about) and PIPELINE in about["files"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"{path}: this cannot be read as the description of a bundle ({one_line(error)})"
        raise _broken(path.parent, what) from None
    if not genuine:
        raise _broken(path.parent, f"{path} {CHANGED}")
    return about, digest


def read_genuine(folder: Path, name: str, digest: str) -> bytes:
    """Return what a file of a bundle holds.

    Raises UserError if it is missing, or its hash is another.
    """
    file = folder / name
    if not file.is_file():
        raise _broken(folder, f"{file} is missing, and a bundle is whole or it is nothing")
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise _broken(folder, f"{file} {CHANGED}")
    return content


def _broken(folder: Path, what: str) -> UserError:
    return UserError(
        f"{what}. Fetch it again with `dvc checkout --force {folder}`, or make it anew with "
        "`dvc repro --force package`."
    )


def hash_of(about: Mapping[str, Any]) -> str:
    """Return the hash of what bundle.json holds, but for the hash itself."""
    return hashlib.sha256(json.dumps(about, sort_keys=True, allow_nan=False).encode()).hexdigest()
