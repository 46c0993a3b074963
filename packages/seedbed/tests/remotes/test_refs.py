"""Which references are shared, what they are called, and which names are refused."""

from pathlib import Path

import pytest

from seedbed.errors import UserError
from seedbed.remotes.refs import describe, fault, find_upstream, local_refs, run_git

EXPS = f"refs/exps/{'0' * 2}/{'0' * 38}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    run_git(tmp_path, "init", "-q", "-b", "main", ".")
    who = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
    run_git(tmp_path, *who, "commit", "-q", "--allow-empty", "-m", "begin")
    return tmp_path


def test_tags_and_experiments_are_shared_and_marks_are_not(root: Path) -> None:
    names = [
        "tags/v1",
        "exps/exec/EXEC_HEAD",
        "exps/celery/stash",
        "exps/stash",
        "exps/apply/ORIG_HEAD",
        "exps/temp/ab",
        "stash",
    ]
    for name in [f"refs/{name}" for name in names] + [f"{EXPS}/one", "refs/seedbed/sweeps/x"]:
        run_git(root, "update-ref", name, "HEAD")
    assert set(local_refs(root)) == {"refs/tags/v1", f"{EXPS}/one"}


@pytest.mark.parametrize(
    "name", ["linear", "mlp-seed2.0", "lr=0.1,seed+2", "model@v1.0.0", "model#prod#3!", "ALPHA_2"]
)
def test_a_usual_name_is_taken(name: str) -> None:
    assert fault(f"{EXPS}/{name}") == ""
    assert fault(f"refs/tags/{name}") == ""


def test_a_tag_may_have_folders_and_an_experiment_may_not() -> None:
    assert fault("refs/tags/team/v1") == ""
    assert "'team/v1' holds '/'" in fault(f"{EXPS}/team/v1")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a;rm", "';'"),
        ("$(id)", "'$' '(' ')'"),
        ("größe", "'ß' 'ö'"),
        ("a'b", '"\'"'),
        ("-force", "begins with a sign"),
        ("a|b", "'|'"),
    ],
)
def test_an_odd_name_is_refused_with_the_reason_and_the_way_out(name: str, why: str) -> None:
    for ref, way in ((f"{EXPS}/{name}", "dvc exp rename"), (f"refs/tags/{name}", "git tag <name>")):
        told = fault(ref)
        assert why in told
        assert way in told


def test_references_are_told_in_a_few_words() -> None:
    refs = ["refs/heads/main", "refs/tags/v1", *(f"{EXPS}/e{number}" for number in range(7))]
    assert describe(refs) == "main, 1 tag (v1), 7 experiments (e0, e1, e2, e3, e4 and 2 more)"


def test_the_git_remote_is_the_branchs_own_then_origin_then_the_only_one(root: Path) -> None:
    with pytest.raises(UserError, match="git remote add origin"):
        find_upstream(root)
    run_git(root, "remote", "add", "work", "/nowhere")
    assert find_upstream(root).remote == "work"
    run_git(root, "remote", "add", "home", "/nowhere")
    with pytest.raises(UserError, match="home, work, and none is chosen"):
        find_upstream(root)
    run_git(root, "remote", "add", "origin", "/nowhere")
    assert (find_upstream(root).remote, find_upstream(root).is_set) == ("origin", False)
    run_git(root, "config", "branch.main.remote", "home")
    run_git(root, "config", "branch.main.merge", "refs/heads/trunk")
    upstream = find_upstream(root)
    assert (upstream.remote, upstream.branch, upstream.tracking) == (
        "home",
        "refs/heads/trunk",
        "refs/remotes/home/trunk",
    )


def test_a_remote_that_cannot_be_reached_is_told(root: Path) -> None:
    with pytest.raises(
        UserError, match="the Git remote cannot be reached.*/nowhere.*git remote -v"
    ):
        run_git(root, "ls-remote", "/nowhere")
