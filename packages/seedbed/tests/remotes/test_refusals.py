"""What a Git remote does not take stays here, with the reason and the way out; what waits for it waits."""

from pathlib import Path

import pytest

from remotes_support import Machine, add_files
from seedbed.remotes import push as pushing

HEAD_OF_HOOK = "#!/bin/sh\n"


def hook(bare: Path, name: str, script: str) -> None:
    """Let the bare remote run a script."""
    path = bare / "hooks" / name
    path.write_text(HEAD_OF_HOOK + script, encoding="utf-8")
    path.chmod(0o755)


def there(machine: Machine) -> dict[str, str]:
    """Return the references of the Git remote, and what they point to."""
    pairs = (line.split("\t") for line in machine.git("ls-remote", "origin").splitlines())
    return {ref: commit for commit, ref in pairs}


def test_branches_that_have_both_gone_on_are_told_with_the_way_out(
    shared: Machine, second: Machine
) -> None:
    second.seedbed("pull")
    for machine in (shared, second):
        (machine.root / f"{machine.root.name}.txt").write_text("mine", encoding="utf-8")
        machine.commit("mine")
    second.seedbed("push")
    assert "has commits on main that are not here. Run `make pull`" in shared.refused(
        "seedbed", "push"
    )
    told = shared.refused("seedbed", "pull")
    assert "git pull --rebase origin main" in told
    assert "seedbed resolve" in told
    shared.git("pull", "-q", "--rebase", "origin", "main")
    shared.seedbed("pull")
    assert "git: main to origin" in shared.seedbed("push")


def test_a_branch_that_is_only_behind_is_no_problem(shared: Machine, second: Machine) -> None:
    second.seedbed("pull")
    add_files(shared, 1)
    shared.seedbed("push")
    assert (
        second.seedbed("push")
        == "main: origin has commits that are not here; `make pull` fetches them\n"
    )


def test_what_a_hook_refuses_is_told_in_its_words(shared: Machine, tmp_path: Path) -> None:
    add_files(shared, 1)
    hook(tmp_path / "git", "pre-receive", "echo 'main is closed until Monday.' >&2; exit 1\n")
    told = shared.refused("seedbed", "push")
    assert (
        "origin refused main (pre-receive hook declined). It said: main is closed until Monday. That is"
        in told
    )
    assert "make pull" not in told


def test_tags_wait_for_a_branch_that_is_refused(shared: Machine, tmp_path: Path) -> None:
    """A release would start from a commit that the branch may never hold."""
    before = shared.git("rev-parse", "HEAD")
    shared.git("tag", "old@v1.0.0")
    add_files(shared, 1)
    for name in ("model@v0.1.0", "model#production#1", "note"):
        shared.git("tag", name)
    hook(tmp_path / "git", "update", 'test "$1" != refs/heads/main\n')
    told = shared.refused("seedbed", "push")
    assert "origin refused main (hook declined)" in told
    for name in ("model@v0.1.0", "model#production#1", "note"):
        assert f"{name} waits here until origin has the commits of main up to it" in told
    assert there(shared) == {
        "HEAD": before,
        "refs/heads/main": before,
        "refs/tags/old@v1.0.0": before,
    }
    (tmp_path / "git/hooks/update").unlink()
    assert (
        "git: main to origin\ngit: 1 tag (note) to origin\ngit: 2 tags (model#production#1, model@v0.1.0)"
        in shared.seedbed("push")
    )


def test_of_tags_that_start_a_release_at_most_three_go_at_once(
    shared: Machine, tmp_path: Path
) -> None:
    """GitHub starts nothing for more, and two promotions make four; a version is there before its stage."""
    hook(
        tmp_path / "git", "post-receive", "cut -d' ' -f3 | tr '\\n' ' ' >> pushed; echo >> pushed\n"
    )
    for name in (
        "model@v0.1.0",
        "model#production#1",
        "model@v0.2.0",
        "model#production#2",
        "a",
        "b",
    ):
        shared.git("tag", name)
    shared.seedbed("push")
    pushed = [
        line.split() for line in (tmp_path / "git/pushed").read_text(encoding="utf-8").splitlines()
    ]
    assert [[ref.removeprefix("refs/tags/") for ref in refs] for refs in pushed] == [
        ["a", "b"],
        ["model@v0.1.0", "model@v0.2.0", "model#production#1"],
        ["model#production#2"],
    ]


def test_two_tags_of_one_name_are_told_with_what_fits_their_kind(
    shared: Machine, second: Machine
) -> None:
    second.seedbed("pull")
    for machine in (second, shared):
        for name in ("model@v0.2.0", "note"):
            machine.git("tag", "-a", "-m", machine.root.name, name)
    second.seedbed("push")
    told = shared.refused("seedbed", "push")
    assert (
        "another model@v0.2.0: somebody else has promoted, too. Take yours back (`git tag -d 'model@v0.2.0'`)"
        in told
    )
    assert "`seedbed promote`" in told
    assert "another tag note. Keep both: `git tag <name> note" in told


def test_a_rebase_is_not_advised_where_it_would_leave_a_tag_behind(
    shared: Machine, second: Machine
) -> None:
    second.seedbed("pull")
    for machine in (shared, second):
        (machine.root / f"{machine.root.name}.txt").write_text("mine", encoding="utf-8")
        machine.commit("mine")
    shared.git("tag", "model@v0.1.0")
    second.seedbed("push")
    assert "model@v0.1.0 waits here" in shared.refused("seedbed", "push")
    told = shared.refused("seedbed", "pull")
    assert "git pull --no-rebase origin main" in told
    assert "a rebase would leave model@v0.1.0 on commits that main does not hold" in told


def test_a_commit_that_is_made_during_the_push_does_not_go_out_without_its_data(
    shared: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_files(shared, 1)
    sent = shared.git("rev-parse", "HEAD")
    push_runs = pushing.push_runs

    def meanwhile(data: pushing.Data) -> int:
        shared.commit("made meanwhile")
        return push_runs(data)

    monkeypatch.setattr(pushing, "push_runs", meanwhile)
    with shared.in_process(monkeypatch):
        pushing.push(shared.root)
    assert there(shared)["refs/heads/main"] == sent != shared.git("rev-parse", "HEAD")


def test_names_that_others_read_differently_are_refused_before_anything_moves(
    shared: Machine,
) -> None:
    add_files(shared, 1)
    shared.git("tag", "a;b")
    told = shared.refused("seedbed", "push")
    assert "the tag 'a;b' holds ';'" in told
    assert "Nothing was pushed" in told
    assert shared.git("ls-remote", "origin", "main").split()[0] != shared.git("rev-parse", "HEAD")


def test_an_odd_name_that_is_at_the_remote_already_stops_nothing(
    shared: Machine, second: Machine
) -> None:
    shared.git("tag", "a;b")
    shared.git("push", "-q", "origin", "a;b")
    add_files(shared, 1)
    assert "git: main to origin" in shared.seedbed("push")
    assert "left out: the tag 'a;b' holds ';'" in second.seedbed("pull")
    assert second.git("tag") == ""
