"""Stage code: a fingerprint of the code that each stage runs, which the other stages depend on."""

from pathlib import Path

from seedbed.config.fingerprints import update_code
from seedbed.stages import stage


@stage
def code() -> None:
    """Write ./code.yaml, and print which files and packages made which stage stale."""
    for line in update_code(Path()):
        print(line)
