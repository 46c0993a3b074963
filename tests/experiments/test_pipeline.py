"""What a sweep uses of DVC's Python class does what the command line does, to the byte of dvc.lock.

The class is not documented as public: where a new version of DVC breaks one of these, the sweep is broken too.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dvc.dvcfile
import pytest
import yaml
from dvc.repo import Repo

from seedbed.errors import UserError
from seedbed.experiments.pipeline import Pipeline, ancestors, lock_files_read_in_c, split_lock, upstream_key

from support import REPOSITORY, Project

STAGES = {
    "clean": {
        "cmd": "mkdir -p data/clean && cp raw.txt data/clean/rows.txt && echo clean >> ran",
        "deps": ["raw.txt"],
        "params": ["cleaning"],
        "outs": ["data/clean"],
    },
    "featurize": {
        "cmd": ["cat data/clean/rows.txt > features.txt", "echo featurize >> ran"],
        "deps": ["data/clean"],
        "outs": ["features.txt"],
    },
    "train": {
        "cmd": "cat features.txt params.yaml > model.txt && cp params.yaml train.json && echo train >> ran",
        "deps": ["features.txt"],
        "params": ["train.rate", "words"],
        "outs": ["model.txt"],
        "metrics": [{"train.json": {"cache": False}}],
    },
    "evaluate": {
        "cmd": "mkdir -p predictions && cp model.txt predictions/a && cp params.yaml evaluate.json && echo 1 > plot.csv && echo evaluate >> ran",
        "deps": ["model.txt", "features.txt"],
        "outs": ["predictions"],
        "metrics": [{"evaluate.json": {"cache": False}}],
        "plots": [{"plot.csv": {"cache": False}}],
    },
    "gate": {
        "cmd": "cp evaluate.json gate.json && echo gate >> ran",
        "deps": ["evaluate.json"],
        "metrics": [{"gate.json": {"cache": False}}],
    },
    "explore": {
        "cmd": "cp raw.txt explored.json && echo explore >> ran",
        "deps": ["raw.txt"],
        "metrics": [{"explored.json": {"cache": False}}],
    },
}
PARAMS: dict[str, Any] = {
    "cleaning": {"strip": True, "missing": ["", "NA", "no"], "since": "2013-01-01"},
    "train": {"rate": 0.1, "depth": None},
    "words": "größer: \"quoted\" 'twice' # no comment\nand a second line",
    "seed": 1,
}
Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose graph has run once, all committed."""
    root = tmp_path_factory.mktemp("pipeline") / "root"
    root.mkdir()
    project = Project(root)
    project.git("init", "--quiet", "--initial-branch=main")
    project.git("config", "user.name", "Tester")
    project.git("config", "user.email", "tester@example.org")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setenv("DVC_SITE_CACHE_DIR", str(root.parent / "site"))
        Repo.init(str(root)).close()
        (root / "raw.txt").write_text("1\n2\n")
        (root / ".gitignore").write_text("/ran\n/data\n/features.txt\n/model.txt\n/predictions\n")
        (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": STAGES}, sort_keys=False))
        write_params(root)
        with Repo(str(root)) as repo:
            repo.reproduce()
    assert sorted(ran(root)) == sorted(STAGES)
    (root / "ran").unlink()
    project.commit("begin")
    return root


@pytest.fixture
def root(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, in which this process works."""
    copied = tmp_path / "root"
    shutil.copytree(template, copied, symlinks=True)
    monkeypatch.chdir(copied)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    return copied


def write_params(root: Path, change: Change = lambda values: None) -> None:
    values = json.loads(json.dumps(PARAMS))
    change(values)
    (root / "params.yaml").write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")


def another_rate(values: dict[str, Any]) -> None:
    values["train"]["rate"] = 1e-05


def another_cleaning(values: dict[str, Any]) -> None:
    values["cleaning"]["since"] = None


def no_words(values: dict[str, Any]) -> None:
    values["words"] = ""


def another_seed(values: dict[str, Any]) -> None:
    values["seed"] = 2


def ran(root: Path) -> list[str]:
    """The stages that have run since the copy was made."""
    return (root / "ran").read_text().split() if (root / "ran").exists() else []


def lock(root: Path) -> str:
    return (root / "dvc.lock").read_text(encoding="utf-8")


def entries(root: Path) -> dict[str, str]:
    return split_lock(lock(root))[1]


@pytest.mark.parametrize(
    ("stage", "expected"),
    [("clean", []), ("train", ["featurize"]), ("evaluate", ["featurize", "train"]), ("gate", ["evaluate"])],
)
def test_a_stage_knows_what_comes_right_before_it(root: Path, stage: str, expected: list[str]) -> None:
    assert Pipeline(root).before(stage) == expected


def test_what_the_cache_holds_is_brought_back_and_the_rest_left_out(root: Path) -> None:
    (root / "model.txt").unlink()
    (root / "data/clean/rows.txt").unlink()
    (root / "features.txt").unlink()
    (root / "features.txt").write_text("something else")
    lost = yaml.safe_load(lock(root))["stages"]["evaluate"]["outs"]
    shutil.rmtree(root / "predictions")
    (listing,) = [out["md5"] for out in lost if out["path"] == "predictions"]
    (root / ".dvc/cache/files/md5" / listing[:2] / listing[2:]).unlink()
    Pipeline(root).restore()
    assert (root / "model.txt").read_text().startswith("1\n2\n")
    assert (root / "data/clean/rows.txt").read_text() == "1\n2\n"
    assert (root / "features.txt").read_text() == "1\n2\n"
    assert not (root / "predictions/a").exists()


def test_where_nothing_has_changed_nothing_runs(root: Path) -> None:
    before = lock(root)
    Pipeline(root).reproduce("train")
    assert ran(root) == []
    assert lock(root) == before


@pytest.mark.parametrize(
    ("change", "stages"),
    [(another_rate, ["train"]), (another_cleaning, ["clean"]), (another_seed, [])],
)
def test_only_what_has_changed_runs_up_to_the_target(root: Path, change: Change, stages: list[str]) -> None:
    write_params(root, change)
    Pipeline(root).reproduce("train")
    assert ran(root) == stages


def test_what_ran_once_is_taken_from_the_cache_of_runs(root: Path) -> None:
    pipeline = Pipeline(root)
    write_params(root, another_rate)
    pipeline.reproduce("train")
    changed = (root / "model.txt").read_text()
    write_params(root)
    pipeline = Pipeline(root)
    pipeline.reproduce("train")
    assert ran(root) == ["train"]
    assert (root / "model.txt").read_text() != changed


def test_a_failed_stage_is_told_in_one_paragraph(root: Path) -> None:
    stages = {**STAGES, "train": {**STAGES["train"], "cmd": "exit 3"}}
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    usual = dvc.dvcfile.modify_yaml
    with pytest.raises(UserError, match=r"failed to reproduce 'train': .*exit 3.* 3$"):
        Pipeline(root).reproduce("train")
    assert dvc.dvcfile.modify_yaml is usual


def by_dvc(root: Path, *stages: str) -> None:
    with Repo(str(root)) as repo:
        repo.reproduce(targets=list(stages))


def by_us(root: Path, *stages: str) -> None:
    Pipeline(root).reproduce(*stages)


def leading_there(root: Path, *stages: str) -> None:
    pipeline = Pipeline(root)
    with pipeline.only_what_leads_to(stages[0]):
        pipeline.reproduce(*pipeline.before(stages[0]))
        pipeline.reproduce(*stages)


@pytest.mark.parametrize("way", [by_us, leading_there])
@pytest.mark.parametrize("change", [another_rate, another_cleaning, no_words])
@pytest.mark.parametrize("target", ["train", "evaluate"])
def test_dvc_lock_is_what_dvc_would_have_written(
    template: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: Any, change: Change, target: str
) -> None:
    write_params(root, change)
    way(root, target)
    other = tmp_path / "other"
    shutil.copytree(template, other, symlinks=True)
    monkeypatch.chdir(other)
    write_params(other, change)
    by_dvc(other, target)
    assert lock(root) == lock(other) != lock(template)
    assert ran(root) == ran(other)


def test_the_first_dvc_lock_is_what_dvc_would_have_written(
    template: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "dvc.lock").unlink()
    Pipeline(root).reproduce("train")
    other = tmp_path / "other"
    shutil.copytree(template, other, symlinks=True)
    (other / "dvc.lock").unlink()
    monkeypatch.chdir(other)
    by_dvc(other, "train")
    assert lock(root) == lock(other)


def test_dvc_writes_its_locks_by_the_function_that_is_replaced() -> None:
    usual = dvc.dvcfile.modify_yaml
    with pytest.raises(ValueError, match="no"), lock_files_read_in_c():
        assert dvc.dvcfile.modify_yaml is not usual
        raise ValueError("no")
    assert dvc.dvcfile.modify_yaml is usual


def test_entries_that_are_not_needed_are_gone_only_for_a_while(root: Path) -> None:
    before = lock(root)
    pipeline = Pipeline(root)
    with pipeline.only_what_leads_to("train"):
        assert list(entries(root)) == [
            name for name in split_lock(before)[1] if name in ("clean", "featurize", "train")
        ]
        pipeline.reproduce("train")
        assert ran(root) == []
    assert lock(root) == before


def test_figures_of_another_model_are_taken_away(root: Path) -> None:
    before = entries(root)
    write_params(root, another_rate)
    pipeline = Pipeline(root)
    pipeline.reproduce("train")
    assert sorted(pipeline.forget_what_no_longer_belongs("train")) == ["evaluate", "gate"]
    for name in ("evaluate.json", "gate.json"):
        assert (root / name).read_text() == "{}\n", "an empty cell in `dvc exp show`, no error"
    assert not (root / "plot.csv").exists()
    assert (root / "train.json").read_text() == (root / "params.yaml").read_text()
    after = entries(root)
    assert after["explore"] == before["explore"], "a stage that reads nothing of the model keeps its report"
    assert (root / "explored.json").read_text() == "1\n2\n"
    hashes = [out["md5"] for name in ("evaluate", "gate") for out in yaml.safe_load(before[name])[name]["outs"]]
    assert not [md5 for md5 in hashes if md5 in lock(root)]
    by_dvc(root)
    assert ran(root) == ["train", "evaluate", "gate"], "who takes the experiment runs what is left"


def test_what_belongs_stays(root: Path) -> None:
    before = lock(root)
    pipeline = Pipeline(root)
    pipeline.reproduce("train")
    assert pipeline.forget_what_no_longer_belongs("train") == []
    assert lock(root) == before
    assert (root / "gate.json").read_text() == (root / "params.yaml").read_text()


@pytest.mark.parametrize(
    ("text", "head", "names"),
    [
        ("", "", []),
        ("schema: '2.0'\n", "schema: '2.0'\n", []),
        ("schema: '2.0'\nstages:\n", "schema: '2.0'\nstages:\n", []),
        (
            "schema: '2.0'\nstages:\n  a:\n    cmd: x\n  b@c-1:\n    cmd: y\n",
            "schema: '2.0'\nstages:\n",
            ["a", "b@c-1"],
        ),
        ("stages:\n  a:\n    cmd:\n    - 'x:'\n    - y\n    params:\n      p:\n        q:\n", "stages:\n", ["a"]),
    ],
)
def test_a_lock_is_split_into_its_entries(text: str, head: str, names: list[str]) -> None:
    found, parts = split_lock(text)
    assert (found, list(parts)) == (head, names)
    assert found + "".join(parts.values()) == text


@pytest.mark.parametrize("of", ["this repository", "a small one"])
def test_each_entry_is_that_of_its_stage(template: Path, of: str) -> None:
    text = (REPOSITORY / "dvc.lock" if of == "this repository" else template / "dvc.lock").read_text(encoding="utf-8")
    head, parts = split_lock(text)
    assert head + "".join(parts.values()) == text
    whole = yaml.safe_load(text)["stages"]
    assert {name: yaml.safe_load(part)[name] for name, part in parts.items()} == whole


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("clean", set()),
        ("train", {"clean", "featurize"}),
        ("gate", {"clean", "featurize", "train", "evaluate"}),
        ("explore", set()),
    ],
)
def test_all_that_leads_to_a_stage(template: Path, stage: str, expected: set[str]) -> None:
    assert ancestors(template, stage) == expected


def test_what_leads_to_train_is_what_dvc_says(monkeypatch: pytest.MonkeyPatch) -> None:
    import networkx

    monkeypatch.chdir(REPOSITORY)
    with Repo(str(REPOSITORY)) as repo:
        graph = repo.index.graph
        target = next(stage for stage in graph if stage.addressing == "train")
        expected = {stage.addressing for stage in networkx.descendants(graph, target)}
    # A job writes params.yaml itself, so what DVC reads from it is not counted as coming from `compose`.
    assert ancestors(REPOSITORY, "train") == expected - {"compose"} != set()


def key(root: Path, change: Change = lambda values: None, target: str = "train", tree: str = "t" * 40) -> str:
    write_params(root, change)
    return upstream_key(root, target, (root / "params.yaml").read_text(encoding="utf-8"), tree)


@pytest.mark.parametrize("change", [another_rate, another_seed, no_words])
def test_jobs_that_differ_in_the_target_alone_share_what_is_before_it(root: Path, change: Change) -> None:
    assert key(root, change) == key(root)


def test_what_decides_what_is_before_the_target_decides_the_key(root: Path) -> None:
    keys = [
        key(root),
        key(root, another_cleaning),
        key(root, lambda values: values["cleaning"].update(strip=False)),
        key(root, lambda values: values.pop("cleaning")),
        key(root, tree="u" * 40),
        key(root, another_rate, target="evaluate"),
    ]
    assert len(set(keys)) == len(keys)
    assert key(root, lambda values: values.update(cleaning=dict(reversed(values["cleaning"].items())))) == keys[0]
