"""What is archived is named after its tag; a tag that is not of the commit at hand, or not of the model, is refused."""

import subprocess
from pathlib import Path

import pytest

from seedbed.errors import UserError
from seedbed.registry.archiving import archive


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository of two commits: model@v1.0.0 is the first, model@v2.0.0 the second."""

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True)

    git("init", "--quiet")
    for version in ("model@v1.0.0", "model@v2.0.0"):
        git("commit", "--quiet", "--allow-empty", "-m", version)
        git("tag", "--annotate", "-m", version, version)
    return tmp_path


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ("v1.0.0", "'v1.0.0' is no tag of the model"),
        ("other@v1.0.0", "'other@v1.0.0' is no tag of the model"),
        ("--help", "'--help' is no tag of the model"),
        (
            "model@v1.0.0",
            r"model@v1\.0\.0 is of commit [0-9a-f]{7}, and [0-9a-f]{7} is checked out",
        ),
        ("model@v3.0.0", r"model@v3\.0\.0 is no tag here"),
        ("model@v2.0.0", r"this commit has no models/champion\.dvc.*`seedbed promote`"),
    ],
)
def test_what_cannot_be_archived_is_refused(root: Path, tag: str, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        archive(root, tag, root / "dist")
    assert not (root / "dist").exists()


def test_a_tag_that_ends_the_use_of_a_model_has_no_archive(root: Path) -> None:
    said = archive(root, "model#production!#2", root / "dist")
    assert said == "model#production!#2 puts nothing to use, so there is nothing to archive."
