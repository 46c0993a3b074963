"""DVC's YAML files parsed once for each content that they have: DVC would parse each several times in every job.

What DVC writes stays the same to the byte; tests/experiments/test_pipeline.py compares.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seedbed.files import write_text
from seedbed.sweeps.dvc_files import split_lock

_known: dict[tuple[Path, bytes], Any] = {}
"""What files were found to say, by absolute path and content, the last used last."""
KEPT = 12
"""How many to remember: a worker has three such files, and dvc.lock is another one after each stage of a job."""


@contextmanager
def yaml_parsed_once() -> Iterator[None]:
    """Let DVC parse dvc.yaml, dvc.lock and params.yaml only where they changed, and write only changed entries of dvc.lock.

    DVC itself writes all of dvc.lock after each stage, in the way that keeps comments, which its lock files do not have.
    """
    from dvc import dvcfile
    from dvc.dependency import param
    from dvc.utils import serialize, strictyaml

    usual_load, usual_load_path, usual_modify = (
        strictyaml.load,
        param.load_path,
        dvcfile.modify_yaml,
    )

    def load(
        path: str,
        schema: Any = None,
        fs: Any = None,
        encoding: str = "utf-8",
        round_trip: bool = False,
    ) -> Any:
        if round_trip or not _is_local(fs):
            return usual_load(path, schema, fs, encoding, round_trip)
        return _once(path, lambda: usual_load(path, schema, fs, encoding))

    def load_path(path: str, fs: Any, **options: Any) -> Any:
        if options or not _is_local(fs):
            return usual_load_path(path, fs, **options)
        return _once(path, lambda: usual_load_path(path, fs))

    @contextmanager
    def modify_yaml(path: str, fs: Any = None) -> Iterator[Any]:
        lock = Path(path)
        if lock.name != "dvc.lock" or not lock.exists() or not _is_local(fs):
            with usual_modify(path, fs=fs) as content:
                yield content
            return
        read, text = load(path)
        content = {**read, "stages": dict(read.get("stages", {}))}
        before = dict(content["stages"])
        yield content
        changed = {
            name: entry
            for name, entry in content["stages"].items()
            if entry is not before.get(name)
        }
        if changed:
            _write_entries(lock, read, text, changed)

    strictyaml.load, dvcfile.modify_yaml = load, modify_yaml
    param.load_path = serialize.load_path = load_path
    try:
        yield
    finally:
        strictyaml.load, dvcfile.modify_yaml = usual_load, usual_modify
        param.load_path = serialize.load_path = usual_load_path


def _write_entries(lock: Path, read: dict[str, Any], text: str, changed: dict[str, Any]) -> None:
    """Put entries into the text of a dvc.lock, and remember the whole as if it had been read."""
    from dvc.utils.serialize import dumps_yaml, loads_yaml

    dumped = dumps_yaml({"stages": changed})
    head, entries = split_lock(text)
    _, written = split_lock(dumped)
    text = head + "".join((entries | written).values())
    write_text(lock, text)
    stages = {**read.get("stages", {}), **loads_yaml(dumped)["stages"]}
    _remember((lock.absolute(), text.encode()), ({**read, "stages": stages}, text))


def _once(path: str, parse: Any) -> Any:
    """Return what a file says; it is parsed only if it was not so before."""
    file = Path(path).absolute()
    if not file.is_file():
        return parse()
    key = file, file.read_bytes()
    return _remember(key, _known[key] if key in _known else parse())


def _remember(key: tuple[Path, bytes], parsed: Any) -> Any:
    _known.pop(key, None)
    _known[key] = parsed
    while len(_known) > KEPT:
        del _known[next(iter(_known))]
    return parsed


def _is_local(fs: Any) -> bool:
    return fs is None or getattr(fs, "protocol", "") == "local"
