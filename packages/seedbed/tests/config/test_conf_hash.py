"""The fingerprint of conf/: the same for the same choices, another for any other."""

from pathlib import Path

import pytest

from seedbed.config.conf_hash import conf_files, conf_hash
from seedbed.errors import UserError


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    (tmp_path / "conf/model").mkdir(parents=True)
    (tmp_path / "conf/config.yaml").write_text("a: 1\n")
    (tmp_path / "conf/model/x.yaml").write_text("b: 2\n")
    return tmp_path


def test_it_begins_with_a_letter_and_stays(conf: Path) -> None:
    assert conf_hash(conf)[0].isalpha()
    assert conf_hash(conf) == conf_hash(conf)


@pytest.mark.parametrize(
    "name", [".#x.yaml", "_draft.yaml", "notes.txt", ".cache/y.yaml", "model/_old/z.yaml"]
)
def test_what_is_no_choice_does_not_count(conf: Path, name: str) -> None:
    before = conf_hash(conf)
    file = conf / "conf" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("c: 3\n")
    assert conf_hash(conf) == before


def test_a_dangling_link_of_an_editor_does_not_count(conf: Path) -> None:
    before = conf_hash(conf)
    (conf / "conf/lock.yaml").symlink_to("nobody@nowhere:1")
    assert conf_hash(conf) == before


def test_line_ends_do_not_count(conf: Path) -> None:
    before = conf_hash(conf)
    (conf / "conf/config.yaml").write_bytes(b"a: 1\r\n")
    assert conf_hash(conf) == before


def test_contents_and_names_count(conf: Path) -> None:
    seen = {conf_hash(conf)}
    (conf / "conf/config.yaml").write_text("a: 2\n")
    seen.add(conf_hash(conf))
    (conf / "conf/model/x.yaml").rename(conf / "conf/model/y.yaml")
    seen.add(conf_hash(conf))
    # The border between two files counts as well.
    (conf / "conf/model/y.yaml").write_text("b: 2\nc: 3\n")
    seen.add(conf_hash(conf))
    assert len(seen) == 4


def test_yml_is_refused(conf: Path) -> None:
    (conf / "conf/model/z.yml").write_text("")
    with pytest.raises(UserError, match=r"conf/model/z\.yml.*\.yaml"):
        conf_files(conf)
