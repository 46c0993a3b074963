"""Writes bundles: of what earlier stages made, and of the project's own code."""

import re
import shutil
from collections.abc import Collection
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from seedbed.config.imports import LOCK, Imports
from seedbed.config.lock_file import canonical
from seedbed.config.project import ProjectSettings, project_module, read_settings
from seedbed.config.repository import inside_experiment
from seedbed.data.features import feature_makers
from seedbed.data.profiles import Profile, profiled_columns
from seedbed.data.roles import Columns, row_key, time_column
from seedbed.data.tables import ROW, SPLIT, TIME
from seedbed.errors import UserError
from seedbed.files import read_json, replacing_folder, write_json, write_text
from seedbed.models.gate import Verdict, write_refusal
from seedbed.models.serialization import load_pipeline, modules_in
from seedbed.serving.bundle import (
    ABOUT,
    CARD,
    CODE,
    FORMAT,
    METRICS,
    PIPELINE,
    PROFILE,
    REQUIREMENTS,
    SAMPLES,
    SEEN,
    VERDICT,
    Bundle,
    hash_of,
)
from seedbed.serving.code import EXTENSIONS, ProjectCode
from seedbed.serving.recipe import Recipe
from seedbed.serving.reference import NO_PROFILE, Reference, scores_of
from seedbed.serving.samples import Samples, sample_rows
from seedbed.serving.seen_rows import SeenRows

SERVING = "seedbed.serving.bundle"


@dataclass(frozen=True)
class OwnCode:
    """What a bundle takes of the project.

    Attributes
    ----------
    settings : ProjectSettings
    files : dict of str to bytes
        The project's modules that predicting needs, by path below src/.
    requirements : str
        The part of requirements.lock that predicting needs.
    """

    settings: ProjectSettings
    files: dict[str, bytes]
    requirements: str


def gather_code(pipeline: Path) -> OwnCode:
    """Return what the bundle of a fitted pipeline takes of the project in the working directory.

    These are the modules of its feature kinds and estimators, those of the types in the pipeline,
    and what they import of the project.
    """
    root = Path()
    settings = read_settings(root)
    # They must be importable; and an edit of them makes stage package stale.
    project_module("features")
    project_module("models")
    prefix = f"{settings.package}."
    own = [module for module in modules_in(pipeline) if f"{module}.".startswith(prefix)]
    imports = Imports(root)
    modules = [SERVING, *(prefix + name for name in EXTENSIONS), *own]
    files = {key: file for name in modules for key, file in imports.files_of(name).items()}
    packages = imports.versions_of(files, also=modules_in(pipeline))
    ours = {
        key: file.read_bytes()
        for key, file in sorted(files.items())
        if key.startswith(f"{settings.package}/")
    }
    # A package without extensions consists of an empty __init__.py.
    needed = ours if any(content.strip() for content in ours.values()) else {}
    return OwnCode(settings, needed, select_packages(root / LOCK, packages))


def select_packages(lock: Path, packages: Collection[str]) -> str:
    """Return the lines of a lock file that pin these packages, with their hashes."""
    kept, lines = False, []
    for line in lock.read_text(encoding="utf-8").splitlines() if lock.is_file() else []:
        if line[:1].strip(" #"):  # an entry begins
            pinned = re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*])?==", line)
            kept = pinned is not None and canonical(pinned[1]) in packages
        if kept and line.strip() and not line.strip().startswith("#"):
            lines.append(line)
    return "".join(f"{line}\n" for line in lines)


def write_bundle(
    path: Path,
    recipe: Recipe,
    *,
    model: Path,
    metrics: dict[str, Any],
    card: str,
    seen: SeenRows,
    train: pd.DataFrame,
    validation: pd.DataFrame,
) -> None:
    """Write a bundle, whole or not at all; equal parts give equal bytes.

    Parameters
    ----------
    path : Path
        Folder to create or replace.
    recipe : Recipe
        How rows become decisions.
    model : Path
        Folder that stage train wrote: the pipeline, which is copied byte for byte, and the versions
        of packages that it was fitted with, which need not be those installed now.
    metrics : dict
        The figures to keep.
    card : str
        The model card, in Markdown.
    seen : SeenRows
        Of train and validation rows.
    train : DataFrame, shape (n_rows, n_columns)
        The train rows of data/clean, of which a few are kept as samples, and all as counts.
    validation : DataFrame, shape (m_rows, n_columns)
        The validation rows of data/clean, whose scores are kept as counts.
    """
    code = gather_code(model / PIPELINE)
    packages = read_json(model / "packages.json")
    with replacing_folder(path) as folder:
        shutil.copyfile(model / PIPELINE, folder / PIPELINE)
        write_text(folder / REQUIREMENTS, code.requirements)
        write_json(folder / METRICS, metrics)
        write_text(folder / CARD, card)
        seen.write(folder / SEEN)
        unfinished = Bundle(
            recipe,
            load_pipeline(model / PIPELINE, code.settings),
            metrics,
            seen,
            Samples([], []),
            NO_PROFILE,
            "",
            packages,
            feature_makers(recipe.columns, recipe.features),
            ProjectCode(code.settings.package, folder, {}),
        )
        names = [column.name for column in recipe.signature.columns]
        sent = sample_rows(train, recipe.columns, names)
        Samples(sent, unfinished.answer(sent).rows if sent else []).write(folder / SAMPLES)
        profile(unfinished, train, validation).write(folder / PROFILE)
        for name, content in code.files.items():
            file = folder / CODE / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        about = {
            "format": FORMAT,
            **recipe.to_dict(),
            "packages": packages,
            "project": asdict(code.settings),
            "files": {
                file.relative_to(folder).as_posix(): sha256(file.read_bytes()).hexdigest()
                for file in sorted(folder.rglob("*"))
                if file.is_file()
            },
        }
        write_json(folder / ABOUT, {**about, "sha256": hash_of(about)})


def profile(bundle: Bundle, train: pd.DataFrame, validation: pd.DataFrame) -> Reference:
    """Return how the inputs of a model, and the scores of rows it was not fitted on, are spread.

    Parameters
    ----------
    bundle : Bundle
    train, validation : DataFrame, shapes (n_rows, n_columns) and (m_rows, n_columns)
        Rows of data/clean.
    """
    columns = bundle.recipe.columns
    names = profiled_columns(columns, [column.name for column in bundle.signature.columns])
    time = time_column(columns)
    return Reference(
        Profile.of(train[names], train[time] if time else None),
        Profile.of(scores_of(bundle.predict(validation))),
    )


def refuse_bundle(bundle: Path, refusal: Path, reason: str) -> None:
    """Stop because the gate refused a model, or, in an experiment, record that as its bundle.

    Such a bundle holds only the verdict: every loader refuses it with that reason.

    Raises
    ------
    UserError
        If this is no experiment.
    """
    if not inside_experiment():
        raise UserError(
            f"the gate refused this model, so there is no bundle. {reason} Look at "
            "reports/evaluate, then choose another model or other features. What a model must "
            "reach is in conf/gate."
        )
    verdict = Verdict(False, reason)
    with replacing_folder(bundle) as folder:
        verdict.write(folder / VERDICT)
    write_refusal(refusal, verdict, recorded=True)
    print(f"no bundle: {reason}")


def rows_of(part: str, clean: pd.DataFrame, rows: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Return the rows of data/clean that are of a part of the split in data/features.

    Parameters
    ----------
    part : {"train", "validation", "test"}
    clean : DataFrame, shape (n_rows, n_columns)
        data/clean.
    rows : DataFrame, shape (n_rows, 2 or more)
        Key and part of the split of each row in data/features.
    columns : dict of str to Column
        Give the key by which a row is known.
    """
    return clean[row_key(clean, columns).isin(rows.loc[rows[SPLIT] == part, ROW])]


def periods(rows: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Return the first and last moment of each part of the split; empty without a time."""
    if TIME not in rows:
        return {}
    return {
        str(part): (f"{times.min():%Y-%m-%d %H:%M}", f"{times.max():%Y-%m-%d %H:%M}")
        for part, times in rows.groupby(SPLIT)[TIME]
    }
