"""What the tests share: the project, run once on a sample."""

import pytest

from sample_run import SampleRun


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> SampleRun:
    """The project, with the whole graph run on a sample; not to be changed."""
    return SampleRun(tmp_path_factory.mktemp("sample") / "project")
