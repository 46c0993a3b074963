"""DVC's YAML files parsed once for as long as they do not change: DVC would parse each several times in every job.

What DVC writes stays the same to the byte; tests/experiments/test_pipeline.py compares.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seedbed.experiments.dvc_files import split_lock
from seedbed.files import write_text

State = tuple[int, int, int, int]
_known: dict[Path, tuple[State, Any]] = {}
"""What was read from a file of that absolute path, and the file's state then. A worker has three such files."""


@contextmanager
def yaml_parsed_once() -> Iterator[None]:
    """Let DVC parse dvc.yaml, dvc.lock and params.yaml only where they changed, and write only changed entries of dvc.lock.

    DVC itself writes all of dvc.lock after each stage, in the way that keeps comments, which its lock files do not have.
    """
    from dvc import dvcfile
    from dvc.dependency import param
    from dvc.utils import serialize, strictyaml

    usual_load, usual_load_path, usual_modify = strictyaml.load, param.load_path, dvcfile.modify_yaml

    def load(path: str, schema: Any = None, fs: Any = None, encoding: str = "utf-8", round_trip: bool = False) -> Any:
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
        changed = {name: entry for name, entry in content["stages"].items() if entry is not before.get(name)}
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
    _known[lock.absolute()] = (_state(lock), ({**read, "stages": stages}, text))


def _once(path: str, parse: Any) -> Any:
    """Return what a file holds; it is parsed only if it is not as it was when it was parsed last."""
    file = Path(path).absolute()
    if not file.is_file():
        return parse()
    state = _state(file)
    if file not in _known or _known[file][0] != state:
        _known[file] = (state, parse())
    return _known[file][1]


def _state(file: Path) -> State:
    status = file.stat()
    return status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_size


def _is_local(fs: Any) -> bool:
    return fs is None or getattr(fs, "protocol", "") == "local"
