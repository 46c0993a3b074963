"""Makes wheels of pure Python, equal to the byte on every machine, by the standard library alone.

Nothing is compressed: a compression library of another version would change the bytes. The formats
are those of packaging.python.org: "Core metadata specifications" and "Binary distribution format".
template/wheel.py runs this file by its path, so it imports nothing of seedbed.
"""

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from typing import Any

WHEEL = "Wheel-Version: 1.0\nGenerator: seedbed\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first date a zip can hold."""


def wheel_name(about: Mapping[str, Any]) -> str:
    """Return the name of a wheel's file."""
    return f"{about['name']}-{about['version']}-py3-none-any.whl"


def wheel_content(
    about: Mapping[str, Any], modules: Mapping[str, bytes], license_text: bytes, readme: str = ""
) -> bytes:
    """Return the bytes of a wheel.

    Parameters
    ----------
    about : mapping
        As the table [project] of a pyproject.toml: name, version, description, license,
        requires-python, dependencies, scripts, and optional-dependencies if there are any.
    modules : mapping of str to bytes
        What is installed, by path.
    readme : str
        In Markdown.
    """
    info = f"{about['name']}-{about['version']}.dist-info"
    scripts = "".join(f"{name} = {target}\n" for name, target in about["scripts"].items())
    files = {
        **modules,
        f"{info}/METADATA": _metadata(about, readme).encode(),
        f"{info}/WHEEL": WHEEL.encode(),
        f"{info}/entry_points.txt": f"[console_scripts]\n{scripts}".encode(),
        f"{info}/licenses/LICENSE": license_text,
    }
    record = "".join(_entry(name, content) for name, content in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name, date_time=EPOCH)
            member.create_system, member.external_attr = 3, 0o644 << 16
            archive.writestr(member, content)
    return target.getvalue()


def _metadata(about: Mapping[str, Any], readme: str) -> str:
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
    for extra, needs in sorted(about.get("optional-dependencies", {}).items()):
        lines += [f"Provides-Extra: {extra}"]
        lines += [f"Requires-Dist: {_with_extra(need, extra)}" for need in needs]
    return "\n".join([*lines, "Description-Content-Type: text/markdown", "", readme])


def _with_extra(need: str, extra: str) -> str:
    """Return a requirement that holds for an extra, beside the marker that it may have."""
    requirement, _, marker = (part.strip() for part in need.partition(";"))
    return f"{requirement}; {f'({marker}) and ' if marker else ''}extra == '{extra}'"


def _entry(name: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(content)}\n"
