"""Stage code: a fingerprint of the code that each stage runs, which the other stages depend on."""

from pathlib import Path

from seedbed.config.fingerprints import CODE, compute_fingerprints
from seedbed.stages import stage


@stage
def code() -> None:
    """Write code.yaml, and say which files and packages changed."""
    fingerprints = compute_fingerprints(Path())
    for name, changed in fingerprints.changes(Path(CODE)).items():
        print(f"{name} runs other code than before: {', '.join(changed)}")
    fingerprints.write(Path(CODE))
