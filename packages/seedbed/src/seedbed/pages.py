"""What the HTML pages that are served share: colours for light and dark, and their policy."""

import base64
import hashlib
from pathlib import Path

STYLE = Path(__file__).with_suffix(".css").read_text("utf-8")


def allow(text: str) -> str:
    """Return the source by which a content security policy allows this style or script alone."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
