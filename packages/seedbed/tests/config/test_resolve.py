"""After a merge, files that follow from others are settled; what people wrote, and what an experiment brought in, is not lost."""

import subprocess
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

    def run(self, lock: str, *overrides: str) -> None:
        """Stand in for `dvc repro`, or for an applied experiment with overrides: params.yaml, dvc.lock and reports."""
        if overrides:
            self.write("params.yaml", compose_text(self.root, list(overrides)))
            update_params(self.root, {"DVC_EXP_NAME": "x"})
        else:
            compose_anew(self.root)
        self.write("dvc.lock", LOCK.format(lock))
        self.write("reports/plots/roc.csv", f"{lock}\n")
        self.write("reports/metrics.json", f'{{"from": "{lock}"}}\n')

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", "change")

    def merge(self, *how: str) -> None:
        self.git(*how, check=False)
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
    repository.commit()
    repository.git("branch", "theirs")
    return repository


def both_edit_conf(
    parted: Repository, ours: tuple[str, ...] = (), theirs: tuple[str, ...] = ()
) -> None:
    parted.git("switch", "--quiet", "theirs")
    parted.edit("conf/split/time.yaml", "folds: 3", "folds: 2")
    parted.run("theirs", *theirs)
    parted.commit()
    parted.git("switch", "--quiet", "main")
    parted.edit("conf/config.yaml", "seed: 0", "seed: 1")
    parted.run("ours", *ours)
    parted.commit()


@pytest.mark.parametrize("how", ["merge", "rebase", "cherry-pick", "merge --squash"])
def test_conf_edited_on_both_sides_is_composed_anew(parted: Repository, how: str) -> None:
    both_edit_conf(parted)
    parted.merge(*how.split(), "theirs")
    said = resolve(parted.root)
    params = load_yaml(parted.root / "params.yaml")
    assert (params["seed"], params["split"]["folds"]) == (1, 2)
    assert params["conf_hash"] == conf_hash(parted.root)
    recorded = read_overrides(parted.root)
    assert recorded is not None and not recorded
    current = "theirs" if how == "rebase" else "ours"
    assert f"# {current}\n" in parted.read("dvc.lock")
    assert parted.read("reports/metrics.json") == f'{{"from": "{current}"}}\n'
    assert parted.read("reports/plots/roc.csv") == f"{current}\n"
    assert parted.unmerged() == set()
    assert said[-1].startswith("next: `dvc repro`")
    with pytest.raises(UserError, match="no file is in conflict here"):
        resolve(parted.root)


def test_the_overrides_of_both_sides_are_named_where_they_cannot_be_kept(
    parted: Repository,
) -> None:
    both_edit_conf(
        parted,
        ours=("evaluation.bootstrap=70",),
        theirs=("~gate.thresholds.roc_auc", "split.seed=3"),
    )
    parted.merge("merge", "theirs")
    said = "\n".join(resolve(parted.root))
    assert (
        "of the current side that conf/ does not have, and they are not in it now: evaluation.bootstrap=70."
        in said
    )
    assert "`dvc exp run -S evaluation.bootstrap=70`" in said
    theirs = said.partition("of the other side that")[2]
    assert "-S split.seed=3" in theirs
    assert "-S '~gate.thresholds.roc_auc'" in theirs
    assert load_yaml(parted.root / "params.yaml")["split"]["seed"] == 0


def test_of_two_applied_experiments_the_other_sides_is_named(parted: Repository) -> None:
    for branch, seed in (("theirs", 7), ("main", 5)):
        parted.git("switch", "--quiet", branch)
        parted.run(branch, f"seed={seed}")
        parted.commit()
    parted.merge("merge", "theirs")
    said = "\n".join(resolve(parted.root))
    assert load_yaml(parted.root / "params.yaml")["seed"] == 5
    assert str(read_overrides(parted.root)) == "seed=5"
    assert (
        "values of the other side that conf/ does not have, and they are not in it now: seed=7."
        in said
    )
    assert "of the current side that" not in said


def test_what_people_write_is_left_to_them_and_named(parted: Repository) -> None:
    for branch in ("theirs", "main"):
        parted.git("switch", "--quiet", branch)
        parted.write("README.md", f"{branch}\n")
        parted.write("models/champion.dvc", f"outs: [{branch}]\n")
        parted.run(branch)
        parted.commit()
    parted.merge("merge", "theirs")
    said = "\n".join(resolve(parted.root))
    assert parted.unmerged() == {"README.md", "models/champion.dvc"}
    assert "left to you: README.md: edit it, then `git add README.md`" in said
    assert "`git checkout --theirs models/champion.dvc`" in said
    assert "`dvc checkout models/champion.dvc`" in said
    assert "next: what is left to you, then `dvc repro`" in said
    assert "<<<<<<<" in parted.read("README.md")


def test_conflict_marks_in_conf_are_refused_and_nothing_is_changed(parted: Repository) -> None:
    for branch, seed in (("theirs", 7), ("main", 5)):
        parted.git("switch", "--quiet", branch)
        parted.edit("conf/config.yaml", "seed: 0", f"seed: {seed}")
        parted.run(branch)
        parted.commit()
    parted.merge("merge", "theirs")
    before = parted.unmerged(), parted.read("dvc.lock")
    with pytest.raises(
        UserError,
        match=r"conf/config\.yaml: still in conflict.*Nothing was changed",
    ):
        resolve(parted.root)
    assert (parted.unmerged(), parted.read("dvc.lock")) == before
    text = parted.git("show", "main:conf/config.yaml")
    parted.write("conf/config.yaml", text)
    parted.git("add", "conf/config.yaml")
    resolve(parted.root)
    assert load_yaml(parted.root / "params.yaml")["seed"] == 5
    assert parted.unmerged() == set()


def test_a_report_that_only_the_other_side_still_has_is_kept(parted: Repository) -> None:
    parted.git("switch", "--quiet", "theirs")
    parted.run("theirs")
    parted.commit()
    parted.git("switch", "--quiet", "main")
    parted.git("rm", "--quiet", "reports/metrics.json")
    parted.git("commit", "--quiet", "-m", "gone")
    parted.merge("merge", "theirs")
    resolve(parted.root)
    assert "theirs" in parted.read("reports/metrics.json")
    assert parted.unmerged() == set()
