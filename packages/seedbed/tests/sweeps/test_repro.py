"""What `seedbed repro` imports beforehand is used for a stage only while nobody has edited the code."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedbed.sweeps import zygote_client
from seedbed.sweeps.repro import own_files
from seedbed.sweeps.zygote import Zygote

from support import REPOSITORY, wait_for

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere stages start as they always do"
)

PACKAGE = "packages/seedbed/src/seedbed"
STAGE = """
import sys

kept = "seedbed.config.compose" in sys.modules
from seedbed import pages
from seedbed.stages import stage


@stage
def say():
    print(kept, getattr(pages, "EDITED", "as it was"))
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copytree(
        REPOSITORY / PACKAGE, tmp_path / PACKAGE, ignore=shutil.ignore_patterns("__pycache__")
    )
    stages = tmp_path / "src/project/stages"
    stages.mkdir(parents=True)
    (stages.parent / "__init__.py").touch()
    (stages / "say.py").write_text(STAGE)
    shutil.copy(REPOSITORY / "params.yaml", tmp_path)
    return tmp_path


@pytest.fixture
def environment(checkout: Path) -> Iterator[dict[str, str]]:
    zygote = Zygote(checkout, ("-m", "seedbed.sweeps.repro"))
    yield {**os.environ, **zygote.environment}
    zygote.close()


def say(root: Path, environment: dict[str, str]) -> str:
    """Whether the stage found modules that were imported beforehand, and what it found in one."""
    command = [sys.executable, "-I", "-S", zygote_client.__file__, "say"]
    done = subprocess.run(
        command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.strip()


def wait_for_imports(root: Path, environment: dict[str, str]) -> None:
    wait_for(lambda: say(root, environment) == "True as it was", "nothing was imported beforehand")


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (f"{PACKAGE}/pages.py", "False as edited"),
        (f"{PACKAGE}/another.py", "False as it was"),
        (f"{PACKAGE}/pages.css", "False as it was"),
        ("src/project/helpers.py", "False as it was"),
    ],
)
def test_all_code_is_read_anew_once_any_was_edited(
    checkout: Path, environment: dict[str, str], file: str, said: str
) -> None:
    wait_for_imports(checkout, environment)
    with (checkout / file).open("a") as edited:
        edited.write('\nEDITED = "as edited"\n')
    assert say(checkout, environment) == said


def test_all_code_is_read_anew_once_a_file_is_gone(
    checkout: Path, environment: dict[str, str]
) -> None:
    wait_for_imports(checkout, environment)
    (checkout / PACKAGE / "py.typed").unlink()
    assert say(checkout, environment) == "False as it was"


def test_an_edit_is_seen_where_seedbed_is_not_in_the_project(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "src"
    (checkout / PACKAGE).parent.rename(elsewhere)
    monkeypatch.setenv("PYTHONPATH", str(elsewhere))
    program = f"import runpy, sys\nsys.path.insert(0, {str(elsewhere)!r})\n"
    program += "runpy.run_module('seedbed.sweeps.repro', run_name='__main__')"
    zygote = Zygote(checkout, ("-c", program))
    environment = {**os.environ, **zygote.environment}
    try:
        wait_for_imports(checkout, environment)
        with (elsewhere / "seedbed/pages.py").open("a") as edited:
            edited.write('\nEDITED = "as edited"\n')
        assert say(checkout, environment) == "False as edited"
    finally:
        zygote.close()


def test_code_that_changes_while_it_is_looked_at_is_as_if_edited(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_folder: Path, _pattern: str) -> Iterator[Path]:
        raise FileNotFoundError
        yield

    assert own_files(checkout)
    monkeypatch.setattr(Path, "rglob", gone)
    assert own_files(checkout) is None


def test_code_elsewhere_is_not_what_was_imported(
    checkout: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    wait_for_imports(checkout, environment)
    other = tmp_path_factory.mktemp("other") / "copy"
    shutil.copytree(checkout, other, ignore=shutil.ignore_patterns("zygote"))
    assert say(other, environment) == "False as it was"
