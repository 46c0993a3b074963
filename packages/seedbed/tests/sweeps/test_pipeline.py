"""What a sweep uses of DVC's Python class does what the command line does, to the byte of dvc.lock.

The class is not documented as public: where a new version of DVC breaks one of these, the sweep is broken too.
"""

import shutil
import signal
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import dvc.dependency.param
import dvc.dvcfile
import dvc.rwlock
import dvc.stage.run
import dvc.utils.serialize._yaml
import dvc.utils.strictyaml
import pytest
import yaml
from dvc.repo import Repo

from seedbed.errors import UserError
from seedbed.sweeps.dvc_yaml import yaml_parsed_once
from seedbed.sweeps.jobs import FIRST, TARGET
from seedbed.sweeps.pipeline import Pipeline
from small_graph import (
    PARAMS,
    STAGES,
    Change,
    another_cleaning,
    another_rate,
    another_seed,
    entries,
    lock,
    no_words,
    ran,
    write_params,
)

from support import REPOSITORY


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("clean", []),
        ("train", ["featurize"]),
        ("evaluate", ["featurize", "train"]),
        ("gate", ["evaluate"]),
    ],
)
def test_a_stage_knows_what_comes_right_before_it(
    root: Path, stage: str, expected: list[str]
) -> None:
    assert Pipeline(root).before(stage) == expected


def restated(root: Path, **changed: dict[str, Any]) -> Pipeline:
    """Change stages of dvc.yaml, and forget what has run."""
    stages = {name: {**stage, **changed.pop(name, {})} for name, stage in STAGES.items()} | changed
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    (root / "dvc.lock").unlink(missing_ok=True)
    return Pipeline(root)


def test_what_leads_to_a_stage_and_what_it_reads(root: Path) -> None:
    found = Pipeline(root).ancestors("train", own="compose")
    assert (found.names, found.reports, found.keys, found.templated) == (
        ["clean", "featurize"],
        [],
        ["cleaning"],
        False,
    )
    found = Pipeline(root).ancestors("gate", own="compose")
    assert found.names == ["clean", "evaluate", "featurize", "train"]
    assert found.reports == ["evaluate.json", "plot.csv", "train.json"]
    assert found.keys == ["cleaning", "train.rate", "words"]
    assert Pipeline(root).ancestors("clean", own="compose").names == []


DEPENDS = {"cmd": "true", "deps": ["raw.txt"], "outs": ["more.txt"]}
COMPOSE = {
    "cmd": "true",
    "deps": ["raw.txt"],
    "outs": [{"params.yaml": {"cache": False}}, "overrides.yaml"],
}


@pytest.mark.parametrize(
    ("changed", "names", "keys"),
    [
        ({"clean": {"params": [{"params.yaml": ["cleaning"]}]}}, ["clean", "featurize"], ["cleaning"]),
        ({"clean": {"params": [{"params.yaml": None}]}}, ["clean", "featurize"], None),
        ({"clean": {"params": [{"more.yaml": ["a"]}, "seed"]}}, ["clean", "featurize"], ["seed"]),
        ({"clean": {"deps": ["raw.txt", "params.yaml"]}}, ["clean", "featurize"], None),
        ({"clean": {"deps": ["raw.txt", "overrides.yaml"]}, "compose": COMPOSE}, ["clean", "featurize"], None),
        ({"compose": COMPOSE}, ["clean", "featurize"], ["cleaning"]),
        ({"clean": {"cmd": "echo ${seed} > data/clean"}}, ["clean", "featurize"], None),
        ({"clean": {"wdir": "..", "deps": ["root/raw.txt"], "outs": ["root/data/clean"], "params": []}}, ["clean", "featurize"], []),
        (
            {"part": {"foreach": ["a", "b"], "do": {**DEPENDS, "outs": ["parts/${item}"]}}, "featurize": {"deps": ["data/clean", "parts"]}},
            ["clean", "featurize", "part@a", "part@b"],
            None,
        ),
        (
            {"part": {"matrix": {"n": [1, 2]}, **DEPENDS, "outs": ["parts/${item.n}"]}, "featurize": {"deps": ["parts"]}},
            ["featurize", "part@1", "part@2"],
            None,
        ),
        (
            {"one": {**DEPENDS, "outs": ["parts/a"], "params": ["seed"]}, "two": {**DEPENDS, "outs": ["parts/b"]}, "featurize": {"deps": ["parts"]}},
            ["featurize", "one", "two"],
            ["seed"],
        ),
    ],
    ids=["of a named file", "the whole file", "of another file", "a dependency", "its other output", "its own", "template", "wdir", "foreach", "matrix", "a folder of outputs"],
)  # fmt: skip
def test_every_way_to_say_what_leads_to_a_stage_is_understood(
    root: Path, changed: dict[str, Any], names: list[str], keys: list[str] | None
) -> None:
    found = restated(root, **changed).ancestors("train", own="compose")
    assert (found.names, found.keys) == (names, keys)
    assert found.templated is (keys is None and "${" in (root / "dvc.yaml").read_text())


def test_stages_of_another_file_are_refused(root: Path) -> None:
    (root / "more").mkdir()
    (root / "more/dvc.yaml").write_text("stages: {other: {cmd: 'true', outs: [a]}}\n")
    with pytest.raises(
        UserError, match=r"^more/dvc\.yaml:other: a sweep knows only the stages of dvc\.yaml itself"
    ):
        Pipeline(root).ancestors("train", own="compose")


def test_data_that_a_tool_tracks_apart_are_no_stage(root: Path) -> None:
    (root / "more.txt").write_text("3\n")
    with Repo(str(root)) as repo:
        repo.add("more.txt")
    found = restated(root, clean={"deps": ["raw.txt", "more.txt"]}).ancestors(
        "train", own="compose"
    )
    assert (found.names, found.reports) == (["clean", "featurize"], [])


def test_parameters_are_read_as_dvc_reads_them(root: Path) -> None:
    pipeline = Pipeline(root)
    assert pipeline.read_params(["train.rate", "clean*", "nowhere"]) == {
        "train": {"rate": 0.1},
        "cleaning": PARAMS["cleaning"],
    }
    assert pipeline.read_params([]) == {}
    assert pipeline.read_params(None) == (root / "params.yaml").read_text(encoding="utf-8")


def test_a_stage_is_held_while_its_data_are_in_the_cache(root: Path) -> None:
    assert Pipeline(root).holds(["clean", "featurize"])
    (file,) = [out["md5"] for out in yaml.safe_load(lock(root))["stages"]["featurize"]["outs"]]
    (root / ".dvc/cache/files/md5" / file[:2] / file[2:]).unlink()
    (root / "features.txt").unlink()
    pipeline = Pipeline(root)
    pipeline.restore()
    assert pipeline.holds(["train"])
    assert not pipeline.holds(["featurize", "train"])
    pipeline.reproduce("featurize")
    assert pipeline.holds(["clean", "featurize"])


def test_ctrl_c_during_a_stage_is_heard(root: Path) -> None:
    usual = dvc.stage.run.signal
    heard = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell's background jobs ignore it
    pipeline = restated(root, train={"cmd": "kill -INT $PPID; sleep 1"})
    try:
        with pytest.raises(KeyboardInterrupt):
            pipeline.reproduce("train")
    finally:
        signal.signal(signal.SIGINT, heard)
    assert dvc.stage.run.signal is usual
    assert "train" not in entries(root)


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
def test_only_what_has_changed_runs_up_to_the_target(
    root: Path, change: Change, stages: list[str]
) -> None:
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


def reading_once(root: Path, *stages: str) -> None:
    pipeline = Pipeline(root)
    with pipeline.undisturbed():
        pipeline.reproduce(*pipeline.before(stages[0]))
        pipeline.reproduce(*stages)


@pytest.mark.parametrize("way", [by_us, reading_once])
@pytest.mark.parametrize("change", [another_rate, another_cleaning, no_words])
@pytest.mark.parametrize("target", ["train", "evaluate"])
def test_dvc_lock_is_what_dvc_would_have_written(
    template: Path,
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: Any,
    change: Change,
    target: str,
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


def test_dvc_reads_and_writes_by_the_functions_that_are_replaced(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []
    for module, name in (
        (dvc.utils.strictyaml, "parse_yaml"),
        (dvc.utils.serialize._yaml, "parse_yaml"),
    ):
        usual = getattr(module, name)
        monkeypatch.setattr(
            module,
            name,
            lambda text, path, *a, usual=usual, **k: (
                parsed.append(path),
                usual(text, path, *a, **k),
            )[1],
        )
    write_params(root, another_rate)
    pipeline = Pipeline(root)
    with pipeline.undisturbed():
        pipeline.reproduce("train")
        pipeline.forget_what_no_longer_belongs("train")
    assert ran(root) == ["train"]
    assert sorted(Path(path).name for path in parsed) == ["dvc.lock", "dvc.yaml", "params.yaml"]


def test_what_was_replaced_is_put_back() -> None:
    usual = dvc.dvcfile.modify_yaml, dvc.dependency.param.load_path, dvc.utils.strictyaml.load
    with pytest.raises(ValueError, match="no"), yaml_parsed_once():
        assert dvc.dvcfile.modify_yaml is not usual[0]
        assert dvc.dependency.param.load_path is not usual[1]
        assert dvc.utils.strictyaml.load is not usual[2]
        raise ValueError("no")
    assert (
        dvc.dvcfile.modify_yaml,
        dvc.dependency.param.load_path,
        dvc.utils.strictyaml.load,
    ) == usual


def test_no_file_is_locked_and_dvc_locks_them_again_afterwards(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked: list[str] = []
    usual = dvc.rwlock._edit_rwlock
    monkeypatch.setattr(
        dvc.rwlock, "_edit_rwlock", lambda *a: (locked.append("once"), usual(*a))[1]
    )
    write_params(root, another_rate)
    by_us(root, "train")
    assert ran(root) == ["train"]
    assert locked == []
    write_params(root, another_cleaning)
    by_dvc(root, "train")
    assert locked


def test_parameters_that_a_stage_changes_are_read_again(root: Path) -> None:
    stages = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]
    stages["clean"]["cmd"] += " && sed -i 's/rate: .*/rate: 0.7/' params.yaml"
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    Pipeline(root).reproduce("train")
    assert (
        yaml.safe_load(lock(root))["stages"]["train"]["params"]["params.yaml"]["train.rate"] == 0.7
    )


def test_stages_alone_do_not_ask_about_those_before_them(root: Path) -> None:
    write_params(root, another_cleaning)
    Pipeline(root).reproduce("train", alone=True)
    assert ran(root) == []
    write_params(root, another_rate)
    Pipeline(root).reproduce("clean", "train", alone=True)
    assert ran(root) == ["train"]


@pytest.mark.parametrize("once", [True, False])
def test_what_no_longer_belongs_is_seen_from_what_was_read_before(root: Path, once: bool) -> None:
    write_params(root, another_rate)
    pipeline = Pipeline(root)
    with pipeline.undisturbed() if once else nullcontext():
        pipeline.reproduce("train")
        assert sorted(pipeline.forget_what_no_longer_belongs("train")) == ["evaluate", "gate"]


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
    assert after["explore"] == before["explore"], (
        "a stage that reads nothing of the model keeps its report"
    )
    assert (root / "explored.json").read_text() == "1\n2\n"
    hashes = [
        out["md5"]
        for name in ("evaluate", "gate")
        for out in yaml.safe_load(before[name])[name]["outs"]
    ]
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


def test_jobs_of_this_project_share_all_that_leads_to_train(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(REPOSITORY)
    found = Pipeline(REPOSITORY).ancestors(TARGET, own=FIRST)
    assert found.names == ["clean", "featurize", "ingest", "validate"]
    assert found.reports == ["reports/clean.json", "reports/validation/result.json"]
    assert found.keys is not None, (
        "sweeps over seeds or models would compute the features for each job"
    )
    assert not {"seed", "model", "evaluation"} & set(found.keys)
