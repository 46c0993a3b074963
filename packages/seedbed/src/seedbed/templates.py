"""How a template becomes an HTML page."""

from collections.abc import Callable
from pathlib import Path
from typing import Any


def render(template: Path, filters: dict[str, Callable[..., object]], **values: Any) -> str:
    """Return a page; values are escaped, and a name that the template lacks is an error."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"count": "{:,}".format, "share": "{:.1%}".format, **filters}
    return environment.from_string(template.read_text(encoding="utf-8")).render(**values)
