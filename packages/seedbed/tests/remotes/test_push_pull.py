"""What is pushed on one machine is pulled on another: branch, tags, experiments, data, run cache."""

from pathlib import Path

import pytest

from remotes_support import Machine, add_files, content, missing_objects


def experiment(machine: Machine, name: str, p: int) -> None:
    machine.dvc("exp", "run", "--temp", "--quiet", "-n", name, "-S", f"p={p}")


def test_a_clone_that_pulls_has_all_data_and_runs_no_stage(
    shared: Machine, second: Machine
) -> None:
    assert "data: 16 file(s) and 1 run(s) from storage" in second.seedbed("pull")
    assert content(second.root) == content(shared.root)
    assert second.stages_run() == []
    assert second.seedbed("pull") == "nothing to pull\n"
    assert shared.seedbed("push", cwd=shared.root / "conf") == "nothing to push\n"
    assert shared.git("rev-parse", "--abbrev-ref", "@{upstream}") == "origin/main"


def test_experiments_and_tags_go_along_and_marks_of_dvc_stay(
    shared: Machine, second: Machine
) -> None:
    experiment(shared, "more", 2)
    shared.git("tag", "-a", "-m", "note", "model@v1.0.0")
    for mark in ("exec/EXEC_HEAD", "celery/stash", "stash"):
        shared.git("update-ref", f"refs/exps/{mark}", "HEAD")
    printed = shared.seedbed("push")
    assert "git: experiments more to origin\ngit: tags model@v1.0.0 to origin" in printed
    assert not any(word in str(shared.references()) for word in ("exec", "celery", "stash"))

    printed = second.seedbed("pull")
    assert "2 run(s) from" in printed
    assert "git: tags model@v1.0.0, experiments more from origin" in printed
    assert missing_objects(second, second.experiments()["more"]) == []
    second.dvc("exp", "apply", "more")
    assert second.stages_run() == []


@pytest.mark.slow
def test_an_experiment_from_before_the_remote_was_set_up_has_its_data_sent(
    first: Machine, tmp_path: Path
) -> None:
    experiment(first, "early", 2)
    first.seedbed("remote", "../store")
    first.commit("a place for data")
    first.seedbed("push")
    second = first.cloned(tmp_path / "second")
    second.seedbed("pull")
    assert missing_objects(second, second.experiments()["early"]) == []


@pytest.mark.slow
def test_uncommitted_data_are_mentioned(shared: Machine) -> None:
    (shared.root / "files/0").write_text("other", encoding="utf-8")
    shared.dvc("add", "--quiet", "files")
    assert "not committed, so its data were not sent: files.dvc" in shared.seedbed("push")


def test_branches_that_have_diverged_are_refused_with_the_way_out(
    shared: Machine, second: Machine
) -> None:
    second.seedbed("pull")
    for machine in (shared, second):
        (machine.root / f"{machine.root.name}.txt").write_text("mine", encoding="utf-8")
        machine.commit("mine")
    second.seedbed("push")
    shared.git("tag", "model@v0.1.0")
    assert "has commits that are not here. Run `make pull`" in shared.refused("seedbed", "push")
    assert "refs/tags/model@v0.1.0" not in shared.references()  # a release would start from it
    message = shared.refused("seedbed", "pull")
    assert "git pull --no-rebase`" in message and "seedbed resolve" in message
    shared.git("pull", "-q", "--no-rebase", "origin", "main")
    shared.seedbed("pull")
    assert "git: main to origin\ngit: tags model@v0.1.0" in shared.seedbed("push")


@pytest.mark.slow
def test_two_of_one_name_are_both_kept(shared: Machine, second: Machine) -> None:
    second.seedbed("pull")
    for machine, value in ((shared, 2), (second, 3)):
        experiment(machine, "same", value)
        machine.git("tag", "-a", "-m", machine.root.name, "model@v0.2.0")
    shared.seedbed("push")
    mine = second.experiment_commits()["same"]
    assert "same: origin has another one of that name; yours stays" in second.seedbed("pull")
    assert second.experiment_commits()["same"] == mine
    assert "another experiment of that name" in second.refused("seedbed", "push")
    second.dvc("exp", "rename", "same", "mine")
    assert "-> model@v0.2.0 (already exists)" in second.refused("seedbed", "push")
    second.git("tag", "-d", "model@v0.2.0")
    second.seedbed("pull")
    assert "nothing to push" in second.seedbed("push")
    assert set(second.experiments()) == {"same", "mine"}


def test_what_a_hook_refuses_is_told_in_its_words_and_tags_wait(
    shared: Machine, tmp_path: Path
) -> None:
    hook = tmp_path / "git/hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho 'main is closed until Monday.' >&2; exit 1\n")
    hook.chmod(0o755)
    before = shared.references()
    add_files(shared)
    shared.git("tag", "model@v1.0.0")
    message = shared.refused("seedbed", "push")
    assert "main is closed until Monday" in message and "Ask the people who run" in message
    assert shared.references() == before


@pytest.mark.slow
def test_at_most_three_tags_of_the_registry_go_at_once(shared: Machine, tmp_path: Path) -> None:
    """GitHub starts nothing for more; a version is there before its stage."""
    hook = tmp_path / "git/hooks/post-receive"
    hook.write_text("#!/bin/sh\ncut -d/ -f3 | tr '\\n' ' ' >> pushed; echo >> pushed\n")
    hook.chmod(0o755)
    for name in ("m@v0.1.0", "m#production#1", "m@v0.2.0", "m#production#2", "a", "b"):
        shared.git("tag", name)
    shared.seedbed("push")
    assert (tmp_path / "git/pushed").read_text().split(" \n") == [
        "a b", "m@v0.1.0 m@v0.2.0 m#production#1", "m#production#2", "",
    ]  # fmt: skip


def test_a_pull_does_not_overwrite_work(shared: Machine, second: Machine) -> None:
    second.seedbed("pull")
    shared.edit("params.yaml", "p: 1", "p: 2")
    shared.dvc("repro", "--quiet")
    add_files(shared)
    shared.seedbed("push")
    second.edit("params.yaml", "p: 1", "p: 3")
    message = second.refused("seedbed", "pull")
    assert "params.yaml" in message and "git stash" in message
    second.git("checkout", "-q", "params.yaml")
    (second.root / "files/0").write_text("mine", encoding="utf-8")
    message = second.refused("seedbed", "pull")
    assert "files/0" in message and "dvc add" in message
    assert (second.root / "files/0").read_text(encoding="utf-8") == "mine"
    second.dvc("checkout", "--force", "--quiet")
    second.seedbed("pull")
    assert second.stages_run() == []


@pytest.mark.parametrize("command", ["push", "pull"])
def test_what_is_not_set_up_is_told(command: str, first: Machine) -> None:
    assert "make remote URL=" in first.refused("seedbed", command)
    first.git("remote", "remove", "origin")
    assert "git remote add origin <address>" in first.refused("seedbed", command)
    first.git("switch", "-q", "--detach")
    assert "HEAD is detached" in first.refused("seedbed", command)
