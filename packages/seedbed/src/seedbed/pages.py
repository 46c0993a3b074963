"""What the HTML pages share: colours for light and dark, and how a template becomes a page."""

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

STYLE = Path(__file__).with_suffix(".css").read_text("utf-8")


def allow(text: str) -> str:
    """Return the source by which a content security policy allows this style or script alone."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def render(template: Path, filters: dict[str, Callable[..., object]], **values: Any) -> str:
    """Return a page; values are escaped, and a name that the template lacks is an error."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"count": "{:,}".format, "share": "{:.1%}".format, **filters}
    return environment.from_string(template.read_text(encoding="utf-8")).render(**values)
