"""The bundle: one folder with all that a prediction needs, which loads only if every byte is genuine."""

import hashlib
import json
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from seedbed.config.project import ProjectSettings
from seedbed.data.cleaning import clean_values
from seedbed.data.features import Makers, feature_makers, make_features
from seedbed.errors import UserError
from seedbed.files import read_json, replacing_folder, write_json, write_text
from seedbed.models.features import feature_frame
from seedbed.models.gate import Verdict
from seedbed.models.pipeline import predict_scores
from seedbed.models.serialization import load_pipeline
from seedbed.serving.code import ProjectCode
from seedbed.serving.recipe import OtherFormatError, Recipe
from seedbed.serving.seen_rows import SeenRows
from seedbed.serving.signature import Rows, Signature

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from seedbed.serving.packaging import OwnCode

FORMAT = 4
"""Grows when what a bundle holds changes its meaning."""
ABOUT = "bundle.json"
PIPELINE = "pipeline.skops"
VERDICT = "verdict.json"
CARD = "MODEL_CARD.md"
METRICS = "metrics.json"
REQUIREMENTS = "requirements.lock"
SEEN = "seen_rows.npy"
CODE = "code"


@dataclass(frozen=True)
class CheckedRows:
    """Rows that fit a bundle's signature, cleaned: what :meth:`Bundle.check` returns."""

    cleaned: pd.DataFrame
    index: pd.Index


@dataclass(frozen=True)
class Bundle:
    """A model that was loaded, ready to predict.

    Attributes
    ----------
    recipe : Recipe
        How raw rows are cleaned, made into features and decided.
    pipeline : Pipeline
    metrics : dict
        What train and evaluate measured.
    seen : SeenRows
        Which rows the model was trained or chosen on.
    """

    recipe: Recipe
    pipeline: "Pipeline"
    metrics: dict[str, Any]
    seen: SeenRows
    _makers: Makers = field(repr=False)
    _code: ProjectCode = field(repr=False)

    @property
    def signature(self) -> Signature:
        """The columns that :meth:`predict` needs."""
        return self.recipe.signature

    def check(self, raw_rows: Rows) -> CheckedRows:
        """Return rows for :meth:`predict` and :meth:`warn`, so that both are given the same check.

        Raises
        ------
        UserError
            If the rows do not fit the signature.
        """
        checked = self.signature.check(raw_rows)
        index, rows = checked.index, checked.reset_index(drop=True)
        return CheckedRows(clean_values(rows, self.recipe.columns, self.recipe.cleaning), index)

    def predict(self, rows: Rows | CheckedRows) -> pd.DataFrame:
        """Answer the question for raw rows: the same cleaning and the same features as in training.

        Parameters
        ----------
        rows : DataFrame of shape (n_rows, n_columns), mapping, sequence of mappings, or CheckedRows
            As ingested or as sent: a frame, a dict that is one row, or a list of dicts. Other columns
            than the signature's may be there and are not looked at.

        Returns
        -------
        DataFrame, shape (n_rows, n_answers)
            `prediction` (bool, str or the target's unit), and `score` (binary: probability of the
            positive class) or one `score_<class>` for each class of a multiclass problem. Same index
            as `rows`.

        Raises
        ------
        UserError
            If the rows do not fit the signature.
        """
        checked = rows if isinstance(rows, CheckedRows) else self.check(rows)
        decision = self.recipe.decision
        with self._code.active():
            features = make_features(checked.cleaned, self._makers)
            known = feature_frame(features, decision.features)
            scores = predict_scores(self.pipeline, known, decision.task, decision.classes)
        answers: dict[str, Any] = {"prediction": decision.labels(decision.decide(scores))}
        if decision.task == "binary":
            answers["score"] = scores
        elif decision.task == "multiclass":
            names = enumerate(decision.classes)
            answers |= {f"score_{label}": scores[:, code] for code, label in names}
        return pd.DataFrame(answers).set_axis(checked.index)

    def warn(self, rows: Rows | CheckedRows) -> list[str]:
        """Return a sentence for each column with values beyond those in training."""
        checked = rows if isinstance(rows, CheckedRows) else self.check(rows)
        return self.signature.find_unusual(checked.cleaned)


def write_bundle(
    path: Path,
    recipe: Recipe,
    *,
    pipeline: Path,
    packages: dict[str, str],
    metrics: dict[str, Any],
    card: str,
    code: "OwnCode",
    seen: SeenRows,
) -> None:
    """Write a bundle, whole or not at all; equal parts give equal bytes.

    Parameters
    ----------
    path : Path
        Folder to create or replace.
    recipe : Recipe
        How rows become decisions.
    pipeline : Path
        A file that is copied byte for byte.
    packages : dict
        The versions that the pipeline was fitted with, which need not be those installed now.
    metrics : dict
        The figures to keep.
    card : str
        The model card, in Markdown.
    code : OwnCode
        The project's modules, settings and locked packages.
    seen : SeenRows
        Of train and validation rows.
    """
    with replacing_folder(path) as folder:
        shutil.copyfile(pipeline, folder / PIPELINE)
        write_text(folder / REQUIREMENTS, code.requirements)
        write_json(folder / METRICS, metrics)
        write_text(folder / CARD, card)
        seen.write(folder / SEEN)
        for name, content in code.files.items():
            file = folder / CODE / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        about = {
            "format": FORMAT,
            **recipe.to_dict(),
            "packages": packages,
            "project": asdict(code.settings),
            "files": {
                file.relative_to(folder).as_posix(): _hash(file.read_bytes()) for file in files
            },
        }
        write_json(folder / ABOUT, {**about, "sha256": _hash_of(about)})


def write_refused_bundle(path: Path, verdict: Verdict) -> None:
    """Write a bundle that holds only the gate's "no": every loader refuses it with that reason."""
    with replacing_folder(path) as folder:
        verdict.write(folder / VERDICT)


def load_bundle(path: str | Path) -> Bundle:
    """Read a bundle that :func:`write_bundle` wrote.

    A bundle may hold the project's own modules, and loading runs them: load only bundles whose origin
    you know. They are used whatever version of the project is importable here.

    Warns when a package that decides what is predicted has another version than in training.

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
            f"{folder}: there is no such bundle. `dvc repro package` makes it, unless the gate refuses "
            "the model (reports/gate.json says why); `dvc pull` fetches it."
        )
    if (folder / VERDICT).is_file():
        raise UserError(
            f"{folder}: the gate refused this model, so it is not served. "
            f"{Verdict.read(folder / VERDICT).reason}"
        )
    about = _read_about(folder / ABOUT)
    files = {name: _read_genuine(folder, name, digest) for name, digest in about["files"].items()}
    for name, trained in about["packages"].items():
        if (installed := _installed(name)) != trained:
            warnings.warn(
                f"{folder} was trained with {name} {trained}, and {installed} is installed: predictions "
                f"may differ. Install {folder / REQUIREMENTS}.",
                stacklevel=2,
            )
    try:
        return _load(folder, about, files)
    except OtherFormatError:
        raise
    except (UserError, ValueError) as error:
        raise OtherFormatError(
            f"{error} It was packaged with the versions in {folder / REQUIREMENTS}."
        ) from error


def _load(folder: Path, about: Mapping[str, Any], files: Mapping[str, bytes]) -> Bundle:
    project = about["project"]
    listed = (tuple(project[name]) for name in ("targets", "trusted"))
    settings = ProjectSettings(project["package"], *listed)
    own = {
        name.removeprefix(f"{CODE}/"): content
        for name, content in files.items()
        if name.startswith(f"{CODE}/")
    }
    code = ProjectCode(settings.package, folder / CODE, own)
    with code.registered():
        recipe = Recipe.from_dict(dict(about), folder / ABOUT)
        makers = feature_makers(recipe.columns, recipe.features)
        pipeline = load_pipeline(folder / PIPELINE, settings)
    metrics, seen = read_json(folder / METRICS), SeenRows.read(folder / SEEN)
    return Bundle(recipe, pipeline, metrics, seen, makers, code)


def _read_about(path: Path) -> dict[str, Any]:
    try:
        about = read_json(path)
        digest = about.pop("sha256")
        if about["format"] != FORMAT:
            raise OtherFormatError(
                f"{path}: format is {about['format']!r}, and this version of seedbed reads {FORMAT}. "
                "Serve it with the version that made it, or make it anew with `dvc repro --force "
                "package`."
            )
        genuine = digest == _hash_of(about) and PIPELINE in about["files"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path}: this cannot be read as the description of a bundle ({type(error).__name__}: "
            f"{error}). {_remedy(path.parent)}"
        ) from None
    if not genuine:
        raise _not_genuine(path, path.parent)
    return dict(about)


def _read_genuine(folder: Path, name: str, digest: str) -> bytes:
    file = folder / name
    if not file.is_file():
        raise UserError(
            f"{file} is missing, and a bundle is whole or it is nothing. {_remedy(folder)}"
        )
    content = file.read_bytes()
    if _hash(content) != digest:
        raise _not_genuine(file, folder)
    return content


def _not_genuine(file: Path, folder: Path) -> UserError:
    return UserError(
        f"{file} is not the file that was packaged: it was damaged or changed by hand. "
        f"{_remedy(folder)}"
    )


def _remedy(folder: Path) -> str:
    return (
        f"Fetch it again with `dvc checkout --force {folder}`, or make it anew with `dvc repro --force "
        "package`."
    )


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "no version of it"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _hash_of(about: dict[str, Any]) -> str:
    return _hash(json.dumps(about, sort_keys=True, allow_nan=False).encode())
