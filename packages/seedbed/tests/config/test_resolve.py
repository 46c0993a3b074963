"""After a merge, files that follow from others are settled; what people wrote, and what an experiment brought in, is not lost."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from seedbed.config.compose import compose_anew, compose_text, update_params
from seedbed.config.conf_hash import conf_hash
from seedbed.config.overrides import read_overrides
from seedbed.config.resolve import resolve
from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError

LOCK = """\
schema: '2.0'
stages:
  compose:
    cmd: sh src/stage.sh compose
    outs:
    - path: params.yaml
    - path: reports/overrides.yaml
  train:
    cmd: sh src/stage.sh train  # {}
    outs:
    - path: reports/metrics.json
    - path: reports/plots
"""


class Repository:
    """A small repository with two branches, `main` and `theirs`, that parted at one commit."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def git(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0 or not check, done.stdout + done.stderr
        return done.stdout

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text, encoding="utf-8")

    def read(self, name: str) -> str:
        return (self.root / name).read_text(encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        assert old in self.read(name)
        self.write(name, self.read(name).replace(old, new, 1))

    def run(self, name: str, *overrides: str) -> None:
        """Write and commit what `dvc repro`, or an applied experiment with overrides, writes."""
        if overrides:
            self.write("params.yaml", compose_text(self.root, list(overrides)))
            update_params(self.root, {"DVC_EXP_NAME": "x"})
        else:
            compose_anew(self.root)
        self.write("dvc.lock", LOCK.format(name))
        self.write("reports/plots/roc.csv", f"{name}\n")
        self.write("reports/metrics.json", f'{{"from": "{name}"}}\n')
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", "change")

    def on_both(self, work: Callable[[str], object], *how: str) -> None:
        """Do some work on either branch, then merge `theirs` into `main`, which conflicts."""
        for branch in ("theirs", "main"):
            self.git("switch", "--quiet", branch)
            work(branch)
        self.git(*(how or ["merge"]), "theirs", check=False)
        assert self.unmerged()

    def unmerged(self) -> set[str]:
        return set(self.git("diff", "--name-only", "--diff-filter=U").split())


@pytest.fixture
def parted(root: Path) -> Repository:
    repository = Repository(root)
    for name, value in (("user.name", "Tester"), ("user.email", "tester@example.org")):
        repository.git("config", name, value)
    repository.git("symbolic-ref", "HEAD", "refs/heads/main")
    repository.write("README.md", "begin\n")
    repository.run("base")
    repository.git("branch", "theirs")
    return repository


@pytest.fixture
def edit_conf(parted: Repository) -> Callable[..., Callable[[str], None]]:
    """Another edit of conf/ on either branch, with the overrides of an applied experiment."""

    def edits(**overrides: list[str]) -> Callable[[str], None]:
        def edit(branch: str) -> None:
            if branch == "main":
                parted.edit("conf/config.yaml", "seed: 0", "seed: 1")
            else:
                parted.edit("conf/split/time.yaml", "folds: 3", "folds: 2")
            parted.run(branch, *overrides.get(branch, []))

        return edit

    return edits


@pytest.mark.parametrize("how", ["merge", "rebase", "cherry-pick", "merge --squash"])
def test_conf_edited_on_both_sides_is_composed_anew(
    parted: Repository, edit_conf: Callable, how: str
) -> None:
    parted.on_both(edit_conf(), *how.split())
    lines = resolve(parted.root)
    params = load_yaml(parted.root / "params.yaml")
    assert (params["seed"], params["split"]["folds"]) == (1, 2)
    assert params["conf_hash"] == conf_hash(parted.root)
    assert str(read_overrides(parted.root)) == ""
    current = "theirs" if how == "rebase" else "main"
    assert f"# {current}\n" in parted.read("dvc.lock")
    assert parted.read("reports/metrics.json") == f'{{"from": "{current}"}}\n'
    assert parted.read("reports/plots/roc.csv") == f"{current}\n"
    assert parted.unmerged() == set()
    assert lines[-1].startswith("next: `dvc repro`")
    with pytest.raises(UserError, match="no file is in conflict here"):
        resolve(parted.root)


def test_the_overrides_of_both_sides_are_named_where_they_cannot_be_kept(
    parted: Repository, edit_conf: Callable
) -> None:
    theirs = ["~gate.thresholds.roc_auc", "split.seed=3", "+columns.types={mean.radius: time}"]
    parted.on_both(edit_conf(main=["evaluation.bootstrap=70"], theirs=theirs))
    text = "\n".join(resolve(parted.root))
    ours, _, others = text.partition("of the other side that")
    assert "of the current side that conf/ does not have" in ours
    assert "they are not in it now: evaluation.bootstrap=70." in ours
    assert "`dvc exp run -S evaluation.bootstrap=70`" in ours
    for override in ("split.seed=3", "'~gate.thresholds.roc_auc'", "mean.radius:time}'"):
        assert override in others
    assert load_yaml(parted.root / "params.yaml")["split"]["seed"] == 0


def test_of_two_applied_experiments_the_other_sides_is_named(parted: Repository) -> None:
    parted.on_both(lambda branch: parted.run(branch, f"seed={len(branch)}"))
    text = "\n".join(resolve(parted.root))
    assert load_yaml(parted.root / "params.yaml")["seed"] == 4
    assert str(read_overrides(parted.root)) == "seed=4"
    assert (
        "values of the other side that conf/ does not have, and they are not in it now: seed=6."
        in text
    )
    assert "of the current side that" not in text


def test_what_people_write_is_left_to_them_and_named(parted: Repository) -> None:
    def work(branch: str) -> None:
        parted.write("README.md", f"{branch}\n")
        parted.write("models/champion.dvc", f"outs: [{branch}]\n")
        parted.run(branch)

    parted.on_both(work)
    text = "\n".join(resolve(parted.root))
    assert parted.unmerged() == {"README.md", "models/champion.dvc"}
    for words in (
        "left to you: README.md: edit it, then `git add README.md`",
        "`git checkout --theirs models/champion.dvc`",
        "`dvc checkout models/champion.dvc`",
        "next: what is left to you, then `dvc repro`",
    ):
        assert words in text
    assert "<<<<<<<" in parted.read("README.md")


def test_conflict_marks_in_conf_are_refused_and_nothing_is_changed(parted: Repository) -> None:
    def work(branch: str) -> None:
        parted.edit("conf/config.yaml", "seed: 0", f"seed: {len(branch)}")
        parted.run(branch)

    parted.on_both(work)
    before = parted.unmerged(), parted.read("dvc.lock")
    with pytest.raises(UserError, match=r"conf/config\.yaml: still in conflict.*Nothing was"):
        resolve(parted.root)
    assert (parted.unmerged(), parted.read("dvc.lock")) == before
    parted.write("conf/config.yaml", parted.git("show", "main:conf/config.yaml"))
    parted.git("add", "conf/config.yaml")
    resolve(parted.root)
    assert load_yaml(parted.root / "params.yaml")["seed"] == 4
    assert parted.unmerged() == set()


def test_a_report_that_only_the_other_side_still_has_is_kept(parted: Repository) -> None:
    def work(branch: str) -> None:
        if branch == "theirs":
            parted.run(branch)
        else:
            parted.git("rm", "--quiet", "reports/metrics.json")
            parted.git("commit", "--quiet", "-m", "gone")

    parted.on_both(work)
    resolve(parted.root)
    assert "theirs" in parted.read("reports/metrics.json")
    assert parted.unmerged() == set()
