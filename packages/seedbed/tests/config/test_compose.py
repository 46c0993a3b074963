"""What becomes of params.yaml when conf/, an experiment or a person changed something."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seedbed.config.compose import compose_anew, compose_text, update_params
from seedbed.config.overrides import OVERRIDES, Overrides, read_overrides
from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError

Run = Callable[..., dict[str, Any]]
PLAIN: dict[str, str] = {}
EXPERIMENT = {"DVC_EXP_NAME": "some-name"}
IN_STEP, COMPOSED = "params.yaml is in step with conf/", "params.yaml was composed from conf/"


def seed(root: Path) -> Any:
    return load_yaml(root / "params.yaml")["seed"]


def write(root: Path, *overrides: str) -> bytes:
    """Write params.yaml as `dvc exp run -S` does; return it."""
    (root / "params.yaml").write_text(compose_text(root, list(overrides)), encoding="utf-8")
    return (root / "params.yaml").read_bytes()


def edit_conf(root: Path) -> None:
    file = root / "conf/config.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("seed: 0", "seed: 5"), "utf-8")


def commit(root: Path, *files: str) -> None:
    name = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org"]
    subprocess.run(["git", "add", *files], cwd=root, check=True)
    subprocess.run(["git", *name, "commit", "--quiet", "-m", "keep"], cwd=root, check=True)


def test_without_params_they_are_composed(root: Path) -> None:
    assert update_params(root, PLAIN) == COMPOSED
    assert (root / "params.yaml").read_text(encoding="utf-8") == compose_text(root)
    found = load_yaml(root / "params.yaml")
    assert read_overrides(root) == Overrides(found["conf_hash"], {}, {})
    edit_conf(root)
    assert update_params(root, PLAIN) == COMPOSED
    assert seed(root) == 5


def test_params_that_git_has_are_not_made_anew(root: Path) -> None:
    compose_anew(root)
    commit(root, "params.yaml")
    (root / "params.yaml").unlink()
    with pytest.raises(UserError, match=r"git checkout params\.yaml"):
        update_params(root, PLAIN)
    assert not (root / "params.yaml").exists()


@pytest.mark.parametrize("environment", [PLAIN, EXPERIMENT])
@pytest.mark.parametrize(
    ("overrides", "recorded"),
    [
        ([], ""),
        (["seed=3", "~gate.thresholds.roc_auc"], "gate.thresholds={}, seed=3, ~gate.thresholds.roc_auc"),
    ],
)  # fmt: skip
def test_params_in_step_stay_and_what_an_experiment_brought_in_is_recorded(
    root: Path, overrides: list[str], recorded: str, environment: dict[str, str]
) -> None:
    before = write(root, *overrides)
    assert update_params(root, environment) == IN_STEP
    assert (root / "params.yaml").read_bytes() == before
    assert str(read_overrides(root)) == recorded


def test_an_edit_of_conf_never_drops_what_an_experiment_brought_in(
    root: Path, run_experiment: Run
) -> None:
    run_experiment("seed=3", "split.folds=2")
    edit_conf(root)
    with pytest.raises(UserError, match=r"seed=3, split\.folds=2|split\.folds=2, seed=3") as error:
        update_params(root, PLAIN)
    for way in ("seedbed adopt", "dvc exp apply", "seedbed compose --reset"):
        assert way in str(error.value)
    assert seed(root) == 3
    compose_anew(root)
    assert seed(root) == 5


@pytest.mark.parametrize("environment", [EXPERIMENT, PLAIN])
def test_a_refused_value_of_an_experiment_names_the_way_back(
    root: Path, environment: dict[str, str]
) -> None:
    write(root, "seed=early")  # DVC leaves it there, and the next `dvc repro` meets it
    with pytest.raises(UserError, match=r"seed is 'early'.*correct the -S override") as error:
        update_params(root, environment)
    assert "`git checkout params.yaml` drops it" in str(error.value)


@pytest.mark.parametrize("variable", ["DVC_EXP_NAME", "SEEDBED_SLOT"])
def test_inside_an_experiment_params_are_never_rewritten(root: Path, variable: str) -> None:
    before = write(root)
    commit(root, "conf", "params.yaml")
    edit_conf(root)
    with pytest.raises(UserError, match="comes from --no-hydra"):
        update_params(root, {variable: "x"})
    assert (root / "params.yaml").read_bytes() == before


@pytest.mark.parametrize("ignored", ["", "mine.yaml\n"])
def test_inside_an_experiment_untracked_choices_are_named(root: Path, ignored: str) -> None:
    write(root)
    (root / ".gitignore").write_text(ignored, encoding="utf-8")
    commit(root, "conf", "params.yaml")
    (root / "conf/model/mine.yaml").write_text("name: mine\n", encoding="utf-8")
    (root / "conf/model/.#mine.yaml").write_text("an editor's\n", encoding="utf-8")
    with pytest.raises(
        UserError, match=r"not tracked by Git.*: conf/model/mine\.yaml\. Run `git add`"
    ):
        update_params(root, EXPERIMENT)


@pytest.mark.parametrize(
    ("text", "found"), [(None, "missing"), ("conf_hash: c0\nchanged: {}\nremoved: {}\n", "c0")]
)
def test_overrides_of_another_params_file_decide_nothing(
    root: Path, text: str | None, found: str
) -> None:
    compose_anew(root)
    edit_conf(root)
    (root / OVERRIDES).unlink()
    if text:
        (root / OVERRIDES).write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=f"{OVERRIDES} does not belong to params.yaml.*{found}"):
        update_params(root, PLAIN)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "defaults:\n  - model: mpl  # fast\n",
            r"there is no conf/model/mpl.yaml \(did you mean mlp\?\)\. Choose one of .*mlp, .* in conf/config.yaml\.$",
        ),
        (
            "defaults:\n  - modl: mlp\n",
            r"no conf/modl/mlp.yaml. Correct the name in conf/config.yaml\.$",
        ),
        ("seed: ${nowhere}\n", "cannot be composed.*nowhere"),
        ("colour: red\n", "no such key as colour"),
    ],
)
def test_params_stay_where_conf_does_not_compose(root: Path, text: str, words: str) -> None:
    before = write(root)
    (root / "conf/config.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=words):
        compose_anew(root)
    assert (root / "params.yaml").read_bytes() == before
