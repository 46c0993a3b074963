"""What `dvc exp show` lists as the table of the page."""

from typing import Any

from board.conftest import BOLD, hang, write
from seedbed.board.experiments import Experiments, read_experiments, tabulate
from seedbed.registry.versions import read_registry

from support import Project


def state(rev: str, moment: str, metrics: dict[str, Any], **params: Any) -> dict[str, Any]:
    files = {"params.yaml": {"data": params}, "code.yaml": {"data": {"train": rev}}}
    found = {"timestamp": moment, "params": files, "metrics": {"train.json": {"data": metrics}}}
    return {"rev": rev, "data": found}


def listed(*experiments: dict[str, Any]) -> Experiments:
    baseline = state("b" * 40, "2026-01-02T00:00:00", {"cv": {"rmse": 2.0}}, seed=0, conf_hash="a")
    named = [{"revs": [found], "name": f"e{n}"} for n, found in enumerate(experiments)]
    return tabulate([{**baseline, "name": "main", "experiments": named}], "rmse")


def values(found: Experiments) -> dict[str, dict[str, Any]]:
    names = [column.name for column in found.columns]
    return {row.name: dict(zip(names, row.cells, strict=True)) for row in found.rows}


def test_figures_come_first_then_what_differs_and_the_newest_row_is_the_first() -> None:
    found = listed(
        state("1", "2026-01-01T00:00:00", {"cv": {"rmse": 1.0, "std": 0.1}}, seed=1, conf_hash="b"),
        state("2", "2026-01-03T00:00:00", {"cv": {"rmse": 3.0}}, seed=1, model={"depth": 3}),
    )
    assert [(column.name, column.metric) for column in found.columns] == [
        ("cv.rmse", True), ("cv.std", True), ("model.depth", False), ("seed", False),
    ]  # fmt: skip
    assert [(row.name, row.kind) for row in found.rows] == [
        ("e1", "experiment"), ("main", "commit"), ("e0", "experiment"),
    ]  # fmt: skip
    assert values(found)["e1"] == {"cv.rmse": 3.0, "cv.std": None, "model.depth": 3, "seed": 1}


def test_of_what_differs_the_model_comes_first() -> None:
    changes = {"dataset": {"sample": 5}, "model": {"depth": 3, "name": "tree"}, "gate": {"x": 1}}
    found = listed(state("1", "2026-01-01T00:00:00", {"cv": {"rmse": 1.0}}, seed=1, **changes))
    names = [column.name for column in found.columns if not column.metric]
    assert names[:2] == ["model.name", "model.depth"]
    assert {"dataset.sample", "gate.x"} <= set(names[2:])


def test_what_dvc_cannot_read_is_a_row_with_its_reason() -> None:
    damaged = {"rev": "1", "data": None, "error": {"msg": "dvc.yaml is no YAML", "type": "E"}}
    found = listed(damaged)
    assert found.rows[-1].problem == "dvc.yaml is no YAML"
    assert values(found)["e0"] == {"cv.rmse": None}, "it makes no parameter differ"


def test_values_are_such_that_json_and_a_script_element_can_hold_them() -> None:
    moment = "2026-01-01T00:00:00"
    odd = state(
        "1", moment, {"cv": {"rmse": float("nan")}}, on=True, text="</script>", many="x" * 500
    )
    found = listed(odd)
    cells = values(found)["e0"]
    assert (cells["cv.rmse"], cells["on"], len(cells["many"])) == ("nan", "True", 201)
    assert "<" not in found.to_json()


def test_experiments_are_read_by_dvc_and_again_when_there_are_others(project: Project) -> None:
    def read() -> Experiments:
        return read_experiments(project.root, read_registry(project.root), "roc_auc")

    found = read()
    assert {name: row["cv.roc_auc"] for name, row in values(found).items()} == {
        "main": 0.7, "mlp-1a": 0.71, "tree-2b": 0.72, BOLD: 0.73,
    }  # fmt: skip
    assert values(found)["mlp-1a"]["model.name"] == "mlp"
    assert found.value(project.git("rev-parse", "HEAD"), "test.roc_auc") == 0.7
    write(project.root, "train.json", {"cv": {"roc_auc": 0.9}})
    project.commit("another")
    hang(project, "new-3c")
    assert values(read())["new-3c"]["cv.roc_auc"] == 0.9
