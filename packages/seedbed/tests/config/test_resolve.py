"""After a merge, files that follow from others are settled; what people wrote, and what an experiment brought in, is not lost."""

import subprocess
from pathlib import Path

import pytest
import yaml

from seedbed.config.compose import compose_anew, compose_text, read_overrides, update_params
from seedbed.config.conf_hash import conf_hash
from seedbed.config.resolve import resolve
from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError

GRAPH = """\
stages:
  compose:
    cmd: sh src/stage.sh compose
    deps:
      - src/project/stages/compose.py
      - src/stage.sh
      - conf
    outs:
      - params.yaml: {cache: false, persist: true}
      - reports/overrides.yaml: {cache: false, persist: true}
  train:
    cmd: sh src/stage.sh train
    deps:
      - src/project/stages/train.py
      - src/stage.sh
    metrics:
      - reports/metrics.json: {cache: false}
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
        self.write("dvc.lock", f"schema: '2.0'\nstages: {{}}  # {lock}\n")
        self.write("reports/metrics.json", f'{{"from": "{lock}"}}\n')

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", "change")

    def merge(self, *how: str) -> None:
        self.git(*(how or ("merge", "theirs")), check=False)
        assert self.unmerged()

    def unmerged(self) -> set[str]:
        return set(self.git("diff", "--name-only", "--diff-filter=U").split())


@pytest.fixture
def parted(root: Path) -> Repository:
    repository = Repository(root)
    for name, value in (("user.name", "Tester"), ("user.email", "tester@example.org")):
        repository.git("config", name, value)
    repository.git("symbolic-ref", "HEAD", "refs/heads/main")
    repository.write("dvc.yaml", GRAPH)
    repository.write("README.md", "begin\n")
    for stage in ("compose", "train"):
        repository.write(f"src/project/stages/{stage}.py", f'"""{stage}"""\n')
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


@pytest.mark.parametrize(
    ("how", "ending"),
    [
        (("merge", "theirs"), "`git commit`"),
        (("rebase", "theirs"), "`git rebase --continue`"),
        (("cherry-pick", "theirs"), "`git cherry-pick --continue`"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_conf_edited_on_both_sides_is_composed_anew(
    parted: Repository, how: tuple[str, ...], ending: str
) -> None:
    both_edit_conf(parted)
    parted.merge(*how)
    said = resolve(parted.root)
    params = load_yaml(parted.root / "params.yaml")
    assert (params["seed"], params["split"]["folds"]) == (1, 2)
    assert params["conf_hash"] == conf_hash(parted.root)
    recorded = read_overrides(parted.root)
    assert recorded is not None and not recorded
    current = "theirs" if how[0] == "rebase" else "ours"
    assert f"# {current}\n" in parted.read("dvc.lock")
    assert parted.read("reports/metrics.json") == f'{{"from": "{current}"}}\n'
    assert parted.unmerged() == set()
    assert said[-1].startswith("next: `dvc repro`")
    assert said[-1].endswith(ending)


def test_the_overrides_of_both_sides_are_named_where_they_cannot_be_kept(
    parted: Repository,
) -> None:
    both_edit_conf(
        parted,
        ours=("evaluation.bootstrap=70",),
        theirs=("~gate.thresholds.roc_auc", "split.seed=3"),
    )
    parted.merge()
    said = "\n".join(resolve(parted.root))
    assert (
        "of the current side that conf/ does not have, and they are not in it now: evaluation.bootstrap=70."
        in said
    )
    assert "`dvc exp run -S 'evaluation.bootstrap=70'`" in said
    theirs = said.partition("of the other side that")[2]
    assert "-S 'split.seed=3'" in theirs
    assert "-S '~gate.thresholds.roc_auc'" in theirs
    assert load_yaml(parted.root / "params.yaml")["split"]["seed"] == 0


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_what_one_side_applied_is_kept_where_conf_is_its_own(parted: Repository, side: str) -> None:
    parted.git("switch", "--quiet", "theirs")
    parted.run("theirs", *(["seed=5"] if side == "theirs" else []))
    parted.commit()
    parted.git("switch", "--quiet", "main")
    parted.run("ours", *(["seed=5"] if side == "ours" else []))
    parted.commit()
    # params.yaml merges by itself here; a line that both touched makes it conflict.
    for branch, label in (("main", "a"), ("theirs", "b")):
        parted.git("switch", "--quiet", branch)
        parted.write(
            "reports/overrides.yaml", f"# {label}\n{parted.read('reports/overrides.yaml')}"
        )
        parted.commit()
    parted.git("switch", "--quiet", "main")
    parted.merge()
    said = "\n".join(resolve(parted.root))
    assert load_yaml(parted.root / "params.yaml")["seed"] == 5
    assert "they are not in it now" not in said
    recorded = read_overrides(parted.root)
    assert recorded is not None
    assert recorded.changed == {"seed": 5}


def test_of_two_applied_experiments_the_other_sides_is_named(parted: Repository) -> None:
    for branch, seed in (("theirs", 7), ("main", 5)):
        parted.git("switch", "--quiet", branch)
        parted.run(branch, f"seed={seed}")
        parted.commit()
    parted.merge()
    said = "\n".join(resolve(parted.root))
    assert load_yaml(parted.root / "params.yaml")["seed"] == 5
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
    parted.merge()
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
    parted.merge()
    before = parted.unmerged(), parted.read("dvc.lock")
    with pytest.raises(
        UserError,
        match=r"conf/config\.yaml: there are conflict marks in conf/ still.*Nothing was changed",
    ):
        resolve(parted.root)
    assert (parted.unmerged(), parted.read("dvc.lock")) == before
    text = parted.git("show", "main:conf/config.yaml")
    parted.write("conf/config.yaml", text)
    parted.git("add", "conf/config.yaml")
    resolve(parted.root)
    assert load_yaml(parted.root / "params.yaml")["seed"] == 5
    assert parted.unmerged() == set()


def test_without_a_merge_it_says_so(parted: Repository) -> None:
    with pytest.raises(UserError, match="no merge, rebase or cherry-pick is going on here"):
        resolve(parted.root)


def test_a_report_that_only_the_other_side_still_has_is_kept(parted: Repository) -> None:
    parted.git("switch", "--quiet", "theirs")
    parted.run("theirs")
    parted.commit()
    parted.git("switch", "--quiet", "main")
    parted.git("rm", "--quiet", "reports/metrics.json")
    parted.git("commit", "--quiet", "-m", "gone")
    parted.merge()
    resolve(parted.root)
    assert "theirs" in parted.read("reports/metrics.json")
    assert parted.unmerged() == set()


def test_what_repeated_stages_and_folders_hold_is_generated(parted: Repository) -> None:
    reports = [
        "reports/a/score.json",
        "reports/b/score.json",
        "reports/plots/roc.csv",
        "sub/table.csv",
    ]
    for branch in ("theirs", "main"):
        parted.git("switch", "--quiet", branch)
        parted.write(
            "dvc.yaml",
            f"{GRAPH}  score:\n    foreach: [a, b]\n    do:\n      cmd: score ${{item}}\n      metrics:\n"
            "        - reports/${item}/score.json: {cache: false}\n"
            "  draw:\n    cmd: draw\n    plots:\n      - reports/plots: {cache: false}\n"
            "  below:\n    cmd: write\n    wdir: sub\n    outs:\n      - table.csv: {cache: false}\n",
        )
        for name in [*reports, "reports/notes.md"]:
            parted.write(name, f"{branch}\n")
        parted.run(branch)
        parted.commit()
    parted.merge()
    resolve(parted.root)
    assert parted.unmerged() == {"reports/notes.md"}
    assert {parted.read(name) for name in reports} == {"main\n"}


def both_edit_the_graph(parted: Repository, theirs: tuple[str, str], ours: tuple[str, str]) -> None:
    for branch, module, (old, new) in (("theirs", "one", theirs), ("main", "two", ours)):
        parted.git("switch", "--quiet", branch)
        parted.write(f"packages/seedbed/src/seedbed/{module}.py", "x = 1\n")
        parted.write("src/project/stages/train.py", f'"""train"""\nimport seedbed.{module}\n')
        parted.edit(
            "dvc.yaml",
            "      - src/project/stages/train.py",
            f"      - packages/seedbed/src/seedbed/{module}.py\n      - src/project/stages/train.py",
        )
        parted.edit("dvc.yaml", old, new)
        parted.commit()
    parted.merge()


def test_the_lists_of_code_in_the_graph_are_written_anew(parted: Repository) -> None:
    both_edit_the_graph(
        parted,
        ("cmd: sh src/stage.sh train", "desc: theirs\n    cmd: sh src/stage.sh train"),
        ("- conf\n", "- conf\n      - data\n"),
    )
    parted.write(
        "src/project/stages/train.py", '"""train"""\nimport seedbed.one\nimport seedbed.two\n'
    )
    parted.git("add", "src")
    said = resolve(parted.root)
    assert "dvc.yaml: merged, and its lists of code written from the imports" in said
    stages = yaml.safe_load(parted.read("dvc.yaml"))["stages"]
    assert stages["train"]["deps"] == [
        *(f"packages/seedbed/src/seedbed/{name}.py" for name in ("one", "stages/train", "two")),
        "src/stage.sh",
    ]
    assert stages["train"]["desc"] == "theirs"
    assert stages["compose"]["deps"][-2:] == ["conf", "data"]
    assert parted.unmerged() == set()


@pytest.mark.parametrize("why", ["marks in the code", "two commands"])
def test_a_graph_that_people_must_settle_is_left_to_them(parted: Repository, why: str) -> None:
    command = "cmd: sh src/stage.sh train"
    two = why == "two commands"
    both_edit_the_graph(
        parted,
        (command, f"{command} a" if two else command),
        (command, f"{command} b" if two else command),
    )
    if two:
        parted.write(
            "src/project/stages/train.py", '"""train"""\nimport seedbed.one\nimport seedbed.two\n'
        )
        parted.git("add", "src")
    said = "\n".join(resolve(parted.root))
    assert "left to you: dvc.yaml" in said
    assert "dvc.yaml" in parted.unmerged()
    assert "<<<<<<<" in parted.read("dvc.yaml")
