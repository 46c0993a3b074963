"""Each option of a source is known, and a message on a wrong one names its key."""

from pathlib import Path
from typing import Any

import pytest

from seedbed.config.checks import find_mistakes
from seedbed.config.compose import check_composed, compose_text
from seedbed.config.schema import Params, Source
from seedbed.config.source_options import OPTIONS, CsvOptions
from seedbed.config.sources import find_option_mistakes, read_options
from seedbed.config.yaml_files import conf_text, load_yaml
from seedbed.errors import UserError

from support import REPOSITORY, composed


@pytest.fixture(scope="module")
def flights() -> Params:
    """The default parameters."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(REPOSITORY)
        return composed()


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("csv", {"seperator": ";"}, "source.options.seperator is no option of source csv (did you mean separator?): it has formats, missing, separator"),
        ("csv", {"separator": ";;"}, "source.options.separator is ';;': string should have at most 1 character"),
        ("csv", {"separator": 1}, "source.options.separator is 1: input should be a valid string"),
        ("csv", {"skip_rows": -1}, "source.options.skip_rows is -1: "),
        ("csv", {"header": 0}, "source.options.header is 0: input should be greater than or equal to 1"),
        ("csv", {"encoding": "utf-9"}, "source.options.encoding is 'utf-9': 'utf-9' is no encoding; write one such as utf-8"),
        ("csv", {"formats": {"price": 1}}, "source.options.formats.price is 1: input should be a valid string"),
        ("csv", {"quote": ","}, "source.options.quote is ',', and so is separator: change one of them"),
        ("csv", {"decimal": ",", "thousands": ","}, "source.options.thousands is ',', and so is decimal"),
        ("excel", {"sheets": "a"}, "source.options.sheets is no option of source excel (did you mean sheet?)"),
        ("excel", {"sheet": 0}, "source.options.sheet"),
        ("json", {"separator": ";"}, "source.options.separator is no option of source json: it has formats, missing, lines, records"),
        ("parquet", {"lines": True}, "source.options.lines is no option of source parquet"),
        ("feather", {"lines": True}, "source.options.lines is no option of source feather"),
        ("api", {"headers": {"X-Key": "a-secret"}}, "source.options.headers.X-Key is no name of an environment variable"),
        ("api", {"headers": {"X-Key": 5}}, "source.options.headers.X-Key is no text: write {HEADER: ENVIRONMENT_VARIABLE}"),
        ("api", {"parameters": {"api_key": "x"}}, "source.options.parameters.api_key looks like a secret"),
        ("api", {"pages": {"by": "pages"}}, "source.options.pages is {'by': 'pages'}: input tag 'pages' found using 'by' does not match any of the expected tags: 'cursor', 'number', 'offset', 'link'"),
        ("api", {"pages": {"by": "cursor", "next": "a"}}, "source.options.pages.cursor.parameter is {'by': 'cursor', 'next': 'a'}: field required"),
        ("api", {"pages": {"by": "link", "nxt": "a"}}, "source.options.pages.link.nxt is no option of source api: take it out"),
        ("api", {"most_pages": 0}, "source.options.most_pages is 0: "),
        ("api", {"record": "a"}, "source.options.record is no option of source api (did you mean records?)"),
        ("kafka", {"offsets": {"0": [3, 1]}}, "source.options.offsets.0 is [3, 1]: the first offset must not lie after the end"),
        ("kafka", {"offsets": {"a": [0, 1]}}, "source.options.offsets.a.[key] is 'a': input should be a valid integer"),
        ("kafka", {"offsets": {"0": [-1, 1]}}, "source.options.offsets.0.0 is -1: input should be greater than or equal to 0"),
        ("kafka", {"offsets": {"0": [0, 1]}, "start": "2024-01-01"}, "source.options.offsets and a start or end are both set"),
        ("kafka", {"start": "2024-02-01", "end": "2024-01-01"}, "source.options start and end are no interval of time: start 2024-02-01 is not before end 2024-01-01"),
        ("kafka", {"start": "yesterday"}, "source.options start and end are no interval of time: Invalid isoformat string: 'yesterday'"),
        ("kafka", {"format": "xml"}, "source.options.format is 'xml': input should be 'json', 'avro' or 'bytes'"),
        ("kafka", {"schema_file": "a.avsc"}, "source.options.schema_file is set, and format json has no schema"),
        ("kafka", {"metadata": {"at": "time"}}, "source.options.metadata.at is 'time': input should be 'partition', 'offset', 'timestamp' or 'key'"),
        ("kafka", {"settings": {"sasl.password": "x"}}, "source.options.settings.sasl.password holds a password or a key, which would get into params.yaml and Git"),
        ("kafka", {"settings": {"group.id": "x"}}, "source.options.settings.group.id is set by seedbed itself"),
        ("package", {"missing": ["-"]}, "source.options.missing is set, and source package has no options"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_told_by_its_key(
    flights: Params, kind: str, options: dict[str, Any], words: str
) -> None:
    source = Source(kind=kind, path="https://api.example.org", options=options)
    found = next(find_mistakes(flights.model_copy(update={"source": source})))
    assert f"{found.key} {found.message}".startswith(words)
    if kind in OPTIONS:
        with pytest.raises(UserError) as error:
            read_options(source)
        assert words in str(error.value)


@pytest.mark.parametrize(
    "path", ["rows", "https://", "ftp://example.org", "https://a-token@example.org", None]
)
def test_an_api_has_an_address_without_a_user(path: str | None) -> None:
    found = next(find_option_mistakes(Source(kind="api", path=path)))
    assert f"{found.key} {found.message}".startswith("source.path is no address of an API")
    assert "a-token" not in found.message


def test_options_of_kafka_survive_hydra_and_params_yaml(root: Path) -> None:
    values = {
        "offsets": "{0: [1, 5], 10: [0, 3]}",
        "settings": "{security.protocol: sasl_ssl, ssl.key.location: me.pem}",
        "secrets": "{sasl.password: PASSWORD}",  # pragma: allowlist secret
    }
    words = [f"+source.options.{key}={value}" for key, value in values.items()]
    text = compose_text(root, ["source=kafka", "source.path=KAFKA", *words])
    (root / "params.yaml").write_text(text, encoding="utf-8")
    params = load_yaml(root / "params.yaml")
    check_composed(params, root)
    options = read_options(Source(**params["source"]))
    assert options.offsets == {0: (1, 5), 10: (0, 3)}
    assert options.settings == {"security.protocol": "sasl_ssl", "ssl.key.location": "me.pem"}
    assert options.secrets == {"sasl.password": "PASSWORD"}  # pragma: allowlist secret


def test_right_options_are_typed_and_others_are_their_kinds_own() -> None:
    source = Source(kind="csv", path="x", options={"separator": ";", "header": None})
    assert read_options(source) == CsvOptions(separator=";", header=None)
    assert not list(find_option_mistakes(Source(kind="of_mine", options={"anything": 1})))


NAMES = [
    *("a.b", "a,b", "a=b", "a'b", 'a"b', "é€", "x" * 300, "a: b", "# c", "- d", "{a}", "[b]"),
    *("yes", "null", "~", "1", "1e3", "007", "0x1f", "1_000", "12:30", "2020-01-01", "on", ".inf"),
    *("${x}", "\\${x}", "a ${oc.env:HOME} b", "\\\\${x}", "a\\", "$", "<<", "=", "*x", "&y", "!z"),
    *(" a", "a\tb", "a\nb", "%", "@", "`", "|", ">", "_split", "prediction", "👍"),
]


def test_names_of_columns_survive_yaml_hydra_and_omegaconf(root: Path) -> None:
    values = {
        "source": {"path": "x", "options": {"names": NAMES, "formats": {NAMES[0]: "1.234,5"}}},
        "project": {"names": NAMES, "types": dict.fromkeys(NAMES, "category")},
    }
    head = "# @package _global_\ndefaults:\n  - override /source: csv\n"
    (root / "conf/experiment/names.yaml").write_text(head + conf_text(values), encoding="utf-8")
    (root / "params.yaml").write_text(compose_text(root, ["+experiment=names"]), encoding="utf-8")
    params = load_yaml(root / "params.yaml")
    assert params["project"] == values["project"]
    check_composed(params, root)
    assert read_options(Source(**params["source"])).names == NAMES


def test_a_name_that_omegaconf_cannot_keep_is_told() -> None:
    with pytest.raises(UserError, match=r"cannot be written into conf/ .*source.options.names"):
        conf_text({"columns": {"target": "a${b"}})
