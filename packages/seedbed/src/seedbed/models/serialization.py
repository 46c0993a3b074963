"""Fitted pipelines as skops files: equal models give equal bytes, only trusted types are loaded.

skops (https://skops.readthedocs.io/en/stable/persistence.html) names parts after memory addresses
and dates each entry of its zip. Both are rewritten: parts are numbered in order, dates are fixed.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seedbed.config.project import ProjectSettings, read_settings
from seedbed.errors import UserError, one_line
from seedbed.files import replacing

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

TRUSTED = (
    "functools.partial",
    "numpy.dtype",
    "seedbed.models.encoders.ImageEncoder",
    "seedbed.models.encoders.TextEncoder",
    "seedbed.models.preprocessing.ColumnSelector",
    "seedbed.models.preprocessing.LogTarget",
    "seedbed.models.preprocessing.QuantileClipper",
    "sklearn._loss._loss.CyHalfBinomialLoss",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
    "sklearn.utils.validation.check_array",
)
"""Types outside skops' own defaults that may be loaded. A project's own types, and those that
pyproject.toml lists in `trusted` under [tool.seedbed], may be loaded as well.

Trees of a file made to harm can crash the process that predicts with them: load only files whose
origin you know.
"""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first date a zip can hold."""
CONSTANTS = ("JsonNode", "TypeNode")
"""Parts that the interpreter makes one object or two; it changes nothing."""
PACKAGES = ("numpy", "pandas", "scikit-learn", "skops")
"""Whose versions decide what a pipeline predicts."""


def installed_packages() -> dict[str, str]:
    """Return the installed version of each package that decides what a pipeline predicts."""
    return {name: version(name) for name in PACKAGES}


def dump_pipeline(pipeline: "Pipeline", path: Path) -> None:
    """Write a fitted pipeline; equal pipelines give equal bytes.

    Raises UserError if it holds a type that :func:`load_pipeline` would refuse.
    """
    from skops.io import dumps, get_untrusted_types

    content = _canonical(dumps(pipeline))
    types = get_untrusted_types(data=content)
    _refuse(types, read_settings(Path()), Path(path.name))  # path may be a temporary one
    if nameless := sorted(name for name in types if "<" in name):
        raise UserError(
            f"{path.name}: the model holds {', '.join(nameless)}, which could not be loaded again. "
            "Let its estimator keep a function of its module, and no lambda or function that "
            "stands in another."
        )
    with replacing(path) as beside:
        beside.write_bytes(content)


def load_pipeline(path: Path, settings: ProjectSettings | None = None) -> "Pipeline":
    """Read a pipeline that :func:`dump_pipeline` wrote.

    Parameters
    ----------
    path : Path
    settings : ProjectSettings, optional
        Of the project that trained it, which say what else is trusted; by default those of the
        project in the working directory.

    Raises
    ------
    UserError
        If the file is missing or broken, or holds a type that is not trusted; nothing of it was
        made then.
    """
    from skops.io import get_untrusted_types, load

    if not path.is_file():
        raise UserError(f"{path}: there is no such model. Run `dvc repro train`, or `dvc pull`.")
    try:
        found = get_untrusted_types(file=path)
        _refuse(found, settings or read_settings(Path()), path)
        return load(path, trusted=found)
    except UserError:
        raise
    except Exception as error:  # a damaged file may fail in any way
        raise UserError(
            f"{path}: this is not a model file that can be read ({type(error).__name__}: "
            f"{one_line(error)[:300]})."
        ) from error


def modules_in(path: Path) -> set[str]:
    """Return the modules of all types in a pipeline's file."""
    with zipfile.ZipFile(path) as file:
        return set(re.findall(r'"__module__": ?"([^"]+)"', file.read("schema.json").decode()))


def _refuse(types: Iterable[str], settings: ProjectSettings, path: Path) -> None:
    known = {*TRUSTED, *settings.trusted}
    own = f"{settings.package}."
    if foreign := sorted(name for name in types if name not in known and not name.startswith(own)):
        raise UserError(
            f"{path}: the model holds {', '.join(foreign)}, which is not on the list of trusted "
            "types. "
            "If it belongs to an estimator of your choice, add it to `trusted` under "
            "[tool.seedbed] in "
            "pyproject.toml; otherwise do not load this file."
        )


def _canonical(content: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w") as zipped:
        schema = json.loads(source.read("schema.json"))
        names: dict[str, str] = {}
        _renumber(schema, {}, names, set(source.namelist()))
        _write(zipped, "schema.json", json.dumps(schema, separators=(",", ":")).encode())
        for old, new in names.items():
            _write(zipped, new, _without_padding(source.read(old)))
    return target.getvalue()


def _renumber(node: Any, numbers: dict[int, int], names: dict[str, str], files: set[str]) -> None:
    if isinstance(node, list):
        for part in node:
            _renumber(part, numbers, names, files)
    if not isinstance(node, dict):
        return
    if node.get("__loader__") in CONSTANTS:
        node.pop("__id__", None)
    elif "__id__" in node:
        node["__id__"] = numbers.setdefault(node["__id__"], len(numbers) + 1)
    if node.get("__loader__") == "SetNode":
        node["content"].sort(key=lambda part: str(part.get("content")))
    if isinstance(node.get("file"), str) and node["file"] in files:
        node["file"] = names.setdefault(node["file"], f"{len(names)}{Path(node['file']).suffix}")
    for part in node.values():
        _renumber(part, numbers, names, files)


def _without_padding(content: bytes) -> bytes:
    """Zero the bytes between the fields of a structured array: they hold what the memory held."""
    if not content.startswith(b"\x93NUMPY"):
        return content
    array = np.load(io.BytesIO(content), allow_pickle=False)
    if array.dtype.fields is None:
        return content
    clean = np.zeros(array.shape, array.dtype)
    for name in array.dtype.names:
        clean[name] = array[name]
    buffer = io.BytesIO()
    np.save(buffer, clean, allow_pickle=False)
    return buffer.getvalue()


def _write(zipped: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    zipped.writestr(entry, content, compresslevel=1)
