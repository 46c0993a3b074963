"""The kinds of source and their options, as far as a configuration can be judged by them."""

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, Field, ValidationError

from seedbed.config.columns import Mistake
from seedbed.config.extensions import Registry
from seedbed.config.schema import Source
from seedbed.config.section import Section, why_wrong
from seedbed.errors import UserError, did_you_mean


def _check_encoding(name: str) -> str:
    try:
        "".encode(name)
    except (LookupError, ValueError):
        raise ValueError(
            f"{name!r} is no encoding; write one such as utf-8, utf-16, cp1252 or latin-1"
        ) from None
    return name


Encoding = Annotated[str, AfterValidator(_check_encoding)]
Character = Annotated[str, Field(min_length=1, max_length=1)]
Count = Annotated[int, Field(ge=0)]
Place = Annotated[int, Field(ge=1)]


class Options(Section):
    """What every kind of file has.

    `formats` says how single columns of text are written, such as ``{price: "1.234,5"}``: see
    :func:`seedbed.data.formats.parse`. `missing` lists what stands for a missing value, beside the
    empty field.
    """

    formats: dict[str, str] = Field(default_factory=dict)
    missing: list[str] = Field(default_factory=list)


class CsvOptions(Options):
    """How a CSV file is written.

    `escape` stands before a quote within quotes, where it is not written twice.
    `skip_rows` lines at the top are no part of the table. The names stand in line `header` of what
    follows, counted from 1; null: in none, and columns are called `names`, or column_1, column_2
    ... `names` may also replace the names in the header. `fill_short_rows` takes what is not there
    at the end of a row for missing, where such a row is an error else.
    """

    separator: Character = ","
    encoding: Encoding = "utf-8"
    quote: Character | None = '"'
    escape: Character | None = None
    decimal: Character = "."
    thousands: Character | None = None
    skip_rows: Count = 0
    header: Place | None = 1
    names: list[str] | None = None
    fill_short_rows: bool = False

    @property
    def top(self) -> int:
        """How many lines stand above the names, or above the rows where there are no names."""
        return self.skip_rows + (self.header or 1) - 1


class ExcelOptions(Options):
    """Which part of a workbook is the table.

    `sheet` is a name or a number from 1. `skip_rows`, `header` and `names` are those of a CSV file.
    """

    sheet: str | Place = 1
    skip_rows: Count = 0
    header: Place | None = 1
    names: list[str] | None = None


class JsonOptions(Options):
    """Where the records of a JSON file stand.

    `lines`: one object a line. `records` is the dotted path to the list of records, where the file
    is one object that holds it.
    """

    lines: bool = False
    records: str | None = None


Parameter = str | int | float | bool | None


class SqlOptions(Options):
    """What of a database is the table.

    `table` is its name, with its schema before a dot where it has one, if that is not the table's
    name in the dataset; a view is a table too. Or `query`, which has an ORDER BY, since rows come
    in any order without it. Its `parameters` stand in it as ``:name``, and are bound, never pasted;
    a list is for ``IN :name``.
    """

    table: str | None = None
    query: str | None = None
    parameters: dict[str, Parameter | list[Parameter]] = Field(default_factory=dict)


OPTIONS: dict[str, type[Options]] = {
    "csv": CsvOptions,
    "parquet": Options,
    "excel": ExcelOptions,
    "json": JsonOptions,
    "feather": Options,
    "sql": SqlOptions,
}
"""What stands under ``source.options``, by kind; a kind of the project's own reads its own."""
BUILT_IN = ("package", *OPTIONS)
"""The kinds that seedbed has; :mod:`seedbed.data.sources` reads them."""
ORDER = re.compile(r"\border\s+by\b", re.IGNORECASE)
"""By what a query is known to say in which order its rows come."""
SECRET = re.compile(r"sig|token|key|secret|password|credential", re.IGNORECASE)
"""What the parameter of an address is called that lets in whoever knows it."""
SOURCES: Registry[Any] = Registry("source", "sources")
"""The kinds that the project's sources.py adds."""


def why_no_source(kind: str) -> str | None:
    """Return why a name is no kind of source, and which there are; None if it is one."""
    if kind in BUILT_IN or SOURCES.find(kind) is not None:
        return None
    known = [*BUILT_IN, *SOURCES.all()]
    return (
        f"is {kind!r}, and there is no such source{did_you_mean(kind, known)}: choose one of "
        f"{', '.join(known)}, or write one in the project's sources.py"
    )


def find_option_mistakes(source: Source) -> Iterator[Mistake]:
    """Yield what is wrong with ``source.options`` of a kind that seedbed has, and a secret path."""
    if holds_secret(source.path):
        yield Mistake(
            "source.path",
            "holds a password or a key, which would get into params.yaml and Git: leave it to "
            "the store's own files or environment variables; for a database, give the name of an "
            "environment variable that holds the whole address",
        )
    if source.kind == "package" and source.options:
        name = next(iter(source.options))
        yield Mistake(f"source.options.{name}", "is set, and source package has no options")
    if source.kind not in OPTIONS:
        return
    kind = OPTIONS[source.kind]
    try:
        options = _typed(kind, source.options)
    except ValidationError as error:
        for wrong in error.errors():
            key = ".".join(map(str, ["source.options", *wrong["loc"]]))
            if wrong["type"] == "extra_forbidden":
                known = list(kind.model_fields)
                yield Mistake(
                    key,
                    f"is no option of source {source.kind}{did_you_mean(wrong['loc'][-1], known)}: "
                    f"it has {', '.join(known)}",
                )
            else:
                yield Mistake(key, f"is {wrong['input']!r}: {why_wrong(wrong['msg'])}")
        return
    if isinstance(options, SqlOptions):
        yield from _of_query(options)
    if isinstance(options, CsvOptions):
        # A separator may be the decimal sign too: such numbers stand in quotes.
        for name, other in (("quote", "separator"), ("thousands", "decimal")):
            if getattr(options, name) == (sign := getattr(options, other)):
                yield Mistake(
                    f"source.options.{name}", f"is {sign!r}, and so is {other}: change one of them"
                )


def holds_secret(path: str | None) -> bool:
    """Whether an address has a password, or a parameter that is one, such as X-Amz-Signature."""
    if path is None or "://" not in path:
        return False
    user = path.partition("://")[2].partition("/")[0].rpartition("@")[0]
    if user.partition(":")[2]:
        return True
    return any(SECRET.search(name) for name, _ in parse_qsl(urlsplit(path).query))


def _of_query(options: SqlOptions) -> Iterator[Mistake]:
    if options.query is None:
        if options.parameters:
            yield Mistake(
                "source.options.parameters",
                "are those of a query, and source.options.query is not set: set it",
            )
        return
    if options.table is not None:
        yield Mistake("source.options.table", "and query are both set: take one of them out")
    if not ORDER.search(options.query):
        yield Mistake(
            "source.options.query",
            "has no ORDER BY, so that the same rows may come in another order the next time: add "
            "one that orders all rows",
        )


def read_options(source: Source) -> Any:
    """Return the options of a kind in :data:`OPTIONS`, typed and with defaults.

    Raises
    ------
    UserError
        If one is unknown or wrong.
    """
    for mistake in find_option_mistakes(source):
        raise UserError(
            f"{mistake.key} {mistake.message}. Edit the conf/source or conf/dataset file."
        )
    return _typed(OPTIONS[source.kind], source.options)


def _typed(kind: type[Options], options: dict[str, Any]) -> Any:
    return kind.model_validate_json(json.dumps(options))
