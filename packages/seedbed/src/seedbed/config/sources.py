"""The kinds of source and their options, as far as a configuration can be judged by them."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import ValidationError

from seedbed.config.columns import Mistake
from seedbed.config.extensions import Registry
from seedbed.config.schema import Source, Window
from seedbed.config.section import why_wrong
from seedbed.config.source_options import (
    OPTIONS,
    ApiOptions,
    CsvOptions,
    KafkaOptions,
    Options,
    SqlOptions,
)
from seedbed.errors import UserError, did_you_mean

BUILT_IN = ("package", *OPTIONS)
"""The kinds that seedbed has; :mod:`seedbed.data.sources` reads them."""
ORDER = re.compile(r"\border\s+by\b", re.IGNORECASE)
"""By what a query is known to say in which order its rows come."""
SECRET = re.compile(r"sig|token|key|secret|password|credential", re.IGNORECASE)
"""What the parameter of an address is called that lets in whoever knows it."""
SECRET_PARAMETER = re.compile(
    r"(.*[_-])?(token|secret|password|passwd|signature|credentials?|(api|access|auth)[_-]?key)",
    re.IGNORECASE,
)
"""What a parameter of an API is called that does so."""
VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
"""How an environment variable is called; hardly a secret is."""
NO_SECRET = (".location", ".url")
"""How settings of librdkafka end that have such a name, and are a path or an address."""
FIXED_SETTINGS = {
    "group.id": "seedbed",  # must be set, and is not used: partitions are assigned
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "error",
    "allow.auto.create.topics": False,
    "isolation.level": "read_committed",
}
"""What librdkafka is set to, so that reading changes nothing and no message is passed over."""
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
            "environment variable that holds the whole address. If it was given with -S, DVC has "
            "written it into params.yaml and .git: `git checkout params.yaml` and `git gc "
            "--prune=now` remove it, after `dvc queue remove NAME` of a queued experiment",
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
            yield _mistake_of(wrong, source.kind)
        return
    if isinstance(options, SqlOptions):
        yield from _of_query(options)
    if isinstance(options, ApiOptions):
        yield from _of_api(source, options)
    if isinstance(options, KafkaOptions):
        yield from _of_topic(options)
    if isinstance(options, CsvOptions):
        # A separator may be the decimal sign too: such numbers stand in quotes.
        for name, other in (("quote", "separator"), ("thousands", "decimal")):
            if getattr(options, name) == (sign := getattr(options, other)):
                yield Mistake(
                    f"source.options.{name}", f"is {sign!r}, and so is {other}: change one of them"
                )


def _mistake_of(wrong: Any, kind: str) -> Mistake:
    """Return what pydantic finds wrong with one option."""
    key = ".".join(map(str, ["source.options", *wrong["loc"]]))
    if wrong["loc"][0] == "headers":  # a value may be a secret
        return Mistake(key, "is no text: write {HEADER: ENVIRONMENT_VARIABLE}")
    if wrong["type"] == "extra_forbidden":
        known = list(OPTIONS[kind].model_fields) if len(wrong["loc"]) == 1 else []
        return Mistake(
            key,
            f"is no option of source {kind}{did_you_mean(wrong['loc'][-1], known)}: "
            + (f"it has {', '.join(known)}" if known else "take it out"),
        )
    return Mistake(key, f"is {wrong['input']!r}: {why_wrong(wrong['msg'])}")


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


def _of_api(source: Source, options: ApiOptions) -> Iterator[Mistake]:
    if not re.match("https?://[^/@]+(/|$|\\?)", source.path or ""):
        yield Mistake(
            "source.path",
            "is no address of an API: write one such as https://api.example.org/v1/listings, "
            "without a user; credentials stand in an environment variable that "
            "source.options.headers names",
        )
    for name, variable in options.headers.items():
        if not VARIABLE.fullmatch(variable):
            yield Mistake(
                f"source.options.headers.{name}",
                "is no name of an environment variable (capital letters, digits and _): put the "
                "value of the header into one, since it would get into Git here",
            )
    for name in filter(SECRET_PARAMETER.fullmatch, options.parameters):
        yield Mistake(
            f"source.options.parameters.{name}",
            "looks like a secret, which would get into params.yaml and Git: send it in a header, "
            "whose value stands in an environment variable that source.options.headers names",
        )


def _of_topic(options: KafkaOptions) -> Iterator[Mistake]:
    if options.offsets and (options.start or options.end):
        yield Mistake("source.options.offsets", "and a start or end are both set: take one out")
    for partition, (first, end) in options.offsets.items():
        if first > end:
            yield Mistake(
                f"source.options.offsets.{partition}",
                f"is [{first}, {end}]: the first offset must not lie after the end",
            )
    try:
        Window(start=options.start, end=options.end)
    except ValidationError as error:
        why = error.errors()[0]["msg"].removeprefix("Value error, ")
        yield Mistake("source.options", f"start and end are no interval of time: {why}")
    if options.schema_file and options.format != "avro":
        yield Mistake(
            "source.options.schema_file", f"is set, and format {options.format} has no schema"
        )
    for name in [*options.settings, *options.secrets]:
        if name in ("bootstrap.servers", *FIXED_SETTINGS):
            yield Mistake(
                f"source.options.settings.{name}",
                "is set by seedbed itself, the servers by source.path: take it out",
            )
    for name in options.settings:
        if SECRET.search(name) and not name.endswith(NO_SECRET):
            yield Mistake(
                f"source.options.settings.{name}",
                "holds a password or a key, which would get into params.yaml and Git: put it into "
                f"an environment variable, and its name under source.options.secrets.{name}",
            )


def read_options(source: Source) -> Any:
    """Return the options of a kind in :data:`OPTIONS`, typed and with defaults.

    Raises UserError if one is unknown or wrong.
    """
    for mistake in find_option_mistakes(source):
        raise UserError(
            f"{mistake.key} {mistake.message}. Edit the conf/source or conf/dataset file."
        )
    return _typed(OPTIONS[source.kind], source.options)


def _typed(kind: type[Options], options: dict[str, Any]) -> Any:
    return kind.model_validate_json(json.dumps(options))
