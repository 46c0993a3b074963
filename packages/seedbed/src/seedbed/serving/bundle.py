"""The bundle: one folder that holds all that a prediction needs, and refuses to load when a byte of it was changed."""

import hashlib
import json
import shutil
import warnings
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from seedbed.data.cleaning import clean_values
from seedbed.data.features import compute_features
from seedbed.errors import UserError
from seedbed.files import read_json, replacing_folder, write_json, write_text
from seedbed.models.features import feature_frame
from seedbed.models.gate import Verdict
from seedbed.models.pipeline import predict_scores
from seedbed.models.serialization import load_pipeline
from seedbed.serving.recipe import OtherFormatError, Recipe
from seedbed.serving.seen_rows import SeenRows
from seedbed.serving.signature import Signature

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

FORMAT = 3
"""Grows when what a bundle holds changes its meaning."""
ABOUT = "bundle.json"
PIPELINE = "pipeline.skops"
VERDICT = "verdict.json"
CARD = "MODEL_CARD.md"
METRICS = "metrics.json"
REQUIREMENTS = "requirements.lock"
SEEN = "seen_rows.npy"
FILES = (PIPELINE, METRICS, CARD, REQUIREMENTS, SEEN)


@dataclass(frozen=True)
class Bundle:
    """A model that was loaded, ready to be asked."""

    recipe: Recipe
    pipeline: "Pipeline"
    metrics: dict[str, Any]
    seen: SeenRows

    @property
    def signature(self) -> Signature:
        """The columns that :meth:`predict` needs."""
        return self.recipe.signature

    def predict(self, raw_rows: pd.DataFrame) -> pd.DataFrame:
        """Answer the question for raw rows: the same cleaning and the same features as in training.

        Parameters
        ----------
        raw_rows : DataFrame, shape (n_rows, n_columns)
            As ingested or as sent; other columns than the signature's may be there and are not looked at.

        Returns
        -------
        DataFrame, shape (n_rows, n_answers)
            `prediction` (bool, str or the target's unit), and `score` (binary: probability of the positive class) or
            one `score_<class>` for each class of a multiclass problem. Same index as `raw_rows`.

        Raises
        ------
        UserError
            If the rows do not fit the signature.
        """
        rows, decision = self._clean(raw_rows), self.recipe.decision
        features = compute_features(rows, self.recipe.columns, self.recipe.features)
        scores = predict_scores(
            self.pipeline,
            feature_frame(features, decision.features),
            decision.task,
            decision.classes,
        )
        answers: dict[str, Any] = {"prediction": decision.labels(decision.decide(scores))}
        if decision.task == "binary":
            answers["score"] = scores
        answers |= {
            f"score_{label}": scores[:, code]
            for code, label in enumerate(decision.classes)
            if decision.task == "multiclass"
        }
        return pd.DataFrame(answers).set_axis(raw_rows.index)

    def warn(self, raw_rows: pd.DataFrame) -> list[str]:
        """Return what is unusual about rows: a sentence per column with values beyond those in training."""
        return self.signature.find_unusual(self._clean(raw_rows))

    def _clean(self, raw_rows: pd.DataFrame) -> pd.DataFrame:
        checked = self.signature.check(raw_rows).reset_index(drop=True)
        rows = clean_values(checked, self.recipe.columns, self.recipe.cleaning)
        self.signature.check_clean(rows)
        return rows


def write_bundle(
    path: Path,
    recipe: Recipe,
    *,
    pipeline: Path,
    packages: dict[str, str],
    metrics: dict[str, Any],
    card: str,
    requirements: Path,
    seen: SeenRows,
) -> None:
    """Write a bundle, whole or not at all; equal parts give equal bytes.

    Parameters
    ----------
    path : Path
        Folder to create or replace.
    recipe : Recipe
        How rows become decisions.
    pipeline, requirements : Path
        Files that are copied byte for byte.
    packages : dict
        The versions that the pipeline was fitted with, which need not be those installed now.
    metrics : dict
        The figures to keep.
    card : str
        The model card, in Markdown.
    seen : SeenRows
        Of train and validation rows.
    """
    with replacing_folder(path) as folder:
        shutil.copyfile(pipeline, folder / PIPELINE)
        shutil.copyfile(requirements, folder / REQUIREMENTS)
        write_json(folder / METRICS, metrics)
        write_text(folder / CARD, card)
        seen.write(folder / SEEN)
        about = {
            "format": FORMAT,
            **recipe.to_dict(),
            "packages": packages,
            "files": {name: _hash((folder / name).read_bytes()) for name in FILES},
        }
        write_json(folder / ABOUT, {**about, "sha256": _hash_of(about)})


def write_refused_bundle(path: Path, verdict: Verdict) -> None:
    """Write a bundle that holds nothing but the gate's "no": every loader refuses it with that reason."""
    with replacing_folder(path) as folder:
        verdict.write(folder / VERDICT)


def load_bundle(path: str | Path) -> Bundle:
    """Read a bundle that :func:`write_bundle` wrote.

    Warns when a package that decides what is predicted has another version than when the model was trained.

    Raises
    ------
    UserError
        If it holds a refusal of the gate, or was damaged or changed; it names the file.
    OtherFormatError
        If it is of another format, or as it was packaged, and yet not to be loaded by the packages that are installed.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise UserError(
            f"{folder}: there is no such bundle. `dvc repro package` makes it, unless the gate refuses the model "
            "(reports/verdict.json says why); `dvc pull` fetches it."
        )
    if (folder / VERDICT).is_file():
        raise UserError(
            f"{folder}: the gate refused this model, so it is not served. {Verdict.read(folder / VERDICT).reason}"
        )
    about = _read_about(folder / ABOUT)
    for name, digest in about["files"].items():
        if not (folder / name).is_file():
            raise UserError(
                f"{folder / name} is missing, and a bundle is whole or it is nothing. {_remedy(folder)}"
            )
        if _hash((folder / name).read_bytes()) != digest:
            raise UserError(
                f"{folder / name} is not the file that was packaged: it was damaged or changed by hand. {_remedy(folder)}"
            )
    for name, trained in about["packages"].items():
        if version(name) != trained:
            warnings.warn(
                f"{folder} was trained with {name} {trained}, and {version(name)} is installed: predictions may differ. "
                f"Install {folder / REQUIREMENTS}.",
                stacklevel=2,
            )
    recipe = Recipe.from_dict(about, folder / ABOUT)
    try:
        return Bundle(
            recipe,
            load_pipeline(folder / PIPELINE),
            read_json(folder / METRICS),
            SeenRows.read(folder / SEEN),
        )
    except (UserError, ValueError) as error:
        raise OtherFormatError(
            f"{error} It was packaged with the versions in {folder / REQUIREMENTS}."
        ) from error


def _remedy(folder: Path) -> str:
    return f"Fetch it again with `dvc checkout --force {folder}`, or make it anew with `dvc repro --force package`."


def _read_about(path: Path) -> dict[str, Any]:
    try:
        about = read_json(path)
        digest = about.pop("sha256")
        if about["format"] != FORMAT:
            raise OtherFormatError(
                f"{path}: format is {about['format']!r}, and this version of seedbed reads {FORMAT}. Serve it with the "
                "version that made it, or make it anew with `dvc repro --force package`."
            )
        genuine = digest == _hash_of(about) and PIPELINE in about["files"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path}: this cannot be read as the description of a bundle ({type(error).__name__}: {error}). {_remedy(path.parent)}"
        ) from None
    if not genuine:
        raise UserError(
            f"{path} is not the file that was packaged: it was damaged or changed by hand. {_remedy(path.parent)}"
        )
    return dict(about)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _hash_of(about: dict[str, Any]) -> str:
    return _hash(json.dumps(about, sort_keys=True, allow_nan=False).encode())
