"""The options of each kind of source, typed."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from seedbed.config.section import Section


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


class CursorPages(Section):
    """Each answer holds, at the dotted path `next`, what `parameter` is to be for the next page."""

    by: Literal["cursor"]
    parameter: str
    next: str


class NumberedPages(Section):
    """`parameter` counts pages from `first` on, up to one without records."""

    by: Literal["number"]
    parameter: str
    first: Count = 1


class OffsetPages(Section):
    """`offset` is the number of records before the page, `limit` that of `size` in it at most."""

    by: Literal["offset"]
    offset: str = "offset"
    limit: str = "limit"
    size: Place


class LinkedPages(Section):
    """The address of the next page is at the dotted path `next`, or in the header Link."""

    by: Literal["link"]
    next: str | None = None


class ApiOptions(Options):
    """What is asked of a JSON API, and where the records stand in its answers.

    `endpoint` is appended to ``source.path``. `records` and `count`, the number of all records, are
    dotted paths in an answer. `parameters` stand in the query. The values of `headers` are names of
    environment variables. More than `most_pages` pages are an error. `timeout` is in seconds,
    between two bytes.
    """

    endpoint: str | None = None
    records: str | None = None
    pages: (
        Annotated[
            CursorPages | NumberedPages | OffsetPages | LinkedPages, Field(discriminator="by")
        ]
        | None
    ) = None
    count: str | None = None
    parameters: dict[str, Parameter | list[Parameter]] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    most_pages: Place = 10_000
    timeout: Annotated[float, Field(gt=0)] = 60


class KafkaOptions(Options):
    """Which messages of Kafka are the table, and how each is read.

    `topic` is its name, if that is neither in the path nor the table's. The window is `offsets`,
    the half-open interval of each partition that is read, or from `start` to `end`, by the
    messages' timestamps; without any, all that the topic holds. A message is an object of JSON, a
    record of Avro, whose schema is in it or in `schema_file`, or bytes, whose text is a column
    `value`. `metadata` gives names to columns of what stands beside a message. `settings` are
    librdkafka's; those in `secrets` are read from the environment variables that it names.
    `poison` is what happens to a message that cannot be read.
    """

    topic: str | None = None
    offsets: dict[Count, tuple[Count, Count]] = Field(default_factory=dict)
    start: str | None = None
    end: str | None = None
    format: Literal["json", "avro", "bytes"] = "json"
    schema_file: str | None = None
    metadata: dict[str, Literal["partition", "offset", "timestamp", "key"]] = Field(
        default_factory=dict
    )
    settings: dict[str, str | int | float | bool] = Field(default_factory=dict)
    secrets: dict[str, str] = Field(default_factory=dict)
    poison: Literal["raise", "skip"] = "raise"


OPTIONS: dict[str, type[Options]] = {
    "csv": CsvOptions,
    "parquet": Options,
    "excel": ExcelOptions,
    "json": JsonOptions,
    "feather": Options,
    "sql": SqlOptions,
    "api": ApiOptions,
    "kafka": KafkaOptions,
}
"""What stands under ``source.options``, by kind; a kind of the project's own reads its own."""
