"""What the tests share: the project, run once on a sample."""

import pytest
from filelock import FileLock

from sample_run import SampleRun


@pytest.fixture(scope="session")
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SampleRun:
    """The project, with the whole graph run on a sample; not to be changed."""
    folder = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):
        folder = folder.parent  # which the workers share: one makes the run, the others wait for it
    sample, done = SampleRun(folder / "sample"), folder / "sample.done"
    with FileLock(folder / "sample.lock"):
        if not done.exists():
            sample.make()
            done.touch()
    return sample
