"""Hashes what arrives from a remote in a folder while it is copied: to read it again would cost more than the copy."""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHUNK = 4 * 2**20
"""Bytes copied by one thread while another hashes them."""


@contextmanager
def hashed_on_the_way(cache: Any) -> Iterator[None]:
    """Let DVC hash the files that it copies into a cache, and record what they are; a check then reads them no more.

    Only copies from this machine's folders are: what comes over the net is not written by these means, and where the disk
    can share blocks, DVC does not copy. It reads those files afterwards.
    """
    from dvc_data.fsutils import _localfs_info
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_objects.fs.utils import tmp_fname
    from fsspec.callbacks import DEFAULT_CALLBACK

    fs = cache.fs
    put_file = fs.put_file

    def put_hashed(
        source: Any, target: str, callback: Any = DEFAULT_CALLBACK, **options: Any
    ) -> None:
        # Others may write by the repository's file system: a stream, or a file that is no object of this cache.
        if not isinstance(source, str) or not target.startswith(f"{cache.path}{os.sep}"):
            put_file(source, target, callback=callback, **options)
            return
        folder = Path(target).parent
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / tmp_fname()
        try:
            found = copy_hashed(Path(source), temporary, callback)
            # Of the very file that was written, which another may replace before DVC comes to check it.
            info = _localfs_info(str(temporary))
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        cache.state.save(target, fs, HashInfo(cache.hash_name, found), info=info)

    fs.put_file = put_hashed
    try:
        yield
    finally:
        del fs.put_file


def copy_hashed(source: Path, target: Path, callback: Any) -> str:
    """Copy the content of a file and return its MD5, which is DVC's hash of it.

    Parameters
    ----------
    source, target : Path
        The file, and where its copy goes.
    callback : fsspec.callbacks.Callback
        Told the size in bytes and each step of a file of more than one chunk: each that is told draws a bar.

    Raises
    ------
    OSError
        If the file cannot be read or the copy not be written. A part of the copy may be there then.
    """
    size = source.stat().st_size
    if size <= CHUNK:
        content = source.read_bytes()
        target.write_bytes(content)
        return hashlib.md5(content, usedforsecurity=False).hexdigest()
    digest = hashlib.md5(usedforsecurity=False)
    callback.set_size(size)
    with source.open("rb") as reader, target.open("wb") as writer, ThreadPoolExecutor(1) as beside:
        behind: Future[None] | None = None
        while chunk := reader.read(CHUNK):
            if behind:
                behind.result()
            behind = beside.submit(digest.update, chunk)
            writer.write(chunk)
            callback.relative_update(len(chunk))
    return digest.hexdigest()
