"""A bundle brings the project's own code, and two bundles never use each other's."""

import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace

import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from seedbed.config.extensions import Registry
from seedbed.data.tables import read_table
from seedbed.errors import UserError
from seedbed.files import write_json, write_text
from seedbed.models.features import feature_frame
from seedbed.models.serialization import dump_pipeline, installed_packages, load_pipeline
from seedbed.serving import load_bundle
from seedbed.serving.code import ProjectCode
from seedbed.serving.packaging import write_bundle

MODULES = {
    "__init__": '"""A project."""\n',
    "models": """
        from sklearn.base import BaseEstimator, RegressorMixin
        from churn.helpers import answer

        class Constant(RegressorMixin, BaseEstimator):
            def fit(self, X, y=None):
                self.fitted_ = True
                return self

            def predict(self, X):
                from churn.late import also
                return answer(len(X)) + also()
        """,
    "helpers": """
        import numpy as np

        def answer(rows):
            return np.full(rows, {value})
        """,
    "late": "def also():\n    return 0.5\n",
    "stages": "raise RuntimeError('no part of a bundle')\n",
}
Built = Callable[[str], Path]
Make = Callable[[float], Path]


def forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "churn"]:
        del sys.modules[name]


@pytest.fixture
def project(built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Return a function that makes the project `churn`, whose estimator always says one number.

    It leaves the project's folder as the working directory, its code importable, and a bundle there.
    """
    example = load_bundle(built("diabetes") / "models/bundle")
    recipe, seen = example.recipe, example.seen
    features = read_table(built("diabetes") / "data/features")
    train = read_table(built("diabetes") / "data/clean")

    def make(value: float) -> Path:
        root = tmp_path / f"project {value}"
        settings = '[tool.seedbed]\npackage = "churn"\ntrusted = ["a.B"]\n'
        write_text(root / "pyproject.toml", settings)
        shutil.copy(built("diabetes") / "requirements.lock", root)
        for name, text in MODULES.items():
            write_text(root / f"src/churn/{name}.py", dedent(text).replace("{value}", str(value)))
        monkeypatch.chdir(root)
        monkeypatch.syspath_prepend(root / "src")
        forget()
        pipeline = Pipeline([("estimator", importlib.import_module("churn.models").Constant())])
        pipeline.fit(feature_frame(features, recipe.decision.features))
        dump_pipeline(pipeline, root / "model/pipeline.skops")
        write_json(root / "model/packages.json", installed_packages())
        write_bundle(
            root / "bundle",
            recipe,
            model=root / "model",
            metrics={},
            card="",
            seen=seen,
            train=train,
            validation=train,
        )
        return root

    yield make
    forget()


@pytest.fixture
def rows(built: Built) -> pd.DataFrame:
    return read_table(built("diabetes") / "data/raw").head(2)


def test_a_bundle_holds_the_modules_that_predicting_imports_and_no_others(project: Make) -> None:
    bundle = project(1.0) / "bundle"
    found = sorted(file.name for file in (bundle / "code").rglob("*.*"))
    assert found == ["__init__.py", "helpers.py", "late.py", "models.py"]
    about = json.loads((bundle / "bundle.json").read_text())
    assert "code/churn/models.py" in about["files"]
    assert about["project"] == {"package": "churn", "targets": [], "trusted": ["a.B"]}


def test_it_loads_and_predicts_where_the_project_is_not_installed(
    project: Make, rows: pd.DataFrame, tmp_path: Path
) -> None:
    bundle = Path(shutil.move(project(2.0) / "bundle", tmp_path / "served"))
    rows.to_parquet(tmp_path / "rows.parquet")
    code = (
        "import sys, pandas as pd; from seedbed.serving import load_bundle;"
        f"rows = pd.read_parquet({str(tmp_path / 'rows.parquet')!r});"
        f"print(load_bundle({str(bundle)!r}).predict(rows)['prediction'].tolist());"
        "print([name for name in sys.modules if name.startswith('churn')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["[2.5, 2.5]", "[]"]
    assert not list(bundle.rglob("__pycache__")), "a bundle is as it was packaged"


def test_two_bundles_and_the_working_directory_are_not_mixed_up(
    project: Make, rows: pd.DataFrame
) -> None:
    first, second = project(1.0), project(2.0)
    here = importlib.import_module("churn.models")
    bundles = {1.5: load_bundle(first / "bundle"), 2.5: load_bundle(second / "bundle")}
    for _ in range(2):
        for value, bundle in bundles.items():
            assert bundle.predict(rows)["prediction"].tolist() == [value, value]
    assert sys.modules["churn.models"] is here
    assert load_pipeline(second / "model/pipeline.skops")["estimator"].__class__ is here.Constant


def test_changed_code_is_refused_and_not_run(project: Make) -> None:
    bundle = project(1.0) / "bundle"
    mark = bundle.parent / "ran"
    write_text(bundle / "code/churn/helpers.py", f"open({str(mark)!r}, 'w')\n")
    with pytest.raises(UserError, match=r"helpers\.py is not the file that was packaged"):
        load_bundle(bundle)
    assert not mark.exists()


def test_code_that_cannot_be_imported_is_named(
    project: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = project(1.0) / "bundle"
    monkeypatch.setitem(sys.modules, "sklearn.base", None)
    message = r"churn\.models, which the bundle brings, cannot be imported"
    with pytest.raises(UserError, match=message):
        load_bundle(bundle)


def test_a_type_of_another_package_is_refused_until_it_is_listed(project: Make) -> None:
    root = project(1.0)
    write_text(root / "pyproject.toml", '[tool.seedbed]\npackage = "another"\n')
    with pytest.raises(
        UserError, match=r"holds churn\.models\.Constant.*`trusted` under \[tool\.seedbed\]"
    ):
        load_pipeline(root / "model/pipeline.skops")
    write_text(root / "pyproject.toml", '[tool.seedbed]\ntrusted = ["churn.models.Constant"]\n')
    assert load_pipeline(root / "model/pipeline.skops")["estimator"].fitted_


def test_what_a_bundle_registers_is_known_to_it_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = Registry[Callable[[], int]]("kind", "features")
    monkeypatch.setitem(sys.modules, "kinds", SimpleNamespace(kinds=kinds))
    found = []
    for number in (1, 2):
        text = f"""
            from kinds import kinds
            def number():
                return {number}
            kinds.add('number', number, number)
            """
        files = {"churn/__init__.py": b"", "churn/features.py": dedent(text).encode()}
        with ProjectCode("churn", tmp_path, files).registered():
            found.append(kinds.find("number"))
    assert [function() for function in found] == [1, 2]
    assert kinds.find("number") is None
    Registry.everywhere.remove(kinds)
