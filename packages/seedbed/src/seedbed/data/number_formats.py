"""Numbers as people write them: separators, units, brackets for negative ones.

A format is an example, such as "1.234,5", or "1.234,5 kg" where every value ends in that unit. In
each of them a sign of a currency or of percent, a no-break space and brackets around a negative
number are taken off.
"""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from seedbed.data.integers import EXACT
from seedbed.data.texts import Format, all_match, any_match, joined, matches, only_matching

PLAIN_NUMBER = "1234.5"
NUMBERS = (PLAIN_NUMBER, "1,234.5", "1234,5", "1.234,5", "1 234.5", "1 234,5", "1'234.5")
"""In the order in which they are tried: where several fit, the first one is taken."""

_SPACE = r"[ \x{a0}\x{2007}\x{2009}\x{202f}]"
_THOUSANDS = {"": "", ",": ",", ".": r"\.", " ": _SPACE, "'": r"['\x{2019}]"}
_CODE = (
    "(?i:EUR|USD|GBP|CHF|JPY|CNY|INR|CAD|AUD|NZD|BRL|MXN|ZAR|SEK|NOK|DKK|PLN|CZK|HUF|TRY"
    r"|Fr\.?|kr\.?|zł)"
)
_SIGN = r"[\p{Sc}%‰]"
_BEFORE = rf"(?:{_SIGN}{_SPACE}*|{_CODE}{_SPACE}+)"
_AFTER = rf"(?:{_SPACE}*{_SIGN}|{_SPACE}+{_CODE})"
_UNIT = r"[\p{L}°/²³]+"


def find_number(texts: pa.Array, like: Sequence[str] = ()) -> Format | None:
    """Return the format in which all texts are numbers, or None.

    Where nothing decides what a point or a comma is, other columns of the table do (`like`), else
    English writing is taken. Codes are no numbers: leading zeros, telephone numbers, and whole
    numbers of which one is beyond 2**53. Nor are amounts in two currencies.

    Parameters
    ----------
    texts : array of str
        Distinct, trimmed and not missing.
    """
    bare = _bare(texts)
    form = next((form for form in NUMBERS if all_match(bare, _pattern(form))), None)
    if form is None:
        return _find_with_unit(texts, like)
    units, note = (set(), None) if bare is texts else _find_units(texts)
    if len(units) > 1 or _are_codes(bare):
        return None
    plain = bare is texts and form == PLAIN_NUMBER
    example = bare.filter(matches(bare, "[.,]"))[:1]
    others = [
        other
        for other in NUMBERS
        if other[-2] != form[-2] and len(example) and all_match(bare, _pattern(other))
    ]
    if not others:
        return Format("number", form, plain, note=note)
    known = {other[-2] for other in like if other in NUMBERS}
    if len(known) == 1:
        chosen = form if form[-2] in known else others[0]
        if chosen == form:
            return Format("number", form, plain, note=note)
        reason = f"read as {chosen} since other columns are; its own values do not decide"
        return Format("number", chosen, note=joined(reason, note))
    taken, other = (_numbers(example, fit)[0].as_py() for fit in (form, others[0]))
    reason = (
        f"{example[0].as_py()!r} is read as {taken:,}, and could be {other:,} ({others[0]}): no "
        "value decides, so English writing is taken"
    )
    return Format("number", form, plain, undecided=True, note=joined(reason, note))


def read_numbers(texts: pa.Array, form: str) -> pd.Series:
    """Return Int64 where all are whole and fit into it, else float64; what does not fit is missing.

    Parameters
    ----------
    texts : array of str
        Trimmed.
    form : str
        One of `NUMBERS`, with or without a unit.
    """
    form, unit = split_unit(form)
    if unit:
        texts = _without(only_matching(texts, _ending(unit)), unit)
    numbers = _numbers(_bare(texts), form)
    if len(numbers) > numbers.null_count and pa.types.is_integer(numbers.type):
        return numbers.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    return numbers.cast(pa.float64()).to_pandas()


def split_unit(form: str) -> tuple[str, str]:
    """Return one of `NUMBERS` and the unit that follows it; nothing where it is no such format."""
    number, _, unit = (form, "", "") if form in NUMBERS else form.rpartition(" ")
    return (number, unit) if number in NUMBERS else ("", "")


def unit_of(text: str) -> str | None:
    """Return the letters that follow the digits at the end of a text."""
    found = pc.extract_regex(pa.array([text]), rf"\d[.,]?{_SPACE}*(?P<unit>{_UNIT})$")[0].as_py()
    return found["unit"] if found else None


def _find_with_unit(texts: pa.Array, like: Sequence[str]) -> Format | None:
    unit = unit_of(texts[0].as_py())
    if not unit or not all_match(texts, _ending(unit)):
        return None
    found = find_number(_without(texts, unit), like)
    return found and replace(found, form=f"{found.form} {unit}", plain=False)


def _ending(unit: str) -> str:
    return rf"{_SPACE}*\Q{unit}\E$"


def _without(texts: pa.Array, unit: str) -> pa.Array:
    return pc.replace_substring_regex(texts, _ending(unit), "")


def _bare(texts: pa.Array) -> pa.Array:
    """Return numbers without units, and with a minus for brackets."""
    if all_match(texts, r"^[0-9.,eE+-]+$"):
        return texts
    steps = (
        ("\u2212", "-"),
        (rf"^([+-]?\(?[+-]?){_BEFORE}", r"\1"),
        (rf"{_AFTER}(\)?)$", r"\1"),
        (rf"^\({_SPACE}*([^+-].*?){_SPACE}*\)$", r"-\1"),
        (rf"^([+-]){_SPACE}+", r"\1"),
    )
    for pattern, other in steps:
        texts = pc.replace_substring_regex(texts, pattern, other)
    return texts


def _pattern(form: str) -> str:
    thousands, decimal = _THOUSANDS[_thousands(form)], rf"\{form[-2]}"
    whole = r"0|[1-9]\d*"
    if thousands:
        whole += rf"|[1-9]\d{{0,2}}(?:{thousands}\d{{3}})+"
    if thousands == ",":
        whole += r"|[1-9]\d?(?:,\d\d)+,\d{3}"  # in India: 12,34,567
    return rf"^[+-]?(?:(?:{whole})(?:{decimal}\d*)?|{decimal}\d+)(?:[eE][+-]?\d{{1,4}})?$"


def _thousands(form: str) -> str:
    return "" if form[1].isdigit() else form[1]


def _are_codes(bare: pa.Array) -> bool:
    """Whether numbers are telephone numbers, digits around an E, or whole and beyond `EXACT`."""
    if all_match(bare, r"^\+\d{7,}$"):
        return True
    if any_match(bare, r"^\d+[eE]\d+$") and not any_match(bare, r"[.,+-]"):
        return True
    if not any_match(bare, r"^[+-]?\d{16,}$") or not all_match(bare, r"^[+-]?\d+$"):
        return False
    return any(abs(int(text)) > EXACT for text in bare.to_pylist())


def _find_units(texts: pa.Array) -> tuple[set[str], str | None]:
    """Return the units, and a warning where some values have one and others none."""
    pattern = rf"(?P<unit>{_SIGN}|^[+-]?\(?{_CODE}{_SPACE}|{_SPACE}{_CODE}\)?$)"
    found = pc.struct_field(pc.extract_regex(texts, pattern), "unit")
    units = {unit.strip("\xa0 ()+-").upper() for unit in pc.unique(found).to_pylist() if unit}
    without = texts.filter(pc.is_null(found))
    if not units or not len(without):
        return units, None
    return units, (
        f"{len(without):,} of {len(texts):,} values have no {min(units)}, such as "
        f"{without[0].as_py()!r}: all are read in one unit"
    )


def _numbers(bare: pa.Array, form: str) -> pa.Array:
    """Return int64 or float64, null where a text does not fit."""
    texts = only_matching(bare, _pattern(form))
    if thousands := _THOUSANDS[_thousands(form)]:
        texts = pc.replace_substring_regex(texts, thousands, "")
    if form[-2] == ",":
        texts = pc.replace_substring(texts, ",", ".")
    texts = pc.utf8_ltrim(texts, "+")
    if not any_match(texts, "[.eE]"):
        try:
            return texts.cast(pa.int64())
        except pa.ArrowInvalid:
            pass  # beyond 2**63
    return texts.cast(pa.float64())
