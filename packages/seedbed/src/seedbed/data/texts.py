"""Columns of texts as Arrow sees them: what numbers and times are made of."""

from dataclasses import dataclass
from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

TRUTH_PAIRS = (
    *(("true", "false"), ("yes", "no"), ("1", "0"), ("1.0", "0.0"), ("y", "n"), ("t", "f")),
    *(("on", "off"), ("ja", "nein"), ("j", "n"), ("wahr", "falsch"), ("ja", "nee")),
    *(("oui", "non"), ("o", "n"), ("vrai", "faux"), ("si", "no"), ("sí", "no"), ("sì", "no")),
    *(("sim", "não"), ("s", "n"), ("verdadero", "falso"), ("vero", "falso")),
)
"""Texts for true and for false, in small letters."""
TRUTHS = {
    text: truth for pair in TRUTH_PAIRS for text, truth in zip(pair, (True, False), strict=True)
}
"""What each of them says."""
OFFSET = r"[T ]\d\d.*(?:Z|[+-]\d\d(?::?\d\d)?)$"
"""How a time in ISO 8601 ends that says how far its clock is from UTC."""
HEAD = 100
"""So many texts are tried first, since most patterns fail at once."""


def is_text(kind: pa.DataType) -> bool:
    """Whether Arrow's type is one of texts."""
    are = pa.types
    return are.is_string(kind) or are.is_large_string(kind) or are.is_string_view(kind)


@dataclass(frozen=True)
class Format:
    """How the texts of a column are read."""

    kind: Literal["number", "time"]
    form: str  # as :func:`seedbed.data.formats.parse` takes it
    plain: bool = False  # whether they are read so where no format is given
    # whether the texts could as well be read in another way: `note` says what was taken and why
    undecided: bool = False
    note: str | None = None  # what a person should know of it


def as_arrow(texts: pd.Series) -> pa.Array:
    """Return a column of texts as one Arrow array, missing ones as null."""
    texts = texts if isinstance(texts.dtype, pd.StringDtype) else texts.astype("str")
    found = pa.array(texts, type=pa.large_string(), from_pandas=True)
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def matches(texts: pa.Array, pattern: str) -> pa.Array:
    """Return whether each text matches a pattern of RE2."""
    return pc.match_substring_regex(texts, pattern)


def all_match(texts: pa.Array, pattern: str) -> bool:
    """Whether every text matches; missing ones do not count."""
    parts = (texts[:HEAD], texts[HEAD:]) if len(texts) > HEAD else (texts,)
    return all(pc.all(matches(part, pattern)).as_py() for part in parts)


def any_match(texts: pa.Array, pattern: str) -> bool:
    """Whether a text matches."""
    return bool(pc.any(matches(texts, pattern)).as_py())


def only_matching(texts: pa.Array, pattern: str) -> pa.Array:
    """Return the texts that match, null in place of the others."""
    return pc.if_else(matches(texts, pattern), texts, pa.scalar(None, texts.type))


def joined(*notes: str | None) -> str | None:
    """Return several notes as one, or None if there is none."""
    return "; ".join(note for note in notes if note) or None
