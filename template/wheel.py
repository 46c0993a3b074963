"""Builds the wheel of a pure Python package, equal to the byte on every machine.

Copier runs in whatever environment a person has: the standard library must do. And `copier update`
builds the earlier release's wheel once more, whose hash is in the project's lock: a compression
library of another version must not change it, so nothing is compressed. The formats are those of
packaging.python.org: "Core metadata specifications" and "Binary distribution format".
"""

import base64
import hashlib
import sys
import tomllib
import zipfile
from pathlib import Path

KNOWN = {
    "name", "version", "description", "readme", "license", "requires-python", "dependencies",
    "optional-dependencies", "scripts",
}  # fmt: skip
WHEEL = (
    "Wheel-Version: 1.0\nGenerator: template/wheel.py\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
)


def build_wheel(package: Path, folder: Path) -> Path:
    """Write the wheel of the package in the folder `package` into `folder`; return its path."""
    pyproject = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))
    about = pyproject["project"]
    if unknown := sorted(about.keys() - KNOWN):
        sys.exit(
            f"template/wheel.py does not know {', '.join(unknown)} of {package}/pyproject.toml"
        )
    info = f"{about['name']}-{about['version']}.dist-info"
    files = {
        path.relative_to(package / source.parent).as_posix(): path.read_bytes()
        for source in map(Path, pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
        for path in sorted((package / source).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    files[f"{info}/METADATA"] = _metadata(about, package).encode()
    files[f"{info}/WHEEL"] = WHEEL.encode()
    scripts = "".join(f"{name} = {target}\n" for name, target in about["scripts"].items())
    files[f"{info}/entry_points.txt"] = f"[console_scripts]\n{scripts}".encode()
    files[f"{info}/licenses/LICENSE"] = (package / "LICENSE").read_bytes()
    record = "".join(_entry(name, content) for name, content in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    folder.mkdir(exist_ok=True)
    wheel = folder / f"{about['name']}-{about['version']}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system, member.external_attr = 3, 0o644 << 16
            archive.writestr(member, content)
    return wheel


def _metadata(about: dict, package: Path) -> str:
    extras = about["optional-dependencies"]
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {about['name']}",
        f"Version: {about['version']}",
        f"Summary: {about['description']}",
        f"License-Expression: {about['license']}",
        "License-File: LICENSE",
        f"Requires-Python: {about['requires-python']}",
        *(f"Requires-Dist: {need}" for need in about["dependencies"]),
    ]
    for extra, needs in extras.items():
        lines += [f"Provides-Extra: {extra}"]
        lines += [f"Requires-Dist: {need}; extra == '{extra}'" for need in needs]
    readme = (package / about["readme"]).read_text(encoding="utf-8")
    return "\n".join([*lines, "Description-Content-Type: text/markdown", "", readme])


def _entry(name: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(content)}\n"
