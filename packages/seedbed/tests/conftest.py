"""What the tests share: a prepared repository, made once, and a copy of it for each test that changes one."""

import gc
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from kafka_broker import Broker
from seedbed.stages import COLLECT_AFTER
from servers import MariaDB, Postgres
from warm import before_tests

from support import LONG, Project, copied, copy_repository, made_once

EXPENSIVE = {
    "experiments": ("explored", "promoted_once", "swept_once"),
    "retraining": ("in_use_once", "accepted_once"),
}
"""Groups of tests by the expensive fixtures that they share."""

settings.register_profile(
    "seedbed",
    max_examples=500 if LONG else 25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("seedbed")
# For the workers of `pytest -n`, which start later: threads that wait by spinning take the other worker's core.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in stages
before_tests()
gc.set_threshold(COLLECT_AFTER)


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the marks
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Keep the tests of expensive fixtures together, for `pytest --dist loadgroup`: no worker waits for another's.

    xdist begins with the largest groups. Then come the tests that take longest, those of whole repositories, and slow ones
    before short ones, so that the workers end together.
    """
    for item in items:
        for group, fixtures in EXPENSIVE.items():
            if not {*fixtures}.isdisjoint(item.fixturenames):
                item.add_marker(pytest.mark.xdist_group(group))
    items.sort(
        key=lambda item: (
            item.get_closest_marker("slow") is None,
            "prepared" not in item.fixturenames,
        )
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
    # Pictures of all columns take a quarter of the time of the graph.
    explore = "src/project/stages/explore.py"
    project.edit(
        explore,
        "from seedbed.data.exp",
        "from seedbed.data import exploring_page\nfrom seedbed.data.exp",
    )
    project.edit(explore, "\n\n@stage", "\nexploring_page.MOST_REPORTED = 2\n\n\n@stage")
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
def mariadb() -> Iterator[MariaDB]:
    """A MariaDB server of this worker; the test is skipped where it is not installed."""
    # The name of a socket may not be long.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        found = MariaDB(Path(folder))
        yield found
        found.kill()


@pytest.fixture(scope="session")
def kafka() -> Iterator[Broker]:
    """A broker of Kafka of this worker."""
    broker = Broker()
    yield broker
    broker.kill()
