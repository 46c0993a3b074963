"""The data of any stage, from any folder of the repository."""

from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient

import seedbed
from seedbed.data.tables import write_table
from seedbed.errors import UserError

REPOSITORY = Path(__file__).parents[3]
NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for folder in (".dvc", "conf", "notebooks/deep"):
        (root / folder).mkdir(parents=True)
    for name in ("raw", "clean", "features"):
        write_table(pd.DataFrame({"name": [name], "number": [1]}), root / "data" / name)
    return root


@pytest.mark.parametrize("folder", [".", "notebooks", "notebooks/deep", "data/raw"])
@pytest.mark.parametrize("name", ["raw", "clean", "features"])
def test_a_stages_data_are_found_from_any_subfolder(
    repository: Path, name: str, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / folder)
    assert seedbed.load(name)["name"].tolist() == [name]


def test_columns_can_be_chosen(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    assert seedbed.load("clean", columns=["number"]).columns.tolist() == ["number"]
    with pytest.raises(UserError, match=r"data/clean has no column colour\. It has name, number"):
        seedbed.load("clean", columns=["colour"])


def test_the_repository_is_the_one_of_the_working_directory(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    (other / ".dvc").mkdir(parents=True)
    (other / "conf").mkdir()
    write_table(pd.DataFrame({"name": ["another"]}), other / "data/raw")
    for folder, name in ((repository, "raw"), (other, "another")):
        monkeypatch.chdir(folder)
        assert seedbed.load("raw")["name"].tolist() == [name]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cleaned", "there is no table 'cleaned'. Choose one of raw, clean, features, predictions"),
        ("predictions", "data/predictions is not there yet. Run `dvc repro evaluate`"),
    ],
)
def test_what_is_not_there_is_told(
    repository: Path, monkeypatch: pytest.MonkeyPatch, name: str, message: str
) -> None:
    monkeypatch.chdir(repository)
    with pytest.raises(UserError, match=message):
        seedbed.load(name)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_numbered_and_stored_without_outputs(path: Path) -> None:
    assert path.name[:3].strip("0123456789") == "-"
    for cell in nbformat.read(path, as_version=4).cells:
        assert not cell.get("outputs") and not cell.get("execution_count")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_on_the_data_of_its_repository(
    project, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(project.root / "src"))
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=120, resources={"metadata": {"path": str(project.root / "notebooks")}}
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert f"{len(pd.read_parquet(project.root / 'data/raw')):,} raw rows" in outputs[0]["text"]
