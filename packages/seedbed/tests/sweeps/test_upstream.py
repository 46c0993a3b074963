"""What the stages before a sweep's target made is taken over by jobs with the same parameters, and by no others."""

import shutil
from pathlib import Path

import pytest
import yaml

from seedbed.sweeps.pipeline import Pipeline
from seedbed.sweeps.upstream import Upstream
from small_graph import (
    Change,
    another_cleaning,
    another_rate,
    another_seed,
    lock,
    no_words,
    ran,
    write_params,
)


def upstream(root: Path, target: str = "evaluate", tree: str = "t" * 40) -> Upstream:
    pipeline = Pipeline(root)
    ancestors = pipeline.ancestors(target, own="compose")
    return Upstream(root, root, ancestors, pipeline.read_params(ancestors.keys), tree)


def key(
    root: Path, change: Change = lambda values: None, target: str = "train", tree: str = "t" * 40
) -> str:
    write_params(root, change)
    return upstream(root, target, tree).key


@pytest.mark.parametrize("change", [another_rate, another_seed, no_words])
def test_jobs_that_differ_in_the_target_alone_share_what_is_before_it(
    root: Path, change: Change
) -> None:
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
    assert (
        key(root, lambda values: values.update(cleaning=dict(reversed(values["cleaning"].items()))))
        == keys[0]
    )


def another_run(root: Path) -> Upstream:
    """Run the stages before `evaluate` with another rate; what they made is kept, the work tree is the commit's again."""
    write_params(root, another_rate)
    kept = upstream(root)
    Pipeline(root).reproduce("train")
    with kept.alone():
        kept.keep()
    (root / "ran").unlink(missing_ok=True)
    return kept


def test_what_was_kept_does_not_run_again(root: Path) -> None:
    before = {
        name: (root / name).read_bytes() for name in ("params.yaml", "dvc.lock", "train.json")
    }
    kept = another_run(root)
    after = {name: (root / name).read_bytes() for name in before}
    for name, content in before.items():
        (root / name).write_bytes(content)
    write_params(root, another_rate)
    assert upstream(root).computed()
    upstream(root).put_back()
    assert {name: (root / name).read_bytes() for name in before} == after
    pipeline = Pipeline(root)
    pipeline.restore()
    pipeline.reproduce("train")
    assert ran(root) == []
    assert kept.key == upstream(root).key


def test_what_was_kept_of_others_is_not_taken(root: Path) -> None:
    another_run(root)
    write_params(root)
    assert not upstream(root).computed()


def test_what_is_put_back_and_is_not_right_is_made_anew(root: Path) -> None:
    kept = another_run(root)
    report = next((root / ".dvc/tmp/upstream").glob("*/train.json"))
    report.write_text("damaged")
    kept.put_back()
    assert (root / "train.json").read_text() == "damaged"
    Pipeline(root).reproduce("train")
    assert (root / "train.json").read_text() == (root / "params.yaml").read_text()


def test_a_stage_without_reports_keeps_its_entry_alone(root: Path) -> None:
    kept = upstream(root, "train")
    with kept.alone():
        kept.keep()
    (folder,) = (path for path in (root / ".dvc/tmp/upstream").iterdir() if path.is_dir())
    assert [path.name for path in folder.iterdir()] == ["dvc.lock"]
    before = lock(root)
    kept.put_back()
    assert lock(root) == before


def test_reports_may_be_folders_and_new_to_the_checkout(root: Path) -> None:
    stages = yaml.safe_load((root / "dvc.yaml").read_text())
    stages["stages"]["train"] |= {
        "cmd": "mkdir -p reports/train/parts && cp params.yaml reports/train/parts/a && cp params.yaml model.txt",
        "metrics": [{"reports/train": {"cache": False}}],
    }
    (root / "dvc.yaml").write_text(yaml.safe_dump(stages))
    kept = another_run(root)
    (root / "dvc.lock").unlink()
    for made in ((), ("reports/train/older",)):
        shutil.rmtree(root / "reports")
        for name in made:
            (root / name).mkdir(parents=True)
        kept.put_back()
        assert [path.name for path in (root / "reports/train").iterdir()] == ["parts"]
    pipeline = Pipeline(root)
    pipeline.restore()
    pipeline.reproduce("train")
    assert ran(root) == []
