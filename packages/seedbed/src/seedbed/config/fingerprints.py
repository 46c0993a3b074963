"""One fingerprint a stage of the code that it runs: dvc.yaml names it instead of source files."""

from pathlib import Path

from seedbed.config.imports import Imports, digest
from seedbed.config.stage_params import CODE, RUNNER, find_wrong_params
from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError, some_of
from seedbed.files import write_text

PARTS = "parts"
SHOWN = 5
"""How many files and packages are named that made a stage stale."""
HEADER = f"""\
# Which code each stage runs: a hash of the modules that it imports and of the locked versions of
# the packages that these use. Written by stage `code`. Under `{PARTS}`, what the hashes are of.
"""


Stages = dict[str, dict[str, str]]
"""Of each stage the parts of its code: hashes of files, and locked versions of packages."""


def find_code(root: Path) -> Stages:
    """Return the parts of the code that each stage of the project in `root` runs.

    These are the modules that importing a stage can execute, imports inside functions included, of
    the project's package and of seedbed, wherever it is installed; and the locked versions of the
    packages that these import, and of what those need in turn.
    """
    imports = Imports(root)
    stages = {}
    for path in sorted((root / "src" / imports.package / "stages").glob("*.py")):
        if path.stem not in ("__init__", "code"):
            files = imports.files_of(f"{imports.package}.stages.{path.stem}")
            hashes = {part: imports.hash_of(file) for part, file in files.items()}
            modules = {part: value for part, value in hashes.items() if value}
            runner = {RUNNER: imports.hash_of(root / RUNNER)}
            stages[path.stem] = runner | modules | imports.versions_of(files)
    return stages


def stale_stages(stages: Stages, path: Path) -> dict[str, list[str]]:
    """Return the stages whose code is not what `path` records, each with the parts that differ."""
    if not path.is_file():
        return {name: [f"{path.name} is missing"] for name in stages}
    recorded = load_yaml(path)
    before: dict[str, str] = recorded.get(PARTS) or {}
    return {
        name: [part for part in sorted(parts) if before.get(part) != parts[part]]
        or ["it imports fewer modules or packages than before"]
        for name, parts in stages.items()
        if recorded.get(name) != _fingerprint(parts)
    }


def describe_stale(stages: Stages, path: Path) -> list[str]:
    """Return a line for all stages that the same files and packages made stale."""
    together: dict[str, list[str]] = {}
    for name, parts in stale_stages(stages, path).items():
        together.setdefault(some_of(parts, SHOWN), []).append(name)
    return [f"stale: {', '.join(names)} ({parts})" for parts, names in together.items()]


def update_code(root: Path) -> list[str]:
    """Write code.yaml; return which stages run other code than it recorded, and what changed.

    Raises
    ------
    UserError
        If a stage takes other sections of params.yaml than dvc.yaml declares for it.
    """
    stages = find_code(root)
    for mistake in find_wrong_params(root):
        raise UserError(mistake)
    lines = describe_stale(stages, root / CODE)
    write_code(stages, root / CODE)
    return lines


def write_code(stages: Stages, path: Path) -> None:
    """Write code.yaml."""
    names = "".join(f"{name}: {_fingerprint(parts)}\n" for name, parts in sorted(stages.items()))
    every = {part: value for parts in stages.values() for part, value in parts.items()}
    parts = "".join(f"  {part}: '{value}'\n" for part, value in sorted(every.items()))
    write_text(path, f"{HEADER}{names}{PARTS}:\n{parts}")


def _fingerprint(parts: dict[str, str]) -> str:
    return "f" + digest("".join(f"{part}={parts[part]}\n" for part in sorted(parts)))
