"""What the tests share: the project, run once on a sample."""

import pytest

from sample_run import SampleRun


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Function]) -> None:
    """Let one worker of `pytest -n` do all tests of the sample's run, which it makes."""
    for item in items if config.pluginmanager.hasplugin("xdist") else []:
        if "project" in item.fixturenames and item.module.__name__.startswith("tests."):
            item.add_marker(pytest.mark.xdist_group("sample"))


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> SampleRun:
    """The project, with the whole graph run on a sample; not to be changed."""
    return SampleRun(tmp_path_factory.mktemp("sample") / "project")
