"""Stage code: a fingerprint of the code that each stage runs, which the other stages depend on."""

from pathlib import Path

from seedbed.config.fingerprints import CODE, compute_fingerprints
from seedbed.errors import some_of
from seedbed.stages import stage

SHOWN = 5
"""How many files and packages are named for a stage."""


@stage
def code() -> None:
    """Write code.yaml, and say which files and packages changed."""
    fingerprints = compute_fingerprints(Path())
    for name, changed in fingerprints.changes(Path(CODE)).items():
        print(f"{name} runs other code than before: {some_of(changed, SHOWN)}")
    fingerprints.write(Path(CODE))
