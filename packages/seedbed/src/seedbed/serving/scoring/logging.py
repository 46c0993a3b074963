"""What `seedbed score` answered, in the prediction log: each row once, however often it stopped."""

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from seedbed.files import read_json, write_json
from seedbed.serving.bundle import Bundle
from seedbed.serving.log_files import (
    LoggedModel,
    LogSettings,
    forget_old_days,
    write_file,
)
from seedbed.serving.scoring.batches import Batch
from seedbed.serving.scoring.file_output import reporting
from seedbed.serving.scoring.predicting import Scored
from seedbed.serving.scoring.reading import Wording, read_frame

RUN = "run.json"
"""The file that has the id of a run which was stopped, beside the files that it has written."""


class ScoreLog:
    """Keeps the rows of a run in a prediction log.

    Files wait in a hidden folder of the log until the whole run is done, each under the place of
    its first row: a batch that is answered again after a kill takes the place of itself.

    Parameters
    ----------
    settings : LogSettings
        The rate is a share of rows.
    identity : mapping
        By what a run that was stopped is known again, as JSON holds it.
    new : bool
        Whether the run begins: then files are forgotten that an earlier one has left.

    Attributes
    ----------
    request : str
        The request's id of all rows; ``request_row`` is a row's place in the input, from 0.
    """

    def __init__(
        self, settings: LogSettings, bundle: Bundle, identity: Mapping[str, Any], new: bool
    ) -> None:
        self._settings = settings
        self._model = LoggedModel.of(bundle, settings.without)
        digest = sha256(orjson.dumps(identity, option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]
        self._waiting = settings.folder / f".score-{digest}"
        if new:
            shutil.rmtree(self._waiting, ignore_errors=True)
        self._waiting.mkdir(exist_ok=True)
        run = self._waiting / RUN
        if not run.is_file():
            write_json(run, {"id": f"score-{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{digest}"})
        self.request: str = read_json(run)["id"]
        self._seed = int(sha256(self.request.encode()).hexdigest()[:16], 16)

    def add(self, batch: Batch, scored: Scored, wording: Wording) -> None:
        """Keep the answered rows of a batch.

        Raises UserError if they cannot be written, as on a full disk.
        """
        if not len(scored.answers):
            return
        first = int(batch.numbers[0])
        good = np.ones(len(batch.numbers), dtype=bool) if scored.good is None else scored.good
        drawn = np.random.default_rng([self._seed, first]).random(len(scored.answers))
        kept = drawn < self._settings.rate
        if not kept.any():
            return
        taken = np.flatnonzero(good)[kept]
        numbers = batch.numbers[taken]
        rows = Batch(batch.columns.take(pa.array(taken)), numbers, len(numbers))
        signature, now = self._model.signature, datetime.now(UTC)
        table = self._model.table(
            [self.request] * len(numbers),
            numbers - 1,
            [now] * len(numbers),
            signature.check(read_frame(rows, signature, wording)),
            scored.answers.filter(pa.array(kept)),
        )
        name = f"{self.request}-{first:012}.parquet"
        with reporting(self._settings.folder):
            for file in self._waiting.glob(f"*/{name}"):
                file.unlink()  # it may be of another day, if a run goes on after midnight
            write_file(self._waiting, now.date(), name, table)

    def finish(self) -> None:
        """Put the files into the log; it may be done again after a kill."""
        for file in sorted(self._waiting.glob("*/*.parquet")):
            day = self._settings.folder / file.parent.name
            day.mkdir(exist_ok=True)
            file.replace(day / file.name)
        forget_old_days(self._settings)

    def close(self) -> None:
        """Forget the run, once its output is in place."""
        shutil.rmtree(self._waiting)
