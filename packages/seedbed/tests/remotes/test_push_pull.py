"""What is pushed on one machine is pulled on another: branch, tags, experiments, data, run cache; nothing else."""

import os
from pathlib import Path

from remotes_support import Machine, content, damaged_objects, missing_files


def test_a_clone_that_pulls_has_all_data_and_runs_no_stage(
    shared: Machine, second: Machine
) -> None:
    said = second.seedbed("pull")
    assert "data: 16 files and 1 run of the run cache from storage" in said
    assert content(second.root) == content(shared.root)
    assert second.stages_run() == []
    assert second.seedbed("pull") == "nothing to pull\n"


def test_what_was_pushed_is_not_pushed_again(shared: Machine) -> None:
    assert shared.seedbed("push") == "nothing to push\n"


def test_the_first_push_of_a_branch_sets_its_upstream(shared: Machine) -> None:
    assert shared.git("rev-parse", "--abbrev-ref", "@{upstream}") == "origin/main"


def test_experiments_and_tags_go_along_and_marks_stay(shared: Machine, second: Machine) -> None:
    shared.dvc("exp", "run", "--temp", "-n", "more", "-S", "p=2")
    shared.git("tag", "-a", "-m", "note", "flights@v1.0.0")
    for mark in ("exec/EXEC_HEAD", "celery/stash", "stash"):
        shared.git("update-ref", f"refs/exps/{mark}", "HEAD")
    said = shared.seedbed("push")
    assert "git: 1 experiment (more) to origin\ngit: 1 tag (flights@v1.0.0) to origin\n" in said
    there = shared.git("ls-remote", "origin")
    assert not any(word in there for word in ("exec", "celery", "stash"))

    assert "1 tag (flights@v1.0.0), 1 experiment (more) from origin" in second.seedbed("pull")
    assert missing_files(second.root, second.experiments()["more"]) == []
    second.dvc("exp", "apply", "more")
    assert second.stages_run() == []


def test_a_run_of_another_machine_is_taken_from_the_run_cache(
    shared: Machine, second: Machine, tmp_path: Path
) -> None:
    shared.dvc("exp", "run", "--temp", "-n", "more", "-S", "p=2")
    shared.seedbed("push")
    half = tmp_path / "store/runs/ab/abc/def"
    half.parent.mkdir(parents=True)
    half.write_text("cmd: {", encoding="utf-8")
    assert "and 2 runs of the run cache" in second.seedbed("pull")
    assert not (second.root / ".dvc/cache/runs/ab/abc/def").exists()
    assert "is cached - skipping run" in second.dvc(
        "exp", "run", "--temp", "-n", "again", "-S", "p=2"
    )


def test_an_experiment_of_before_the_remote_was_set_up_has_its_data_sent(
    first: Machine, tmp_path: Path
) -> None:
    first.dvc("exp", "run", "--temp", "-n", "early", "-S", "p=2")
    first.seedbed("remote", os.path.relpath(tmp_path / "store", first.root))
    first.commit("a place for data")
    first.seedbed("push")
    second = first.cloned(tmp_path / "second")
    second.seedbed("pull")
    assert missing_files(second.root, second.experiments()["early"]) == []
    assert damaged_objects(tmp_path / "store") == []


def test_a_stage_that_a_sweep_did_not_run_goes_along_without_a_warning(
    shared: Machine, second: Machine
) -> None:
    """Its entry names an empty folder, as in the experiments that a sweep makes."""
    empty = shared.root / ".dvc/cache/files/md5/d7/51713988987e9331980363e24189ce.dir"
    empty.parent.mkdir(exist_ok=True)
    empty.write_text("[]", encoding="utf-8")
    lock = shared.root / "dvc.lock"
    before = lock.read_text(encoding="utf-8")
    lock.write_text(
        "schema: '2.0'\nstages:\n  one:\n    cmd: '(not run by the sweep)'\n    outs:\n    - path: out\n      hash: md5\n"
        "      md5: d751713988987e9331980363e24189ce.dir\n      size: 0\n      nfiles: 0\n",
        encoding="utf-8",
    )
    tree = shared.git("stash", "create")
    commit = shared.git("commit-tree", f"{tree}^{{tree}}", "-p", "HEAD", "-m", "swept")
    lock.write_text(before, encoding="utf-8")
    head = shared.git("rev-parse", "HEAD")
    shared.git("update-ref", f"refs/exps/{head[:2]}/{head[2:]}/swept", commit)
    said = shared.seedbed("push")
    assert said.splitlines()[1:] == ["git: 1 experiment (swept) to origin"], said
    said = second.seedbed("pull")
    assert said.splitlines()[0] == "git: 1 experiment (swept) from origin"
    assert "lacks" not in said and "issing" not in said, said
    assert second.dvc("exp", "apply", "swept")


def test_a_branch_follows_when_it_can(shared: Machine, second: Machine) -> None:
    second.seedbed("pull")
    (shared.root / "note.txt").write_text("more", encoding="utf-8")
    shared.commit("more")
    assert shared.seedbed("push") == "git: main to origin\n"
    assert second.seedbed("pull") == "git: main from origin\n"
    assert second.git("rev-parse", "HEAD") == shared.git("rev-parse", "HEAD")


def test_a_commit_that_was_lost_here_is_fetched_again(shared: Machine, second: Machine) -> None:
    """After a power cut a reference may be there, and the commit that it names not."""
    shared.commit("more")
    shared.seedbed("push")
    tip = shared.git("rev-parse", "HEAD")
    (second.root / ".git/refs/remotes/origin/main").write_text(f"{tip}\n", encoding="utf-8")
    second.seedbed("pull")
    assert second.git("rev-parse", "HEAD") == tip


def test_uncommitted_data_are_mentioned(shared: Machine) -> None:
    (shared.root / "files/0").write_text("other", encoding="utf-8")
    shared.dvc("add", "--quiet", "files")
    assert "files.dvc: changed since the last commit" in shared.seedbed("push")


def test_a_push_works_in_a_folder_of_the_project(shared: Machine) -> None:
    (shared.root / "files/0").write_text("other", encoding="utf-8")
    shared.dvc("add", "--quiet", "files")
    shared.commit("other")
    assert "data: 2 files" in shared.seedbed("push", cwd=shared.root / "conf")
