"""A path becomes what its file holds; a file that cannot be read is one message with its row."""

import os
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from seedbed.data.file_columns import (
    MOST_BYTES,
    read_documents,
    read_images,
)
from seedbed.errors import UserError


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = tmp_path / "repository"
    (repository / "files").mkdir(parents=True)
    monkeypatch.chdir(repository)


def paths(*names: str | None) -> pd.Series:
    return pd.Series(names, dtype="str", name="file", index=range(10, 10 + len(names)))


def test_documents_are_read_and_a_missing_path_stays_missing() -> None:
    Path("files/a.txt").write_text("One.\nTwo: é", encoding="utf-8-sig")
    Path("files/empty.txt").touch()
    found = read_documents(paths("files/a.txt", None, "./files/empty.txt", "files/a.txt"))
    assert found.tolist()[0::2] == ["One.\nTwo: é", ""]
    assert found.isna().tolist() == [False, True, False, False]
    assert found.index.tolist() == [10, 11, 12, 13] and found.dtype == "str"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_an_image_of_any_mode_becomes_a_square_of_bytes(mode: str, kind: str) -> None:
    if (mode, kind) == ("CMYK", "png"):
        kind = "jpeg"
    Image.new(mode, (7, 3)).save(f"files/a.{kind}")
    for color, values in ((False, 16), (True, 48)):
        (found,) = read_images(paths(f"files/a.{kind}"), 4, color)
        assert len(bytes.fromhex(found)) == values


def test_pixels_are_those_of_the_image_scaled() -> None:
    image = Image.new("RGB", (40, 20), "black")
    image.paste("white", (20, 0, 40, 20))
    image.save("files/half.png")
    Image.new("RGBA", (5, 5), (0, 0, 0, 0)).save("files/clear.png")
    found = read_images(paths("files/half.png", None, "files/clear.png"), 2, False)
    assert found.tolist()[0] == "00ff00ff" and pd.isna(found.iloc[1])
    assert found.iloc[2] == "ffffffff", "what is transparent is white"


@pytest.mark.parametrize("read", [read_documents, lambda files: read_images(files, 4, False)])
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("files/none.png", "cannot be opened (No such file or directory)"),
        ("files", "cannot be opened (Is a directory)"),
        ("../outside.txt", "lies outside of the repository"),
        ("files/../../outside.txt", "lies outside of the repository"),
        ("/etc/passwd", "lies outside of the repository"),
        ("files/broken", "is not "),
        ("files/cut.png", "is not "),
        ("files/large", "has more than 20 MB"),
        ("a\0b", "is not "),
        ("x" * 5000, "cannot be opened (File name too long)"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_one_message_with_its_row(
    read, path: str, words: str
) -> None:
    Path("../outside.txt").write_text("secret", encoding="utf-8")
    Path("files/fine").write_text("fine", encoding="utf-8")
    Image.new("L", (200, 200), 7).save("files/fine.png")
    Path("files/broken").write_bytes(b"\xff\xfe\x00")
    Path("files/cut.png").write_bytes(Path("files/fine.png").read_bytes()[:90])
    with Path("files/large").open("wb") as large:
        os.truncate(large.fileno(), MOST_BYTES + 1)
    fine = "files/fine" if read is read_documents else "files/fine.png"
    with pytest.raises(UserError) as error:
        read(paths(fine, None, path))
    message = str(error.value)
    assert message.startswith("column file: the file '")
    assert words in message and "\n" not in message
