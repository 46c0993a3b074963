"""Stage compose: conf/ becomes params.yaml, which all later stages read."""

from pathlib import Path

from seedbed.config.compose import update_params
from seedbed.stages.run import run


def compose() -> None:
    """Bring ./params.yaml and ./reports/overrides.yaml in step with ./conf."""
    print(update_params(Path.cwd()))


if __name__ == "__main__":
    run(compose)
