"""Each option of a source is known, and a message on a wrong one names its key."""

from pathlib import Path
from typing import Any

import pytest

from seedbed.config.checks import find_mistakes
from seedbed.config.compose import check_composed, compose_text
from seedbed.config.schema import Params, Source
from seedbed.config.sources import OPTIONS, CsvOptions, find_option_mistakes, read_options
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
        ("package", {"missing": ["-"]}, "source.options.missing is set, and source package has no options"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_told_by_its_key(
    flights: Params, kind: str, options: dict[str, Any], words: str
) -> None:
    source = Source(kind=kind, path="x", options=options)
    found = next(find_mistakes(flights.model_copy(update={"source": source})))
    assert f"{found.key} {found.message}".startswith(words)
    if kind in OPTIONS:
        with pytest.raises(UserError) as error:
            read_options(source)
        assert words in str(error.value)


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
