"""The bundle that answers now: loaded, verified, and replaced when its folder changes."""

import asyncio
import gc
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import orjson

from seedbed.data.file_columns import FILES
from seedbed.errors import UserError
from seedbed.serving.bundle import Bundle
from seedbed.serving.http.logs import log_event
from seedbed.serving.loading import load_bundle
from seedbed.serving.verifying import compare_samples

TICK = 1.0
"""Seconds between two looks at the folder; it must look the same twice before it is loaded."""
Fingerprint = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True)
class Served:
    """A bundle, and what every answer of it repeats."""

    bundle: Bundle

    @cached_property
    def model(self) -> dict[str, str]:
        """What an answer says of the model that gave it."""
        return {"version": self.bundle.version, "name": self.bundle.recipe.dataset}

    @cached_property
    def model_json(self) -> orjson.Fragment:
        """The same, written."""
        return orjson.Fragment(orjson.dumps(self.model))

    @cached_property
    def names(self) -> frozenset[str]:
        """The columns of the signature."""
        return frozenset(column.name for column in self.bundle.signature.columns)


class Current:
    """The bundle in a folder, whichever is there.

    Parameters
    ----------
    same_packages : bool
        Whether one that other versions of its packages made is refused.
    on_change : callable
        Called with "taken" or "refused", and the version that is served now, when another bundle
        came to the folder.
    """

    def __init__(
        self, path: Path, same_packages: bool, on_change: Callable[[str, str], None]
    ) -> None:
        self.path = path
        self.served: Served | None = None
        self._same_packages = same_packages
        self._on_change = on_change
        self._seen: Fingerprint = ()

    async def wait(self) -> None:
        """Return once a bundle is loaded."""
        while self.served is None:
            await asyncio.sleep(0.05)

    async def watch(self) -> None:
        """Load what is in the folder, and what comes there later, for ever.

        A bundle that cannot be loaded is logged and left, whatever is served stays. Requests that
        began with a bundle end with it.
        """
        before: Fingerprint = ()
        while True:
            now = await asyncio.to_thread(fingerprint, self.path)
            if now != self._seen and (now == before or self.served is None):
                self._seen = now
                await self._load()
            before = now
            await asyncio.sleep(TICK)

    async def _load(self) -> None:
        try:
            loaded = await asyncio.to_thread(load_verified, self.path, self._same_packages)
        except Exception as error:  # whatever it is, what is served now must stay
            why = str(error) if isinstance(error, UserError) else repr(error)
            log_event("bundle refused", "error", path=str(self.path), message=why)
            self._on_change("refused", "")
            return
        if self.served is None or self.served.bundle.version != loaded.version:
            self.served = Served(loaded)
            log_event("bundle taken", path=str(self.path), model=loaded.version)
            self._on_change("taken", loaded.version)
            set_apart()


def set_apart() -> None:
    """Let the garbage collector pass over what is there: packages and bundle stay.

    Requests that wait for the log let it look at everything every few seconds, a quarter of a
    second each time.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def load_verified(path: Path, same_packages: bool) -> Bundle:
    """Return a bundle that gives to its sample rows the answers that it carries.

    Raises UserError as by :func:`load_bundle`, or if it gives other answers, or needs files of a
    request.
    """
    bundle = load_bundle(path, same_packages=same_packages)
    if files := [column.name for column in bundle.signature.columns if column.type in FILES]:
        raise UserError(
            f"{path}: its column {files[0]} holds paths of files, which a request cannot send. "
            "Predict where the files are, with `seedbed score`."
        )
    fact = compare_samples(bundle)
    if not fact.genuine:
        raise UserError(f"{path}: {fact.text}. Install the versions in its requirements.lock.")
    return bundle


def fingerprint(folder: Path) -> Fingerprint:
    """Return what changes if a file of a folder does; empty while there is no folder."""
    found = []
    try:
        for file in sorted(folder.rglob("*")):
            about = file.stat()
            found.append((file.name, about.st_ino, about.st_size, about.st_mtime_ns))
    except OSError:
        return ()
    return tuple(found)
