"""Sweeps in a real repository: each job of a Hydra multirun is the experiment that `dvc exp run` would have made."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from seedbed.config.compose import compose_text

from support import Project, copied, lock_up_to_train, made_once, stages_in, state

GRID = ["-m", "model=logistic_regression,dummy", "seed=range(2)"]


def sweep(
    project: Project, *arguments: str, check: bool = True
) -> subprocess.CompletedProcess[str]:
    return project.run("python", "-m", "seedbed.sweep", *arguments, check=check)


@pytest.fixture(scope="session")
def swept_once(prepared: Path, shared_folder: Path) -> Path:
    """A repository in which a grid of four was swept, with uncommitted work on top of the last commit; to be copied."""

    def make(target: Path) -> None:
        project = copied(prepared, target)
        project.edit("README.md", "# seedbed", "# seedbed, edited and staged")
        project.git("add", "README.md")
        project.edit("README.md", "edited and staged", "edited again")
        before = state(project)
        sweep(project, *GRID)
        assert state(project) == before
        shutil.rmtree(target / ".dvc/tmp/slots")  # they know the folder by its name

    return made_once(shared_folder, "swept", make)


@pytest.fixture
def swept(swept_once: Path, tmp_path: Path) -> Project:
    """A copy of the swept repository."""
    return copied(swept_once, tmp_path / "project")


def test_every_job_is_one_experiment_that_holds_the_uncommitted_work(swept: Project) -> None:
    found = swept.experiment_commits()
    names = [f"{model}-seed{seed}" for model in ("dummy", "logistic_regression") for seed in (0, 1)]
    assert sorted(name.rpartition("-")[0] for name in found) == names
    for commit in found.values():
        assert "edited again" in swept.git("show", f"{commit}:README.md")


def test_a_job_equals_what_dvc_exp_run_makes(swept: Project) -> None:
    made = swept.experiment_commits()
    ours = next(made[name] for name in made if name.startswith("logistic_regression-seed1-"))
    changes = ("-S", "model=logistic_regression", "-S", "seed=1")
    swept.dvc("exp", "run", "--temp", "-n", "by-dvc", *changes, "train")
    theirs = swept.experiment_commits()["by-dvc"]
    for path in (
        "params.yaml",
        "reports/overrides.yaml",
        "reports/train/metrics.json",
        "reports/train/details.json",
    ):
        assert swept.git("show", f"{ours}:{path}") == swept.git("show", f"{theirs}:{path}")
    assert lock_up_to_train(swept, ours) == lock_up_to_train(swept, theirs)


def test_a_sweep_works_in_a_folder_of_any_name(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long, with spaces and letters beyond ASCII; DVC's own `exp run --temp` fails there."""
    folder = tmp_path / "jürgen müller" / ("ein sehr langer Ordner " * 5).strip()
    folder.mkdir(parents=True)
    project = copied(prepared, folder / "projekt ä")
    question = "problem.question='Kommt der Flug größer als 15 Minuten zu spät?'"
    command = ["-m", "model=dummy", "seed=1,2", question]
    done = project.run("python", "-m", "seedbed.sweep", *command, LC_ALL="C")
    assert "2 experiments" in done.stdout
    monkeypatch.chdir(project.root)
    for name, commit in project.experiment_commits().items():
        seed = "seed=1" if "seed1-" in name else "seed=2"
        expected = compose_text(project.root, ["model=dummy", seed, question])
        assert project.git("show", f"{commit}:params.yaml") == expected.strip()
        assert project.git("show", f"{commit}:reports/train/metrics.json") != "{}"


def test_a_row_never_shows_another_models_figures(swept: Project) -> None:
    for commit in swept.experiment_commits().values():
        assert json.loads(swept.git("show", f"{commit}:reports/evaluate/metrics.json")) == {}
        locked = yaml.safe_load(swept.git("show", f"{commit}:dvc.lock"))["stages"]
        assert "gate" not in locked
        for stage in ("evaluate", "package"):
            assert "deps" not in locked[stage]
            assert {out["nfiles"] for out in locked[stage]["outs"]} == {0}
    rows = [line.split(",") for line in swept.dvc("exp", "show", "--csv").splitlines()]
    column = rows[0].index("test.roc_auc")
    for row in rows[1:]:
        if row[2].startswith("branch_"):
            assert row[column] == ""


def test_an_experiment_of_a_sweep_is_listed_and_can_be_compared(swept: Project) -> None:
    name = next(
        name for name in swept.experiments() if name.startswith("logistic_regression-seed1-")
    )
    said = swept.make("show")
    assert name in said
    assert "cv.roc_auc" in said
    compare = ["seedbed", "compare", "main", name, "--out", "page.html"]
    said = swept.run(*compare, cwd=swept.root / "docs").stdout
    assert re.match(rf"main is better than {name} by [\d.]+: cv\.roc_auc [\d.]+ against", said)
    assert said.splitlines()[-1] == "page.html"
    page = (swept.root / "docs/page.html").read_text(encoding="utf-8")
    assert page.count("<svg") >= 2
    cells = r"<th>test\.roc_auc</th>\s*<td[^>]*>(?:<b>)?[\d.]+(?:</b>)?</td>\s*<td[^>]*></td>"
    assert re.search(cells, page), page[page.find("test.roc_auc") :][:200]
    cells = r"<th>data/predictions</th>\s*<td[^>]*>[^<]+ bytes</td>\s*<td[^>]*></td>"
    assert re.search(cells, page), page[page.find("data/predictions") :][:200]


@pytest.mark.slow
def test_the_same_command_again_computes_nothing(swept: Project) -> None:
    before = swept.experiment_commits()
    done = sweep(swept, *GRID)
    assert done.stdout.count("was there before") == 4
    assert swept.experiment_commits() == before


def test_a_sweep_leaves_a_report_and_says_how_to_take_the_winner(swept: Project) -> None:
    (report,) = (swept.root / "reports/sweeps").glob("*")
    names = {file.name for file in report.iterdir()}
    assert {"jobs.csv", "history.png", "parameters.png"} <= names
    jobs = (report / "jobs.csv").read_text().splitlines()
    assert len(jobs) == 5


@pytest.mark.slow
def test_the_winner_applied_needs_only_what_follows_train(project: Project) -> None:
    done = sweep(project, "model=logistic_regression")
    (name,) = project.experiment_commits()
    assert f"dvc exp apply {name}" in done.stdout
    project.dvc("exp", "apply", name)
    assert project.stages_run() == ["evaluate", "gate", "package"]


@pytest.mark.slow
def test_one_failing_job_does_not_end_the_others(project: Project) -> None:
    done = sweep(
        project, "-m", "model=logistic_regression", "model.classification.C=1,-1", check=False
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stdout
    assert len(project.experiment_commits()) == 1
    assert "failed  model=logistic_regression model.classification.C=-1" in done.stdout
    (log,) = [line.split("its log: ")[1] for line in done.stdout.splitlines() if "its log" in line]
    assert "'C'" in Path(log).read_text()
    assert "'C'" in done.stdout, "why it failed stands in the table"


@pytest.mark.slow
def test_no_job_reads_the_test_rows(project: Project) -> None:
    models = ("logistic_regression", "hist_gradient_boosting")
    command = ["-m", f"model={','.join(models)}"]
    sweep(project, *command)
    before = project.experiment_commits()
    # The same data with other values in the test rows, as if they came so from the source; the log tells who runs the stage.
    project.edit(
        "src/project/stages/featurize.py",
        "    write_table(",
        "    print(Path(f'/proc/{__import__(\"os\").getppid()}/cmdline').read_text() if Path('/proc').exists() else '')\n"
        "    numbers = table.select_dtypes('number').columns.difference(['_row'])\n"
        "    others = table.select_dtypes(['str', 'category', 'datetime']).columns.difference(['_row', '_split'])\n"
        "    assert len(others) > 0\n"
        "    table.loc[table['_split'] == 'test', numbers] = 0\n"
        "    table.loc[table['_split'] == 'test', others] = None\n"
        "    write_table(",
    )
    sweep(project, *command)
    after = {
        name: commit for name, commit in project.experiment_commits().items() if name not in before
    }
    for model in models:
        pair = [
            next(found[name] for name in found if name.startswith(model))
            for found in (before, after)
        ]
        locks = [lock_up_to_train(project, commit) for commit in pair]
        assert locks[0]["featurize"]["outs"] != locks[1]["featurize"]["outs"]
        for path in ("reports/train/metrics.json", "reports/train/details.json"):
            assert project.git("show", f"{pair[0]}:{path}") == project.git(
                "show", f"{pair[1]}:{path}"
            )
        assert locks[0]["train"]["outs"] == locks[1]["train"]["outs"]
    logs = [log.read_text() for log in (project.root / ".dvc/tmp/sweeps").glob("*/logs/*.log")]
    if sys.platform == "linux":
        assert any("seedbed.sweeps.zygote" in log for log in logs), (
            "each stage has paid for its imports"
        )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-m", "seed=interval(0,1)"], "a grid needs single values"),
        (["-m", "sweep.objective=test.roc_auc", "seed=1,2"], "train writes no such figure"),
        (["-m", "sed=1,2"], "sed"),
        (["-m", "model=mine,dummy"], "mine"),
        (
            ["-m", "hydra/sweeper=optuna", "model=mlp,random_forest", "model.arguments.alpha=1,2"],
            "model=random_forest model.arguments.alpha=1",
        ),
        (["-m", "dataset=flights,diabetes"], "dataset=diabetes is judged by cv.rmse"),
        (["-m", "hydra/sweeper=optuna", "model=mlp", "+foo=1"], "there is no such key as foo"),
    ],
)
def test_a_mistake_is_told_before_the_first_job(
    project: Project, arguments: list[str], said: str
) -> None:
    done = sweep(project, *arguments, check=False)
    assert done.returncode != 0
    assert said in done.stdout
    assert project.experiment_commits() == {}
    assert not (project.root / ".dvc/tmp/slots").exists()


@pytest.mark.slow
def test_a_study_over_two_models_goes_on_to_more_trials(project: Project) -> None:
    study = [
        "-m",
        "hydra/sweeper=optuna",
        "sweep.name=two",
        "model=logistic_regression,hist_gradient_boosting",
    ]
    sweep(project, *study, "hydra.sweeper.n_trials=3")
    first = project.experiment_commits()
    sweep(project, *study, "hydra.sweeper.n_trials=5")
    after = project.experiment_commits()
    assert first.items() <= after.items()
    (table,) = (project.root / "reports/sweeps").glob("two-*/jobs.csv")
    jobs = table.read_text().splitlines()
    assert len(jobs) == 6
    assert len(after) <= 5
    assert "model.arguments.max_leaf_nodes" in jobs[0] or "model.classification.C" in jobs[0]


@pytest.mark.slow
def test_quality_is_weighed_against_size_and_time(project: Project) -> None:
    objectives = "sweep.objective=[cv,model_size,prediction_time]"
    models = "model=dummy,logistic_regression,hist_gradient_boosting"
    search = ["-m", "hydra/sweeper=random", "hydra.sweeper.n_trials=5", "sweep.name=front"]
    told = sweep(project, *search, models, objectives).stdout
    (report,) = (project.root / "reports/sweeps").glob("front-*")
    jobs = pd.read_csv(report / "jobs.csv")
    assert jobs["error"].isna().all()
    assert (jobs["model_size"] > 0).all()
    assert (jobs["prediction_time"] > 0).all()
    assert jobs["on_front"].any()
    named = told.partition("on the Pareto front")[2]
    assert all(
        (name in named) == on_front
        for name, on_front in zip(jobs["experiment"], jobs["on_front"], strict=True)
    )
    assert (report / "front.png").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--cfg", "job"], "objective: cv"),
        (["--help"], "Powered by Hydra"),
        (["--info", "defaults"], "hydra/launcher"),
    ],
)
def test_what_hydra_offers_on_the_command_line_works_and_runs_nothing(
    project: Project, arguments: list[str], said: str
) -> None:
    assert said in sweep(project, *arguments).stdout
    assert project.experiment_commits() == {}
    assert not (project.root / ".dvc/tmp/slots").exists()


def test_the_shell_completes_choices(project: Project) -> None:
    line = "seedbed-sweep model=hist"
    asked = {"COMP_LINE": line, "COMP_POINT": str(len(line))}
    done = project.run("python", "-m", "seedbed.sweep", "-sc", "query=bash", **asked)
    assert "model=hist_gradient_boosting" in done.stdout


@pytest.mark.slow
def test_globs_and_overlays_are_swept_as_hydra_does(project: Project) -> None:
    project.edit("conf/config.yaml", "  - experiment: tiny\n", "")
    sweep(project, "-m", "model=glob(dum*)", "+experiment=glob(deb*)", "hydra/launcher=basic")
    ((name, commit),) = project.experiment_commits().items()
    assert name.startswith("dummy-debug-")
    assert yaml.safe_load(project.git("show", f"{commit}:params.yaml"))["dataset"]["sample"] == 5000


def test_dvc_exp_run_is_not_disturbed_by_the_sweeps_own_configuration(project: Project) -> None:
    assert stages_in(project.dvc("exp", "run", "--temp", "-S", "seed=5", "compose")) == ["compose"]
