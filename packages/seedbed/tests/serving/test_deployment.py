"""A bundle brings what serves it: a wheel, a lock, a Dockerfile and compose.yaml that hold to the rules."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from email import message_from_string
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from seedbed.config.lock_file import Entry, entries
from seedbed.config.schema import Column
from seedbed.models.serialization import TRUSTED
from seedbed.serving import load_bundle
from seedbed.serving.deployment import (
    PYTHONS,
    REQUIRES_PYTHON,
    choose_python,
    deployment_files,
    select_packages,
)
from seedbed.serving.own_code import gather_code

from support import REPOSITORY

Built = Callable[[str], Path]
TOOLS = Path(sys.prefix) / "bin"
NOT_SERVED = {"dvc", "hydra-core", "omegaconf", "great-expectations", "matplotlib", "gto", "pytest"}
NOT_SERVED |= {"pillow"}  # no column of flights is an image
LOCK = """\
numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash=sha256:1
    # via pandas
numpy==2.5.5 ; python_full_version >= '3.12' \\
    --hash=sha256:2
pandas==3.1.1 \\
    --hash=sha256:3
pytest==9.0.0 \\
    --hash=sha256:5
uvloop==0.23.0 ; sys_platform != 'win32' \\
    --hash=sha256:6
"""


def recipe_with(**facts: Any) -> Any:
    """What these functions read of a recipe."""
    problem = SimpleNamespace(question=facts.get("question", "Late?"))
    return SimpleNamespace(dataset=facts.get("dataset", "flights"), problem=problem)


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    (tmp_path / "requirements.lock").write_text(LOCK)
    return tmp_path / "requirements.lock"


@pytest.fixture
def wheel(built: Built) -> zipfile.ZipFile:
    (found,) = (built("flights") / "models/bundle/wheels").iterdir()
    return zipfile.ZipFile(found)


def test_the_wheel_holds_what_serves_and_nothing_of_what_trains(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert {"seedbed/py.typed", "seedbed/cli/serving.py", "seedbed/serving/verifying.py"} <= names
    folders = {name.split("/")[1] for name in names if name.count("/") > 1}
    assert folders.isdisjoint({"sweeps", "comparing", "datasets", "registry", "remotes"})
    assert names.isdisjoint({"seedbed/models/training.py", "seedbed/data/validation.py"})
    own = {name.rpartition(".")[0] for name in TRUSTED if name.startswith("seedbed.")}
    assert {f"{name.replace('.', '/')}.py" for name in own} <= names, "types of a pipeline's file"


def test_what_serves_can_be_imported_from_the_wheel_alone(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    wheel.extractall(tmp_path / "site")
    code = (
        "import seedbed.cli.serving, seedbed.serving.http.server, seedbed.serving.scoring.running,"
        "seedbed.serving.http.log_writer;"
        "print(seedbed.__file__)"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))


def test_the_wheel_says_what_it_is_and_needs(wheel: zipfile.ZipFile, built: Built) -> None:
    info = f"{Path(str(wheel.filename)).name.removesuffix('-py3-none-any.whl')}.dist-info"
    about = message_from_string(wheel.read(f"{info}/METADATA").decode())
    assert about["Name"] == "seedbed" and about["Version"].endswith("+serving")
    needed = set(about.get_all("Requires-Dist", []))
    assert {name.partition("==")[0] for name in needed} >= {"pandas", "scikit-learn", "uvicorn"}
    locked = {entry.pin for entry in entries(built("flights") / "models/bundle/requirements.lock")}
    assert {need.partition(" ;")[0] for need in needed} <= locked
    scripts = wheel.read(f"{info}/entry_points.txt").decode()
    assert "seedbed = seedbed.cli.serving:main\n" in scripts
    assert "MIT License" in wheel.read(f"{info}/licenses/LICENSE").decode()


def test_the_lock_pins_what_serving_needs_as_the_project_does(built: Built) -> None:
    root = built("flights")
    whole, part = (
        {entry.name: [] for entry in entries(path)}
        for path in (root / "requirements.lock", root / "models/bundle/requirements.lock")
    )
    assert {
        "numpy",
        "pandas",
        "scikit-learn",
        "scipy",
        "skops",
        "pydantic",
        "uvicorn",
    } <= part.keys()
    assert part.keys().isdisjoint(NOT_SERVED)
    assert len(part) < len(whole) / 5
    pins = {(entry.pin, entry.hashes) for entry in entries(root / "requirements.lock")}
    for entry in entries(root / "models/bundle/requirements.lock"):
        assert (entry.pin, entry.hashes) in pins and entry.hashes
        assert "python" not in entry.marker, "one version for every Python"
    text = (root / "models/bundle/requirements.lock").read_text()
    assert re.search(r"^\./wheels/seedbed-\S+\.whl \\\n    --hash=sha256:[0-9a-f]{64}$", text, re.M)
    assert "://" not in text


def test_columns_of_images_need_pillow(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(built("flights"))
    recipe = load_bundle("models/bundle").recipe
    photo = {**recipe.columns, "photo": Column(role="feature", type="image")}
    code = gather_code(
        Path("models/model/pipeline.skops"), recipe.model_copy(update={"columns": photo}), {}
    )
    assert b"pillow==" in code.files["requirements.lock"]


@pytest.mark.parametrize(("python", "numpy"), [("3.11", "numpy==2.4.6"), ("3.13", "numpy==2.5.5")])
def test_packages_are_those_of_one_python(lock: Path, python: str, numpy: str) -> None:
    found = select_packages(lock, {"numpy", "pandas", "uvloop"}, python)
    requirements = [f"{one.pin} ; {one.marker}".removesuffix(" ; ") for one in found]
    assert requirements == [numpy, "pandas==3.1.1", "uvloop==0.23.0 ; sys_platform != 'win32'"]


@pytest.mark.parametrize(
    ("trained", "expected"),
    [
        ({"numpy": "2.4.6", "pandas": "3.1.1"}, "3.11"),
        ({"numpy": "2.5.5", "pandas": "3.1.1"}, "3.13"),
        ({"pandas": "3.1.1"}, "3.13"),
        ({"numpy": "1.0.0"}, "3.13"),
    ],
)
def test_the_image_has_the_newest_python_with_the_packages_of_training(
    lock: Path, trained: dict[str, str], expected: str
) -> None:
    assert choose_python(lock, trained) == expected


def test_the_pythons_are_those_of_the_package() -> None:
    text = (REPOSITORY / "packages/seedbed/pyproject.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["project"]["requires-python"] == REQUIRES_PYTHON
    lowest, above = re.findall(r"3\.(\d+)", REQUIRES_PYTHON)
    assert [*PYTHONS] == [f"3.{minor}" for minor in range(int(above) - 1, int(lowest) - 1, -1)]


NAMES = {
    "plain": {},
    "quotes, dollars and lines": {"question": 'Is "it" late,\nfor $5 or ${PATH}? \\n'},
    "a name that no image can have": {"dataset": "Größe & Co. 2024"},
    "a name without a letter": {"dataset": "数据", "question": "迟到吗?"},
}


@pytest.mark.parametrize("facts", NAMES.values(), ids=NAMES)
def test_dockerfile_and_compose_file_hold_to_the_rules(
    facts: dict[str, str], tmp_path: Path
) -> None:
    packages = [Entry("pandas", "3.1.1", "pandas==3.1.1", "", ("sha256:3",), ())]
    files = deployment_files(recipe_with(**facts), ("a.whl", b"wheel"), packages, "3.11")
    assert files.keys() == {"wheels/a.whl", "requirements.lock", "Dockerfile", "compose.yaml"}
    for name in ("Dockerfile", "compose.yaml"):
        (tmp_path / name).write_bytes(files[name])
    for command in (
        [TOOLS / "hadolint", "--no-color", "Dockerfile"],
        [TOOLS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"],
    ):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    service = yaml.safe_load(files["compose.yaml"])["services"]["model"]
    assert re.fullmatch("[a-z0-9][a-z0-9-]*", service["image"])
    assert service["read_only"] and service["mem_limit"] and service["healthcheck"]["test"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_the_image_is_slim_not_root_and_builds_nothing(built: Built) -> None:
    text = (built("flights") / "models/bundle/Dockerfile").read_text(encoding="utf-8")
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert len(bases) == 2 and len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+-slim-[a-z]+", bases[0])
    last = text.rpartition("\nFROM ")[2]
    assert not re.search(r"apt-get|\bpip\b|gcc|curl", last)
    (user,) = re.findall(r"^USER (\d+):\d+$", last, re.MULTILINE)
    assert int(user) > 0
    for name in ("ENTRYPOINT", "CMD", "HEALTHCHECK", "LABEL"):
        assert re.search(rf"^{name} ", last, re.MULTILINE), name
    assert not re.search(r"^ *(CMD|ENTRYPOINT) [^\[]", text, re.MULTILINE), "exec form"


def test_an_image_holds_the_bundles_files_and_no_other(built: Built) -> None:
    bundle = built("flights") / "models/bundle"
    everything, *kept = (bundle / ".dockerignore").read_text().splitlines()
    assert everything == "*"
    assert sorted(kept) == sorted(f"!{file.name}" for file in bundle.iterdir())
