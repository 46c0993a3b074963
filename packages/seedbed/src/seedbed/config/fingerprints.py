"""One fingerprint a stage of the code that it runs: dvc.yaml names it instead of source files."""

from dataclasses import dataclass
from pathlib import Path

from seedbed.config.imports import Imports, digest
from seedbed.config.stage_params import RUNNER, find_wrong_params
from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError, some_of
from seedbed.files import write_text

CODE = "code.yaml"
PARTS = "parts"
SHOWN = 5
"""How many files and packages are named that made a stage stale."""
HEADER = f"""\
# Which code each stage runs: a hash of the modules that it imports and of the locked versions of
# the packages that these use. Written by stage `code`. Under `{PARTS}`, what the hashes are of.
"""


@dataclass(frozen=True)
class Fingerprints:
    """The code of every stage.

    Attributes
    ----------
    stages : dict of str to str
        The fingerprint of each stage.
    uses : dict of str to list of str
        The files and packages that each stage uses.
    parts : dict of str to str
        The hash of each file, the locked version of each package.
    """

    stages: dict[str, str]
    uses: dict[str, list[str]]
    parts: dict[str, str]

    def write(self, path: Path) -> None:
        """Write code.yaml."""
        stages = "".join(f"{name}: {value}\n" for name, value in sorted(self.stages.items()))
        parts = "".join(f"  {name}: '{value}'\n" for name, value in sorted(self.parts.items()))
        write_text(path, f"{HEADER}{stages}{PARTS}:\n{parts}")

    def changes(self, path: Path) -> dict[str, list[str]]:
        """Return each stale stage, with the files and packages that changed since `path`."""
        if not path.is_file():
            return {name: [f"{path.name} is missing"] for name in self.stages}
        before = load_yaml(path)
        parts: dict[str, str] = before.get(PARTS) or {}
        changed = {}
        for name, value in self.stages.items():
            if before.get(name) != value:
                found = [part for part in self.uses[name] if parts.get(part) != self.parts[part]]
                changed[name] = found or ["it imports fewer modules or packages than before"]
        return changed

    def describe_changes(self, path: Path) -> list[str]:
        """Return a line for all stages that the same files and packages made stale."""
        stages: dict[str, list[str]] = {}
        for name, parts in self.changes(path).items():
            stages.setdefault(some_of(parts, SHOWN), []).append(name)
        return [f"stale: {', '.join(names)} ({parts})" for parts, names in stages.items()]


def update_code(root: Path) -> list[str]:
    """Write code.yaml; return which stages run other code than it recorded, and what changed.

    Raises
    ------
    UserError
        If a stage takes other sections of params.yaml than dvc.yaml declares for it.
    """
    for mistake in find_wrong_params(root):
        raise UserError(mistake)
    fingerprints = compute_fingerprints(root)
    lines = fingerprints.describe_changes(root / CODE)
    fingerprints.write(root / CODE)
    return lines


def compute_fingerprints(root: Path) -> Fingerprints:
    """Return the fingerprint of every stage of the project in `root`.

    A stage uses the modules that importing it can execute, imports inside functions included, of
    the project's package and of seedbed, wherever it is installed; and the locked versions of the
    packages that these import, and of what those need in turn.
    """
    imports = Imports(root)
    stages, uses = {}, {}
    parts: dict[str, str] = {}
    for path in sorted((root / "src" / imports.package / "stages").glob("*.py")):
        name = path.stem
        if name in ("__init__", "code"):
            continue
        files = imports.files_of(f"{imports.package}.stages.{name}")
        hashes = {part: imports.hash_of(file) for part, file in files.items()}
        modules = {part: value for part, value in hashes.items() if value}
        used = {RUNNER: imports.hash_of(root / RUNNER), **modules, **imports.versions_of(files)}
        stages[name] = "f" + digest("".join(f"{part}={used[part]}\n" for part in sorted(used)))
        uses[name] = sorted(used)
        parts |= used
    return Fingerprints(stages, uses, parts)
