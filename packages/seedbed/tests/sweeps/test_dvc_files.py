"""dvc.lock read as text says what DVC says of it."""

from pathlib import Path

import pytest
import yaml

from seedbed.sweeps.dvc_files import split_lock

from support import REPOSITORY


@pytest.mark.parametrize(
    ("text", "head", "names"),
    [
        ("", "", []),
        ("schema: '2.0'\n", "schema: '2.0'\n", []),
        ("schema: '2.0'\nstages:\n", "schema: '2.0'\nstages:\n", []),
        (
            "schema: '2.0'\nstages:\n  a:\n    cmd: x\n  b@c-1:\n    cmd: y\n",
            "schema: '2.0'\nstages:\n",
            ["a", "b@c-1"],
        ),
        (
            "stages:\n  a:\n    cmd:\n    - 'x:'\n    - y\n    params:\n      p:\n        q:\n",
            "stages:\n",
            ["a"],
        ),
    ],
)
def test_a_lock_is_split_into_its_entries(text: str, head: str, names: list[str]) -> None:
    found, parts = split_lock(text)
    assert (found, list(parts)) == (head, names)
    assert found + "".join(parts.values()) == text


@pytest.mark.parametrize("of", ["this repository", "a small one"])
def test_each_entry_is_that_of_its_stage(template: Path, of: str) -> None:
    text = (
        REPOSITORY / "dvc.lock" if of == "this repository" else template / "dvc.lock"
    ).read_text(encoding="utf-8")
    head, parts = split_lock(text)
    assert head + "".join(parts.values()) == text
    whole = yaml.safe_load(text)["stages"]
    assert {name: yaml.safe_load(part)[name] for name, part in parts.items()} == whole
