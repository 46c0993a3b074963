"""Each call of DVC's Python classes that a sweep makes does what the command line does.

They are not documented as public: where a new version of DVC breaks one of these, it breaks sweeps.
"""

import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.repo import Repo

from seedbed.errors import UserError
from seedbed.sweeps.dvc_calls import StageGraph, read_lock, settings_for_slot, split_lock
from small_graph import (
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

DEPENDS = {"cmd": "true", "deps": ["raw.txt"], "outs": ["more.txt"]}
COMPOSES = {
    "cmd": "true",
    "deps": ["raw.txt"],
    "outs": [{"params.yaml": {"cache": False}}, "overrides.yaml"],
}
SHARED, OWN = True, False


def restated(root: Path, **changed: dict[str, Any]) -> StageGraph:
    """Change stages of dvc.yaml."""
    stages = {name: {**stage, **changed.pop(name, {})} for name, stage in STAGES.items()} | changed
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    return StageGraph(root)


def inputs(root: Path, change: Change = lambda values: None, tree: str = "t") -> str:
    write_params(root, change)
    graph = StageGraph(root)
    return graph.inputs_hash(graph.ancestors("train", "compose"), "compose", tree)


@pytest.mark.parametrize(
    ("changed", "names", "seed"),
    [
        ({}, ["clean", "featurize"], SHARED),
        ({"clean": {"params": [{"params.yaml": ["cleaning"]}]}}, ["clean", "featurize"], SHARED),
        ({"clean": {"params": [{"params.yaml": None}]}}, ["clean", "featurize"], OWN),
        ({"clean": {"params": [{"more.yaml": ["a"]}, "seed"]}}, ["clean", "featurize"], OWN),
        ({"clean": {"deps": ["raw.txt", "params.yaml"]}}, ["clean", "featurize"], OWN),
        ({"clean": {"deps": ["raw.txt", "overrides.yaml"]}, "compose": COMPOSES}, ["clean", "featurize"], OWN),
        ({"compose": COMPOSES}, ["clean", "featurize"], SHARED),
        ({"clean": {"cmd": "echo ${seed} > data/clean"}}, ["clean", "featurize"], OWN),
        ({"clean": {"wdir": "..", "deps": ["root/raw.txt"], "outs": ["root/data/clean"], "params": []}}, ["clean", "featurize"], SHARED),
        (
            {"part": {"foreach": ["a", "b"], "do": {**DEPENDS, "outs": ["parts/${item}"]}}, "featurize": {"deps": ["data/clean", "parts"]}},
            ["clean", "featurize", "part@a", "part@b"],
            SHARED,
        ),
        ({"part": {"matrix": {"n": [1, 2]}, **DEPENDS, "outs": ["parts/${item.n}"]}, "featurize": {"deps": ["parts"]}}, ["featurize", "part@1", "part@2"], SHARED),
    ],
    ids=["as it is", "a named file", "the whole file", "another file", "a dependency", "another output", "compose", "a template", "wdir", "foreach", "matrix"],
)  # fmt: skip
def test_every_way_to_state_what_leads_to_a_stage_is_understood(
    root: Path, changed: dict[str, Any], names: list[str], seed: bool
) -> None:
    assert restated(root, **changed).ancestors("train", "compose") == names
    assert (inputs(root) == inputs(root, another_seed)) is seed


def test_jobs_share_what_has_the_same_inputs_and_nothing_else(root: Path) -> None:
    shared = [inputs(root), inputs(root, another_rate), inputs(root, no_words)]
    others = [
        inputs(root, another_cleaning),
        inputs(root, lambda values: values["cleaning"].update(strip=False)),
        inputs(root, lambda values: values.pop("cleaning")),
        inputs(root, tree="u"),
    ]
    assert len(set(shared)) == 1
    assert len({*shared, *others}) == 5


def test_stages_of_another_file_are_refused(root: Path) -> None:
    (root / "more").mkdir()
    (root / "more/dvc.yaml").write_text("stages: {other: {cmd: 'true', outs: [a]}}\n")
    with pytest.raises(UserError, match=r"^more/dvc\.yaml:other: .* Move it there"):
        StageGraph(root).ancestors("train")


def test_data_that_dvc_tracks_apart_are_no_stage(root: Path) -> None:
    (root / "more.txt").write_text("3\n")
    with Repo(str(root)) as repo:
        repo.add("more.txt")
    graph = restated(root, clean={"deps": ["raw.txt", "more.txt"]})
    assert graph.ancestors("train") == ["clean", "featurize"]


def test_a_folder_is_added_as_dvc_add_does_it(root: Path) -> None:
    (root / "table").mkdir()
    (root / "table/rows.txt").write_text("1\n")
    StageGraph(root).add(Path("table"))
    [out] = yaml.safe_load((root / "table.dvc").read_text())["outs"]
    assert (out["path"], out["nfiles"]) == ("table", 1)
    assert "/table" in (root / ".gitignore").read_text().splitlines()


def test_what_the_cache_holds_is_brought_back_and_the_rest_left_out(root: Path) -> None:
    lost = yaml.safe_load(lock(root))["stages"]["evaluate"]["outs"]
    (listing,) = [out["md5"] for out in lost if out["path"] == "predictions"]
    (root / ".dvc/cache/files/md5" / listing[:2] / listing[2:]).unlink()
    for path in ("predictions", "data/clean"):
        shutil.rmtree(root / path)
    (root / "features.txt").unlink()
    (root / "features.txt").write_text("something else")
    StageGraph(root).checkout()
    assert (root / "data/clean/rows.txt").read_text() == "1\n2\n"
    assert (root / "features.txt").read_text() == "1\n2\n"
    assert not (root / "predictions/a").exists()


@pytest.mark.parametrize(
    ("change", "targets", "alone", "stages"),
    [
        (lambda values: None, ["train"], False, []),
        (another_rate, ["train"], False, ["train"]),
        (another_cleaning, ["train"], False, ["clean"]),
        (another_cleaning, ["train"], True, []),
        (another_rate, ["clean", "train"], True, ["train"]),
        (another_rate, ["evaluate"], False, ["train", "evaluate"]),
    ],
)
def test_what_has_changed_runs_and_dvc_lock_is_what_dvc_itself_writes(
    template: Path,
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Change,
    targets: list[str],
    alone: bool,
    stages: list[str],
) -> None:
    write_params(root, change)
    StageGraph(root).reproduce(*targets, alone=alone)
    assert ran(root) == stages
    other = tmp_path / "other"
    shutil.copytree(template, other, symlinks=True)
    monkeypatch.chdir(other)
    write_params(other, change)
    with Repo(str(other)) as repo:
        repo.reproduce(targets=targets, single_item=alone)
    assert lock(root) == lock(other)


@pytest.mark.parametrize("command", ["kill -INT $$", "sh -c 'kill -INT $$'; exit $?"])
def test_ctrl_c_during_a_stage_ends_the_sweep(root: Path, command: str) -> None:
    # A background job of a shell ignores it, and so would the stage.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    graph = restated(root, train={"cmd": command})
    with pytest.raises(KeyboardInterrupt):
        graph.reproduce("train")
    assert "exited" not in lock(root)
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN


def test_figures_of_another_model_are_emptied(root: Path) -> None:
    before = entries(root)
    write_params(root, another_rate)
    graph = StageGraph(root)
    graph.reproduce("train")
    graph.empty_stale("train")
    for name in ("evaluate.json", "gate.json"):
        assert (root / name).read_text() == "{}\n", "an empty cell in `dvc exp show`, no error"
    assert not (root / "plot.csv").exists()
    assert (root / "train.json").read_text() == (root / "params.yaml").read_text()
    assert entries(root)["explore"] == before["explore"], "it reads nothing of the model"
    stale = [yaml.safe_load(before[name])[name]["outs"] for name in ("evaluate", "gate")]
    assert not [out["md5"] for outs in stale for out in outs if out["md5"] in lock(root)]
    with Repo(str(root)) as repo:
        repo.reproduce()
    assert ran(root) == ["train", "evaluate", "gate"], "who takes the experiment runs what is left"


def test_figures_of_the_same_model_stay(root: Path) -> None:
    before = lock(root)
    graph = StageGraph(root)
    graph.reproduce("train")
    graph.empty_stale("train")
    assert lock(root) == before
    assert (root / "gate.json").read_text() == (root / "params.yaml").read_text()


@pytest.mark.parametrize("level", ["config", "config.local"])
@pytest.mark.parametrize("cache", ["", "../shäred cache"])
def test_dvc_in_a_slot_has_the_repositorys_settings_and_cache(
    root: Path, monkeypatch: pytest.MonkeyPatch, level: str, cache: str
) -> None:
    monkeypatch.delenv("DVC_SITE_CACHE_DIR")
    settings = f"[cache]\n    dir = ../{cache}\n" if cache else ""
    text = settings + '[remote "mine"]\n    url = /far/away\n'
    (root / ".dvc" / level).write_text(text, encoding="utf-8")
    slot = root / ".dvc/tmp/slots/0"
    shutil.copytree(root, slot, ignore=shutil.ignore_patterns("tmp", "cache", "config*"))
    (slot / ".dvc/config").touch()
    with Repo(str(slot), config=settings_for_slot(root, slot)) as repo:
        expected = (root / cache if cache else root / ".dvc/cache").resolve()
        assert Path(repo.cache.local.path).resolve() == expected / "files/md5"
        assert Path(repo.site_cache_dir).is_relative_to(slot)
        assert repo.config["remote"]["mine"]["url"] == "/far/away"


@pytest.mark.parametrize("path", [REPOSITORY, "the small graph"], ids=str)
def test_dvc_lock_is_split_into_its_entries(template: Path, path: Any) -> None:
    folder = path if isinstance(path, Path) else template
    head, found = read_lock(folder)
    whole = lock(folder)
    assert head + "".join(found.values()) == whole
    parsed = yaml.safe_load(whole)["stages"]
    assert {name: yaml.safe_load(entry)[name] for name, entry in found.items()} == parsed
    text = "stages:\n  a@b-1:\n    cmd:\n    - 'x:'\n    params:\n      p:\n        q:\n"
    assert split_lock(text) == ("stages:\n", {"a@b-1": text.removeprefix("stages:\n")})
