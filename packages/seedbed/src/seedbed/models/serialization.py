"""Fitted pipelines as skops files: the same bytes for the same model, and nothing loaded that is not on a fixed list.

skops (https://skops.readthedocs.io/en/stable/persistence.html) names parts after memory addresses and dates each
entry of its zip. Both are rewritten here: parts are numbered in the order they come, dates are fixed.
"""

import io
import json
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seedbed.errors import UserError
from seedbed.files import replacing

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

TRUSTED = (
    "functools.partial",
    "numpy.dtype",
    "sklearn._loss._loss.CyHalfBinomialLoss",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
    "sklearn.utils.validation.check_array",
)
"""Types outside skops' own defaults that may be loaded; a project adds its own estimators' here.

Trees of a file made to harm can crash the process that predicts with them: load only files whose origin you know.
"""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first date a zip can hold."""
CONSTANTS = ("JsonNode", "TypeNode")
"""Parts whose being one object or two is up to the interpreter, and of no consequence."""
PACKAGES = ("numpy", "pandas", "scikit-learn", "skops")
"""Whose versions decide what a pipeline predicts."""


def installed_packages() -> dict[str, str]:
    """Return the version of each package that decides what a pipeline predicts, as it is installed now."""
    return {name: version(name) for name in PACKAGES}


def dump_pipeline(pipeline: "Pipeline", path: Path) -> None:
    """Write a fitted pipeline; equal pipelines give equal bytes.

    Raises
    ------
    UserError
        If it holds a type that :func:`load_pipeline` would refuse.
    """
    from skops.io import dumps, get_untrusted_types

    content = _canonical(dumps(pipeline))
    _refuse(set(get_untrusted_types(data=content)) - set(TRUSTED), path)
    with replacing(path) as beside:
        beside.write_bytes(content)


def load_pipeline(path: Path) -> "Pipeline":
    """Read a pipeline that :func:`dump_pipeline` wrote.

    Raises
    ------
    UserError
        If the file is missing or broken, or holds a type that is not trusted; nothing of it was made then.
    """
    from skops.io import get_untrusted_types, load

    if not path.is_file():
        raise UserError(f"{path}: there is no such model. Run `dvc repro train`, or `dvc pull`.")
    try:
        found = set(get_untrusted_types(file=path))
        if found <= set(TRUSTED):
            return load(path, trusted=list(TRUSTED))
    except Exception as error:
        # A file nobody vouches for may fail in any way; what it says is told, and nothing else is done with it.
        told = " ".join(str(error).split())[:300]
        raise UserError(
            f"{path}: this is not a model file that can be read ({type(error).__name__}: {told})."
        ) from error
    _refuse(found - set(TRUSTED), path)
    raise AssertionError("unreachable: _refuse raises when a type is not trusted")


def _refuse(types: set[str], path: Path) -> None:
    if types:
        raise UserError(
            f"{path}: the model holds {', '.join(sorted(types))}, which is not on the list of trusted types. "
            "If it is your own estimator, add it to TRUSTED in packages/seedbed/src/seedbed/models/serialization.py; "
            "otherwise do not load this file."
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
    """Zero the bytes between the fields of a structured array, which hold whatever the memory held."""
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
