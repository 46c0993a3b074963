"""Builds the wheel of seedbed that a copy of this repository installs.

Copier runs in whatever environment a person has: the standard library must do. And `copier update`
builds the earlier release's wheel once more, whose hash is in the project's lock: so its bytes must
be the same on every machine.
"""

import runpy
import sys
import tomllib
from pathlib import Path

KNOWN = {
    "name", "version", "description", "readme", "license", "requires-python", "dependencies",
    "optional-dependencies", "scripts",
}  # fmt: skip
FORMAT = runpy.run_path(
    str(Path(__file__).parents[1] / "packages/seedbed/src/seedbed/serving/wheel.py")
)


def build_wheel(package: Path, folder: Path) -> Path:
    """Write the wheel of the package in the folder `package` into `folder`; return its path."""
    pyproject = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))
    about = pyproject["project"]
    if unknown := sorted(about.keys() - KNOWN):
        sys.exit(
            f"template/wheel.py does not know {', '.join(unknown)} of {package}/pyproject.toml"
        )
    modules = {
        path.relative_to(package / source.parent).as_posix(): path.read_bytes()
        for source in map(Path, pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
        for path in sorted((package / source).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    content = FORMAT["wheel_content"](
        about,
        modules,
        (package / "LICENSE").read_bytes(),
        (package / about["readme"]).read_text(encoding="utf-8"),
    )
    folder.mkdir(exist_ok=True)
    wheel = folder / FORMAT["wheel_name"](about)
    wheel.write_bytes(content)
    return wheel
