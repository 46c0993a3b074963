"""What the tests share: a prepared repository, made once, and a copy of it for each test that changes one."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from kafka_broker import Broker
from servers import Postgres

from support import LONG, Project, copied, copy_repository, made_once

EXPENSIVE = ("explored", "promoted_once", "swept_once", "in_use_once", "accepted_once")

settings.register_profile(
    "seedbed",
    max_examples=500 if LONG else 25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("seedbed")
# For the workers of `pytest -n`, which start later: threads that wait by spinning take the other worker's core.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the marks
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Keep the tests of expensive fixtures together, for `pytest --dist loadgroup`: no worker waits for another's.

    This group comes first, being the largest, and makes the repository that most of the long tests copy, while the other workers
    do tests without it. Slow tests come before short ones, so that the workers end together.
    """
    for item in items:
        if any(name in item.fixturenames for name in EXPENSIVE):
            item.add_marker(pytest.mark.xdist_group("expensive"))
    items.sort(
        key=lambda item: (item.get_closest_marker("slow") is None, "prepared" in item.fixturenames)
    )


@pytest.fixture(scope="session")
def shared_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this test session share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if hasattr(request.config, "workerinput") else base


@pytest.fixture(scope="session")
def prepared(shared_folder: Path) -> Path:
    """A repository with the whole graph run on a few thousand flights; only to be copied."""
    return made_once(shared_folder, "prepared", _prepare)


def _prepare(target: Path) -> None:
    target.mkdir()
    project = copy_repository(target)
    (target / "conf/experiment/tiny.yaml").write_text(
        "# @package _global_\n# The whole graph on 4,000 flights\ndefaults:\n  - override /evaluation: quick\n"
        "dataset:\n  sample: 4000\ngate:\n  thresholds: {roc_auc: 0.0}\n  better_than_baseline: false\n",
        encoding="utf-8",
    )
    project.edit("conf/config.yaml", "  - _self_\n", "  - _self_\n  - experiment: tiny\n")
    project.edit("conf/model/hist_gradient_boosting.yaml", "max_iter: ", "max_iter: 20  # not ")
    project.run("seedbed", "compose", "--reset")
    project.dvc("repro")
    project.commit("run on a few thousand flights")
    project.git("repack", "-adq")  # one file to copy and not hundreds


@pytest.fixture
def project(prepared: Path, tmp_path: Path) -> Project:
    """A copy of the prepared repository: nothing to run, everything committed."""
    return copied(prepared, tmp_path / "project")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this worker."""
    # Not below pytest's folder, which other sessions of pytest close to PostgreSQL's own user.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        found = Postgres(Path(folder) / "data")
        yield found
        if found.is_running():
            found.kill()


@pytest.fixture(scope="session")
def kafka() -> Iterator[Broker]:
    """A broker of Kafka of this worker."""
    broker = Broker()
    yield broker
    broker.kill()
