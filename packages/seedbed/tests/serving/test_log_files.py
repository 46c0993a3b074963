"""The settings and the folder of a prediction log."""

import os
from pathlib import Path
from typing import Any

import pytest

from seedbed.errors import UserError
from seedbed.serving.log_files import LogSettings, make_folder


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rate": 0.0}, "rate of the prediction log is 0"),
        ({"rate": 1.5}, "rate of the prediction log is 1.5"),
        ({"days": 0}, "kept for 0 days"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        LogSettings(tmp_path, **settings)


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="cannot be written"):
        make_folder(tmp_path / "log")


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        make_folder(tmp_path / "log")
