"""Writes bundles: of what earlier stages made, and of the project's own code."""

import shutil
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from seedbed.config.repository import inside_experiment
from seedbed.data.features import feature_makers
from seedbed.data.profiles import Profile, profiled_columns
from seedbed.data.roles import Columns, row_key, time_column
from seedbed.data.tables import ROW, SPLIT, TIME
from seedbed.errors import UserError
from seedbed.files import read_json, replacing_folder, write_json, write_text
from seedbed.models.gate import Verdict, write_refusal
from seedbed.models.serialization import load_pipeline
from seedbed.serving.bundle import Bundle
from seedbed.serving.code import ProjectCode
from seedbed.serving.deployment import (
    DOCKERIGNORE,
    dockerignore_text,
)
from seedbed.serving.loading import (
    ABOUT,
    CARD,
    FORMAT,
    METRICS,
    PIPELINE,
    PROFILE,
    SAMPLES,
    SEEN,
    VERDICT,
    hash_of,
)
from seedbed.serving.own_code import gather_code
from seedbed.serving.recipe import Recipe
from seedbed.serving.reference import NO_PROFILE, Reference, scores_of
from seedbed.serving.samples import Samples, sample_rows
from seedbed.serving.seen_rows import SeenRows


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
    samples: int = 50,
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
        The train rows of data/clean, which are kept as counts.
    validation : DataFrame, shape (m_rows, n_columns)
        The validation rows of data/clean, whose scores are kept as counts.
    samples : int
        How many train rows the bundle keeps with its answers; 0 if none may leave.
    """
    packages = read_json(model / "packages.json")
    code = gather_code(model / PIPELINE, recipe, packages)
    with replacing_folder(path) as folder:
        shutil.copyfile(model / PIPELINE, folder / PIPELINE)
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
            card,
            feature_makers(recipe.columns, recipe.features),
            ProjectCode(code.settings.package, folder, {}),
        )
        names = [column.name for column in recipe.signature.columns]
        sent = sample_rows(train, recipe.columns, names, samples)
        Samples(sent, unfinished.answer(sent).rows if sent else []).write(folder / SAMPLES)
        profile(unfinished, train, validation).write(folder / PROFILE)
        for name, content in code.files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        present = {ABOUT, DOCKERIGNORE, *(file.name for file in folder.iterdir())}
        write_text(folder / DOCKERIGNORE, dockerignore_text(present))
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
