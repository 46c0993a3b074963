"""Sources: where the tables of a dataset come from. One function a kind, all with the same signature."""

import importlib
import importlib.util
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from seedbed.config.schema import Dataset, Source
from seedbed.errors import UserError

CSV_ENDINGS = (".csv", ".csv.gz", ".csv.zip")


def read_source(source: Source, dataset: Dataset, table: str) -> pd.DataFrame:
    """Read one table of the dataset, all columns as they come.

    Parameters
    ----------
    source : Source
        Its `kind` chooses the reader.
    dataset : Dataset
    table : str
        A name in ``dataset.tables``.

    Returns
    -------
    DataFrame, shape (n_rows, n_columns)
        Unique column names, at least one row.

    Raises
    ------
    UserError
        If the table is missing, empty, damaged, not UTF-8, or two of its columns have one name.
    """
    frame = READERS[source.kind](source, dataset, table)
    if frame.empty:
        raise UserError(
            f"{table}: the table has no rows. Give a source with rows (source.path, or dataset.tables.{table})."
        )
    return frame


def _read_package(source: Source, dataset: Dataset, table: str) -> pd.DataFrame:
    where = dataset.tables[table]
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
        return _load(where.package, where.loader, table)
    if where.file is None:
        raise UserError(f"dataset.tables.{table}: neither file nor loader is set. Set one in the conf/dataset file.")
    # The package itself is not imported: data packages age, their files do not.
    return _read_file(Path(found.origin).parent / where.file)


def _load(package: str, loader: str, table: str) -> pd.DataFrame:
    load = getattr(importlib.import_module(package), loader, None)
    if load is None:
        raise UserError(f"dataset.tables.{table}.loader: {package} has no {loader}. Edit the conf/dataset file.")
    options = {"scaled": False} if loader == "load_diabetes" else {}
    frame = load(as_frame=True, **options).frame
    return pd.DataFrame(frame)


def _read_csv_source(source: Source, dataset: Dataset, table: str) -> pd.DataFrame:
    return _read_file(_find_file(source, dataset, table, CSV_ENDINGS))


def _read_parquet_source(source: Source, dataset: Dataset, table: str) -> pd.DataFrame:
    path = _find_file(source, dataset, table, (".parquet",))
    try:
        return pq.read_table(path).to_pandas()
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(
            f"{path}: this is not a whole Parquet file ({_line(error)}). Write it anew or fetch it again."
        ) from error


READERS: dict[str, Callable[[Source, Dataset, str], pd.DataFrame]] = {
    "package": _read_package,
    "csv": _read_csv_source,
    "parquet": _read_parquet_source,
}


def _find_file(source: Source, dataset: Dataset, table: str, endings: tuple[str, ...]) -> Path:
    """Return the table's file in the folder `source.path`, or that path itself where it is a file."""
    if source.path is None:
        raise UserError(
            f"source.path is not set, and source {source.kind} needs a file or folder: -S source.path=FOLDER."
        )
    path = Path(source.path).expanduser()
    if path.is_file():
        if len(dataset.tables) > 1:
            raise UserError(
                f"source.path: {path} is one file, and dataset {dataset.name} has the tables {', '.join(dataset.tables)}. "
                "Name the folder that holds a file for each."
            )
        return path
    for ending in endings:
        if (path / f"{table}{ending}").is_file():
            return path / f"{table}{ending}"
    raise UserError(
        f"source.path: {path} holds no {table}{' or '.join(endings)}, and is no such file itself. "
        "Put the file there, or set source.path to where it is."
    )


def _read_file(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise UserError(f"{path}: there is no such file. Check the path in the conf/dataset or conf/source file.")
    _refuse_bad_header(path)
    try:
        frame = pd.read_csv(path, encoding="utf-8-sig", on_bad_lines="error", low_memory=False, engine="c")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: byte {error.start} is not UTF-8. Convert it: iconv -f LATIN1 -t UTF-8 {path.name} > new.csv."
        ) from error
    except pd.errors.EmptyDataError:
        raise UserError(f"{path}: the file is empty. Give a file with a header line and rows.") from None
    except pd.errors.ParserError as error:
        raise UserError(
            f"{path}: this is not a whole CSV file ({_line(error)}). Fetch it again or mend that line."
        ) from error
    except (zipfile.BadZipFile, EOFError, zlib.error, OSError) as error:
        raise UserError(
            f"{path}: the compressed file is damaged or cut off ({_line(error)}). Fetch it again."
        ) from error
    return frame


def _refuse_bad_header(path: Path) -> None:
    """Read the first line alone: pandas would rename a second column of the same name in silence."""
    try:
        header = pd.read_csv(path, encoding="utf-8-sig", header=None, nrows=1, dtype=str)
        last = _last_line(path)
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start} of the header is not UTF-8. Convert the file to UTF-8.") from error
    except pd.errors.EmptyDataError:
        raise UserError(f"{path}: the file is empty. Give a file with a header line and rows.") from None
    except (zipfile.BadZipFile, EOFError, zlib.error, OSError) as error:
        raise UserError(
            f"{path}: the compressed file is damaged or cut off ({_line(error)}). Fetch it again."
        ) from error
    names = header.iloc[0]
    if repeated := sorted(set(names[names.duplicated()])):
        raise UserError(
            f"{path}: the column {', '.join(map(str, repeated))} is there more than once. Rename or remove one."
        )
    if last is not None and last.count(",") < len(names) - 1 and '"' not in last:
        raise UserError(
            f"{path}: the last line ends after {last.count(',') + 1} of {len(names)} columns ({last[:60]!r}), "
            "so the file was cut off. Fetch it again."
        )


def _last_line(path: Path) -> str | None:
    """Return the last line of an uncompressed file: pandas fills a cut-off one with missing values in silence."""
    if path.suffix != ".csv":
        return None
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 65536))
        lines = file.read().decode("utf-8", errors="replace").rstrip("\r\n").splitlines()
    return lines[-1] if len(lines) > 1 else None


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
