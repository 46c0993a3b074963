"""What becomes of params.yaml when conf/, an experiment or a person changed something."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seedbed.config.compose import compose_anew, compose_text, update_params
from seedbed.config.overrides import OVERRIDES, Overrides, read_overrides
from seedbed.config.yaml_files import flatten, load_yaml
from seedbed.errors import UserError

Run = Callable[..., dict[str, Any]]
PLAIN: dict[str, str] = {}
EXPERIMENT = {"DVC_EXP_NAME": "some-name"}


def params(root: Path) -> dict[str, Any]:
    return load_yaml(root / "params.yaml")


def edit_conf(root: Path, text: str = "seed: 5") -> None:
    file = root / "conf/config.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("seed: 0", text), encoding="utf-8")


def commit(root: Path, *files: str) -> None:
    subprocess.run(["git", "add", *files], cwd=root, check=True)
    name = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org"]
    subprocess.run(["git", *name, "commit", "--quiet", "-m", "keep"], cwd=root, check=True)


def test_without_params_they_are_composed(root: Path) -> None:
    assert update_params(root, PLAIN) == "params.yaml was composed from conf/"
    assert (root / "params.yaml").read_text(encoding="utf-8") == compose_text(root)
    assert read_overrides(root) == Overrides(params(root)["conf_hash"], {}, {})


def test_params_that_git_has_are_not_made_anew(root: Path) -> None:
    compose_anew(root)
    commit(root, "params.yaml")
    (root / "params.yaml").unlink()
    with pytest.raises(UserError, match=r"git checkout params\.yaml"):
        update_params(root, PLAIN)
    assert not (root / "params.yaml").exists()


def test_params_in_step_stay_as_they_are(root: Path) -> None:
    compose_anew(root)
    before = (root / "params.yaml").read_bytes()
    assert update_params(root, PLAIN) == "params.yaml is in step with conf/"
    assert (root / "params.yaml").read_bytes() == before


def test_an_edit_of_conf_is_composed(root: Path) -> None:
    compose_anew(root)
    edit_conf(root)
    assert update_params(root, PLAIN) == "params.yaml was composed from conf/"
    assert params(root)["seed"] == 5


@pytest.mark.parametrize("environment", [PLAIN, EXPERIMENT])
def test_what_an_experiment_brought_in_stays_and_is_recorded(
    root: Path, run_experiment: Run, environment: dict[str, str]
) -> None:
    run_experiment("seed=3", "~gate.thresholds.roc_auc")
    before = (root / "params.yaml").read_bytes()
    assert update_params(root, environment) == "params.yaml is in step with conf/"
    assert (root / "params.yaml").read_bytes() == before
    recorded = read_overrides(root)
    assert recorded is not None
    assert str(recorded) == "gate.thresholds={}, seed=3, ~gate.thresholds.roc_auc"


def test_an_edit_of_conf_never_drops_what_an_experiment_brought_in(
    root: Path, run_experiment: Run
) -> None:
    run_experiment("seed=3", "split.folds=2")
    edit_conf(root, "seed: 5")
    with pytest.raises(UserError, match=r"seed=3, split\.folds=2|split\.folds=2, seed=3") as error:
        update_params(root, PLAIN)
    for way in ("seedbed adopt", "dvc exp run -S", "seedbed compose --reset"):
        assert way in str(error.value)
    assert params(root)["seed"] == 3
    compose_anew(root)
    assert params(root)["seed"] == 5


@pytest.mark.parametrize("environment", [EXPERIMENT, PLAIN])
def test_a_refused_value_of_an_experiment_names_the_way_back(
    root: Path, environment: dict[str, str]
) -> None:
    compose_anew(root)
    # DVC leaves it there, and the next `dvc repro` meets it.
    (root / "params.yaml").write_text(compose_text(root, ["seed=early"]), encoding="utf-8")
    with pytest.raises(UserError, match=r"seed is 'early'.*correct the -S override") as error:
        update_params(root, environment)
    assert "`git checkout params.yaml` drops it" in str(error.value)


@pytest.mark.parametrize("variable", ["DVC_EXP_NAME", "SEEDBED_SLOT"])
def test_inside_an_experiment_params_are_never_rewritten(root: Path, variable: str) -> None:
    compose_anew(root)
    before = (root / "params.yaml").read_bytes()
    commit(root, "conf", "params.yaml")
    edit_conf(root)
    with pytest.raises(UserError, match="comes from --no-hydra"):
        update_params(root, {variable: "x"})
    assert (root / "params.yaml").read_bytes() == before


@pytest.mark.parametrize("ignored", ["", "mine.yaml\n"])
def test_inside_an_experiment_untracked_choices_are_named(root: Path, ignored: str) -> None:
    compose_anew(root)
    (root / ".gitignore").write_text(ignored, encoding="utf-8")
    commit(root, "conf", "params.yaml")
    (root / "conf/model/mine.yaml").write_text("name: mine\n", encoding="utf-8")
    (root / "conf/model/.#mine.yaml").write_text("an editor's\n", encoding="utf-8")
    with pytest.raises(
        UserError, match=r"not tracked by Git.*: conf/model/mine\.yaml\. Run `git add`"
    ):
        update_params(root, EXPERIMENT)


@pytest.mark.parametrize("text", [None, "conf_hash: c0\nchanged: {}\nremoved: {}\n"])
def test_overrides_of_another_params_file_decide_nothing(root: Path, text: str | None) -> None:
    compose_anew(root)
    edit_conf(root)
    (root / OVERRIDES).unlink()
    if text:
        (root / OVERRIDES).write_text(text, encoding="utf-8")
    with pytest.raises(
        UserError,
        match=f"{OVERRIDES} does not belong to params.yaml.*{'c0' if text else 'missing'}",
    ):
        update_params(root, PLAIN)


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("conf/config.yaml", "defaults:\n  - model: nothing\n", "cannot be composed.*nothing"),
        ("conf/config.yaml", "seed: ${nowhere}\n", "cannot be composed.*nowhere"),
        ("conf/config.yaml", "colour: red\n", "no such key as colour"),
    ],
)
def test_a_conf_that_does_not_compose_is_told_and_params_stay(
    root: Path, file: str, text: str, words: str
) -> None:
    compose_anew(root)
    before = (root / "params.yaml").read_bytes()
    (root / file).write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=words):
        compose_anew(root)
    assert (root / "params.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("nested", "flat"),
    [
        ({"a": {"b": 1, "c": {"d": 2}}}, {"a.b": 1, "a.c.d": 2}),
        ({"a": {}, "b": [1, {"c": 2}]}, {"a": {}, "b": [1, {"c": 2}]}),
        ({"a": None}, {"a": None}),
    ],
)
def test_leaves_by_dotted_key(nested: dict[str, Any], flat: dict[str, Any]) -> None:
    assert flatten(nested) == flat
