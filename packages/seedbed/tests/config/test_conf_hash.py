"""The fingerprint of conf/: the same for the same choices, another for any other."""

from collections.abc import Callable
from pathlib import Path

import pytest

from seedbed.config.conf_hash import conf_files, conf_hash
from seedbed.errors import UserError


def write(name: str, text: str) -> Callable[[Path], object]:
    def edit(conf: Path) -> None:
        (conf / name).parent.mkdir(parents=True, exist_ok=True)
        (conf / name).write_bytes(text.encode())

    return edit


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write("config.yaml", "a: 1\n")(tmp_path / "conf")
    write("model/x.yaml", "b: 2\n")(tmp_path / "conf")
    return tmp_path


@pytest.mark.parametrize(
    ("edit", "counts"),
    [
        (lambda conf: None, False),
        *((write(name, "c: 3\n"), False)
          for name in (".#x.yaml", "_draft.yaml", "notes.txt", ".cache/y.yaml", "model/_old/z.yaml")),
        (lambda conf: (conf / "lock.yaml").symlink_to("nobody@nowhere:1"), False),  # an editor's
        (write("config.yaml", "a: 1\r\n"), False),
        (write("config.yaml", "a: 2\n"), True),
        (write("model/y.yaml", "c: 3\n"), True),
        (lambda conf: (conf / "model/x.yaml").rename(conf / "model/y.yaml"), True),
        (lambda conf: (conf / "model/x.yaml").unlink(), True),
    ],
)  # fmt: skip
def test_contents_and_names_of_choices_count(
    root: Path, edit: Callable[[Path], object], counts: bool
) -> None:
    before = conf_hash(root)
    edit(root / "conf")
    assert (conf_hash(root) != before) is counts
    assert conf_hash(root)[0].isalpha(), "YAML takes some hexadecimal strings for numbers"


def test_yml_is_refused(root: Path) -> None:
    (root / "conf/model/z.yml").write_text("")
    with pytest.raises(UserError, match=r"conf/model/z\.yml.*\.yaml"):
        conf_files(root)
