"""The fingerprint of conf/, by which `dvc repro` sees a changed choice. Standard library only."""

import hashlib
from pathlib import Path

from seedbed.errors import UserError


def conf_files(root: Path) -> list[Path]:
    """Return the regular *.yaml files under `root`/conf, sorted by their POSIX path.

    Files and folders that begin with a dot or an underscore are editors' and tools' own, and are
    left out.

    Raises UserError if a file ends in .yml: Hydra would not read it, and its writer would wonder
    why.
    """
    conf = root / "conf"
    found = []
    for path in conf.rglob("*"):
        relative = path.relative_to(conf)
        if (
            any(part.startswith((".", "_")) for part in relative.parts)
            or path.is_symlink()
            or not path.is_file()
        ):
            continue
        if path.suffix == ".yml":
            raise UserError(
                f"conf/{relative.as_posix()}: Hydra reads only .yaml files. Rename it to end in "
                ".yaml."
            )
        if path.suffix == ".yaml":
            found.append(path)
    return sorted(found, key=lambda path: path.relative_to(conf).as_posix())


def conf_hash(root: Path) -> str:
    """Return a hash of every configuration file's path and content, the same on every platform.

    It begins with a letter: YAML would take some hexadecimal strings for numbers.
    """
    digest = hashlib.sha256()
    for path in conf_files(root):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        name = path.relative_to(root / "conf").as_posix()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return "c" + digest.hexdigest()[:12]
