"""CSV and Parquet files: parts in a folder beside the file, so that a killed run can go on.

Each part is one batch, written whole and then renamed. The file itself grows in that folder and is
renamed into place at the end. A run that goes on writes it anew from the parts: a file that was cut
off has no end by which Arrow could go on with it.
"""

import csv
import errno
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from seedbed.errors import UserError, one_line
from seedbed.files import read_json, write_json
from seedbed.locks import try_lock
from seedbed.serving.scoring.batches import Rejected
from seedbed.serving.scoring.outputs import Part, Totals, refuse_other_run

KINDS = (".csv", ".parquet")
STATE = "state.json"
WRITTEN = "written"
"""The file of the parts' folder that becomes the output."""
COUNTS = b"seedbed"
"""Where a part says of itself what it holds."""


class FileOutput:
    """A CSV or Parquet file: see :class:`outputs.Output`.

    Parameters
    ----------
    identity : mapping
        What must be the same when a run that was stopped goes on, as JSON holds it.
    force, restart : bool
        Whether to replace the file, and to forget what a run that was stopped has answered.

    Raises
    ------
    UserError
        If the file exists or cannot be written, another process writes it, or a run that was
        stopped had another input, bundle or options.
    """

    def __init__(
        self,
        path: Path,
        identity: Mapping[str, Any],
        *,
        force: bool = False,
        restart: bool = False,
    ) -> None:
        self._path = path
        self.schema: pa.Schema | None = None
        self._writer: Any = None
        self._rejected = path.with_name(f"{path.name}.rejected.csv")
        self._folder = path.with_name(f"{path.name}.parts")
        self.totals = Totals()
        with reporting(path):
            if not path.parent.is_dir():
                raise UserError(f"{path}: there is no folder {path.parent}. Make it first.")
            self._folder.mkdir(exist_ok=True)
            self._lock = try_lock(self._folder / "lock")
            if self._lock is None:
                raise UserError(f"{path}: another process writes it now. Wait until it is done.")
            try:
                self._begin(identity, force, restart)
            except BaseException:
                self._lock.close()
                raise

    def _begin(self, identity: Mapping[str, Any], force: bool, restart: bool) -> None:
        state = self._folder / STATE
        if restart:
            for file in self._folder.glob("[!l]*"):
                file.unlink()
        found = read_json(state) if state.is_file() else None
        self.finished = bool(found and found["finished"] and not (self._folder / WRITTEN).exists())
        if found is None or not found["finished"]:
            self._refuse_existing(force)
        if found is not None:
            refuse_other_run(found["run"], identity, str(self._folder))
        else:
            write_json(state, {"run": dict(identity), "finished": False})
        self._identity = identity
        if self.finished:
            self.totals = Totals.model_validate(found["totals"]) if found else Totals()
            return
        self._side = (self._folder / "rejected").open("w", encoding="utf-8", newline="")
        self._side_rows = csv.writer(self._side, lineterminator="\n")
        self._side_rows.writerow(Rejected.model_fields)
        for part in self._parts():
            self._append(part)

    def _refuse_existing(self, force: bool) -> None:
        there = [str(file) for file in (self._path, self._rejected) if file.exists()]
        if there and not force:
            if not any(self._folder.glob("[!l]*")):
                shutil.rmtree(self._folder)
            raise UserError(
                f"{' and '.join(there)} exist{'s' * (len(there) == 1)} already. Give another name, "
                "or replace with --force."
            )

    def write(self, part: Part) -> None:
        """Keep a part, whole or not at all."""
        about = {
            "counts": part.counts.model_dump(mode="json"),
            "rejected": [found.model_dump() for found in part.rejected],
        }
        rows = part.rows.replace_schema_metadata({COUNTS: json.dumps(about)})
        place = self._place(self.totals.batches)
        beside = place.with_suffix(".tmp")
        with reporting(self._path):
            with pa.ipc.new_file(str(beside), rows.schema) as file:
                file.write_table(rows)
            beside.replace(place)
            self._append(part)

    def finish(self) -> None:
        """Rename the file into place, and remove the parts."""
        with reporting(self._path):
            if not self.finished:
                self._writer.close()
                self._writer = None  # from here on close() must leave the file alone
                self._side.close()
                about = {
                    "run": dict(self._identity),
                    "finished": True,
                    "totals": self.totals.model_dump(mode="json"),
                }
                write_json(self._folder / STATE, about)
                with (self._folder / WRITTEN).open("rb") as file:
                    os.fsync(file.fileno())
                if self.totals.rejected:
                    (self._folder / "rejected").replace(self._rejected)
                else:
                    self._rejected.unlink(missing_ok=True)
                (self._folder / WRITTEN).replace(self._path)
            shutil.rmtree(self._folder)
        self.close()

    def close(self) -> None:
        """Free the folder; the parts stay."""
        written = self._folder / WRITTEN
        if self._writer is not None and written.exists():
            os.truncate(written, 0)  # so that it can be closed where the disk is full
            self._writer.close()
            written.unlink()
        if not self.totals.batches and not self.finished:
            shutil.rmtree(self._folder, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()

    def _append(self, part: Part) -> None:
        if self._writer is None:
            self.schema = part.rows.schema
            self._writer = _writer(self._folder / WRITTEN, self._path.suffix, self.schema)
        self._writer.write_table(part.rows)
        self._side_rows.writerows(found.model_dump().values() for found in part.rejected)
        self.totals = self.totals + part.counts

    def _parts(self) -> Iterator[Part]:
        while (place := self._place(self.totals.batches)).is_file():
            try:
                with pa.memory_map(str(place)) as file:
                    rows = pa.ipc.open_file(file).read_all()
            except pa.ArrowInvalid:  # the machine went down before the disk had it
                return
            about = json.loads(rows.schema.metadata[COUNTS])
            rejected = [Rejected.model_validate(found) for found in about["rejected"]]
            counts = Totals.model_validate_json(json.dumps(about["counts"]))
            yield Part(rows.replace_schema_metadata(), rejected, counts)

    def _place(self, number: int) -> Path:
        return self._folder / f"part-{number:06}.arrow"


def _writer(path: Path, kind: str, schema: pa.Schema) -> Any:
    if kind == ".csv":
        for field in schema:
            if pa.types.is_nested(field.type):
                raise UserError(
                    f"column {field.name} is of type {field.type}, which a CSV file does not hold. "
                    "Leave it out with --keep, or write a .parquet file."
                )
        return arrow_csv.CSVWriter(str(path), schema)
    return pq.ParquetWriter(str(path), schema, compression="zstd", compression_level=1)


@contextmanager
def reporting(path: Path) -> Iterator[None]:
    """Say in a sentence that a file cannot be written."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error)
        why = "The disk is full" if full else one_line(error.strerror or error)
        remedy = "Make room" if full else "Correct that"
        raise UserError(
            f"{path}: it cannot be written. {why}. {remedy}, then type the same command again: "
            "what was answered until then is kept."
        ) from None
