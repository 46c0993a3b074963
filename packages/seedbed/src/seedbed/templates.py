"""How a template becomes a text: an HTML page, a model card, the files of an image."""

from collections.abc import Callable
from pathlib import Path
from typing import Any


def render(template: Path, filters: dict[str, Callable[..., object]], **values: Any) -> str:
    """Return the text of a template; in HTML, values are escaped.

    Raises
    ------
    jinja2.UndefinedError
        If the template uses a name that has no value.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=".html" in template.suffixes,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"count": "{:,}".format, "share": "{:.1%}".format, **filters}
    return environment.from_string(template.read_text(encoding="utf-8")).render(**values)
