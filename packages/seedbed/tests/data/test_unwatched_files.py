"""A folder of files that columns name, and that no stage watches, is named."""

from pathlib import Path

import pandas as pd
import pytest

from seedbed.config.schema import Column
from seedbed.data.unwatched_files import find_unwatched_files


@pytest.mark.parametrize(
    ("deps", "named"),
    [
        (["data/clean", "data/source"], "scan names files in photos, and"),
        (["data/source/a", "photos"], None),
        (["data/clean"], "scan names files in data/source/a, photos, and"),
    ],
)
def test_folders_that_featurize_does_not_depend_on_are_named(
    deps: list[str], named: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("dvc.yaml").write_text(f"stages: {{featurize: {{deps: {deps}}}}}", encoding="utf-8")
    paths = ["data/source/a/1.png", "photos/2.png", None, "./photos/3.png"]
    files = pd.Series(paths, dtype="str")
    rows = pd.DataFrame({"scan": files, "kind": files})
    columns = {"scan": Column(role="feature", type="image"), "kind": Column(role="other")}
    found = find_unwatched_files(rows, columns)
    assert len(found) == (named is not None)
    assert named is None or named in found[0]
