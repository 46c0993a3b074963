"""Half-written outputs are never seen."""

from pathlib import Path

import pytest

from seedbed.files import read_json, replacing, replacing_folder, write_json, write_text


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "deep/file.txt"
    write_text(path, "old\n")

    def fail_half_way() -> None:
        with replacing(path) as beside:
            beside.write_text("ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_half_way()
    assert path.read_text() == "old\n"
    assert [file.name for file in path.parent.iterdir()] == ["file.txt"]


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    with replacing_folder(path) as beside:
        (beside / "a").write_text("1")

    def fail_half_way() -> None:
        with replacing_folder(path) as beside:
            (beside / "b").write_text("2")
            raise ValueError

    with pytest.raises(ValueError):
        fail_half_way()
    assert [file.name for file in path.iterdir()] == ["a"]
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]
    with replacing_folder(path) as beside:
        (beside / "c").write_text("3")
    assert [file.name for file in path.iterdir()] == ["c"]


def test_json_is_stable_and_has_no_nan(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"b": 1, "a": ["é", None]})
    assert read_json(tmp_path / "x.json") == {"b": 1, "a": ["é", None]}
    assert (tmp_path / "x.json").read_bytes().endswith(b"\n")
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "x.json", float("nan"))
    assert read_json(tmp_path / "x.json") == {"b": 1, "a": ["é", None]}
