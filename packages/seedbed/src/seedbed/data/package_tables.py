"""Tables that an installed Python package ships."""

import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from seedbed.config.schema import Dataset, Source
from seedbed.config.source_options import CsvOptions
from seedbed.data.csv_files import Needed, Types, only_needed, read_csv_batches
from seedbed.data.headers import refuse_repeated
from seedbed.errors import UserError


def read_package(
    source: Source, dataset: Dataset, table: str, types: Types, needed: Needed
) -> Iterator[pd.DataFrame]:
    """Yield the rows of a CSV file of a package in batches, or what a loader of it returns.

    Raises UserError if the package, the file or the loader is missing.
    """
    where = dataset.table(table)
    if where.package is None:
        raise UserError(
            f"dataset.tables.{table}: source package needs a package here, and there is none. "
            "Name one in the conf/dataset file, or choose -S source=csv."
        )
    try:
        found = importlib.util.find_spec(where.package)
    except ModuleNotFoundError:
        found = None
    if found is None or found.origin is None:
        raise UserError(
            f"dataset.tables.{table}.package: the package {where.package} is not installed. "
            "Add it to pyproject.toml, then run `make lock setup`."
        )
    if where.loader is not None:
        yield only_needed(_load(where.package, where.loader, table), needed)
    elif where.file is None:
        raise UserError(
            f"dataset.tables.{table}: neither file nor loader is set. Set one in the conf/dataset "
            "file."
        )
    else:
        # The package itself is not imported: data packages age, their files do not.
        path = Path(found.origin).parent / where.file
        for batch in read_csv_batches(path, types, where.missing, CsvOptions(), needed):
            yield only_needed(batch, needed)


def _load(package: str, loader: str, table: str) -> pd.DataFrame:
    load = getattr(importlib.import_module(package), loader, None)
    if load is None:
        raise UserError(
            f"dataset.tables.{table}.loader: {package} has no {loader}. Edit the conf/dataset file."
        )
    options = {"scaled": False} if loader == "load_diabetes" else {}
    frame = pd.DataFrame(load(as_frame=True, **options).frame)
    refuse_repeated(map(str, frame.columns), f"{package}.{loader}")
    return frame
