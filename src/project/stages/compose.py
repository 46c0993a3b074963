"""Stage compose: conf/ becomes params.yaml, which all later stages read."""

from pathlib import Path

from seedbed.config.compose import update_params
from seedbed.stages import stage


@stage
def compose() -> None:
    """Bring ./params.yaml and ./reports/overrides.yaml in step with ./conf."""
    print(update_params(Path.cwd()))
