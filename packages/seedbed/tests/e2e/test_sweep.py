"""Sweeps in a real repository: each job of a Hydra multirun is the experiment that `dvc exp run` would have made."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from seedbed.config.compose import compose_text

from support import LONG, Project, copied, lock_up_to_train, made_once, slow_after, state

GRID = ["-m", "model=logistic_regression,dummy", "seed=range(2)"]
TRAINED = ("reports/train/metrics.json", "reports/train/details.json")
COMMAND = ("python", "-m", "seedbed.sweep")


def sweep(project: Project, *arguments: str, **environment: str) -> str:
    return project.run(*COMMAND, *arguments, **environment).stdout


def made(project: Project, prefix: str) -> str:
    """Return the commit of the experiment whose name begins so."""
    found = project.experiment_commits()
    return next(found[name] for name in found if name.startswith(prefix))


def is_untouched(project: Project) -> bool:
    """Whether no job has begun."""
    return project.experiments() == {} and not (project.root / ".dvc/tmp/slots").exists()


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


def test_every_job_is_one_experiment_with_the_uncommitted_work_and_its_own_figures_only(
    swept: Project,
) -> None:
    found = swept.experiment_commits()
    names = [f"{model}-seed{seed}" for model in ("dummy", "logistic_regression") for seed in (0, 1)]
    assert sorted(name.rpartition("-")[0] for name in found) == names
    for commit in found.values():
        assert "edited again" in swept.git("show", f"{commit}:README.md")
        assert json.loads(swept.git("show", f"{commit}:reports/evaluate/metrics.json")) == {}
        locked = yaml.safe_load(swept.git("show", f"{commit}:dvc.lock"))["stages"]
        assert "gate" not in locked
        for stage in ("evaluate", "package"):
            assert "deps" not in locked[stage]
            assert {out["nfiles"] for out in locked[stage]["outs"]} == {0}
    rows = [line.split(",") for line in swept.dvc("exp", "show", "--csv").splitlines()]
    column = rows[0].index("test.roc_auc")
    assert {row[column] for row in rows[1:] if row[2].startswith("branch_")} == {""}
    (report,) = (swept.root / "reports/sweeps").glob("*")
    names = {file.name for file in report.iterdir()}
    assert {"jobs.csv", "history.png", "parameters.png"} <= names
    assert len((report / "jobs.csv").read_text().splitlines()) == 5


@pytest.mark.slow
def test_a_job_equals_what_dvc_exp_run_makes(swept: Project) -> None:
    ours = made(swept, "logistic_regression-seed1-")
    changes = ("-S", "model=logistic_regression", "-S", "seed=1")
    swept.dvc("exp", "run", "--temp", "-n", "by-dvc", *changes, "train")
    theirs = swept.experiment_commits()["by-dvc"]
    for path in ("params.yaml", "reports/overrides.yaml", *TRAINED):
        assert swept.git("show", f"{ours}:{path}") == swept.git("show", f"{theirs}:{path}")
    assert lock_up_to_train(swept, ours) == lock_up_to_train(swept, theirs)


@pytest.mark.slow
def test_a_sweep_works_in_a_folder_of_any_name(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long, with spaces and letters beyond ASCII; DVC's own `exp run --temp` fails there."""
    folder = tmp_path / "jürgen müller" / ("ein sehr langer Ordner " * 5).strip()
    folder.mkdir(parents=True)
    project = copied(prepared, folder / "projekt ä")
    question = "problem.question='Kommt der Flug größer als 15 Minuten zu spät?'"
    printed = sweep(project, "-m", "model=dummy", "seed=1,2", question, LC_ALL="C")
    assert "2 experiments" in printed
    monkeypatch.chdir(project.root)
    for seed in (1, 2):
        commit = made(project, f"dummy-seed{seed}-")
        expected = compose_text(project.root, ["model=dummy", f"seed={seed}", question])
        assert project.git("show", f"{commit}:params.yaml") == expected.strip()
        assert project.git("show", f"{commit}:reports/train/metrics.json") != "{}"


@pytest.mark.slow
def test_an_experiment_of_a_sweep_is_listed_and_can_be_compared(swept: Project) -> None:
    (name,) = (each for each in swept.experiments() if each.startswith("logistic_regression-seed1"))
    listed = swept.make("show")
    assert name in listed
    assert "cv.roc_auc" in listed
    compare = ["seedbed", "compare", "main", name, "--out", "page.html"]
    printed = swept.run(*compare, cwd=swept.root / "docs").stdout
    assert re.match(rf"main is better than {name} by [\d.]+: cv\.roc_auc [\d.]+ against", printed)
    assert printed.splitlines()[-1] == "page.html"
    page = (swept.root / "docs/page.html").read_text(encoding="utf-8")
    assert page.count("<svg") >= 2
    for row, value in (
        (r"test\.roc_auc", r"[\d.]+"),
        ("data/predictions", "[^<]+ bytes"),
    ):
        plain = re.sub(r"</?(?:mark|b|strong)[^>]*>", "", page)
        assert re.search(rf"<th[^>]*>{row}</th>\s*<td[^>]*>{value}</td>\s*<td[^>]*></td>", plain), (
            row
        )


@pytest.mark.slow
def test_the_winner_applied_needs_only_what_follows_train(project: Project) -> None:
    printed = sweep(project, "model=logistic_regression")
    (name,) = project.experiment_commits()
    assert f"dvc exp apply {name}" in printed
    project.dvc("exp", "apply", name)
    assert project.stages_run() == ["evaluate", "gate", "package"]


@pytest.mark.slow
def test_one_failing_job_does_not_end_the_others(project: Project) -> None:
    jobs = ("-m", "model=logistic_regression", "model.classification.C=1,-1")
    refused = project.refused(*COMMAND, *jobs)
    assert len(project.experiments()) == 1
    assert "failed  model=logistic_regression model.classification.C=-1" in refused
    (log,) = re.findall("its log: (.*)", refused)
    assert "'C'" in Path(log).read_text()
    assert "'C'" in refused, "why it failed stands in the table"


OTHER_TEST_ROWS = """\
    numbers = table.select_dtypes("number").columns.difference(["_row"])
    others = table.select_dtypes(["str", "category", "datetime"])
    others = others.columns.difference(["_row", "_split"])
    assert len(others) > 0
    table.loc[table["_split"] == "test", numbers] = 0
    table.loc[table["_split"] == "test", others] = None
    write_table("""


@pytest.mark.slow
def test_no_job_reads_the_test_rows(project: Project) -> None:
    models = ("logistic_regression", "hist_gradient_boosting") if LONG else ("logistic_regression",)
    jobs = ("-m", f"model={','.join(models)}")
    sweep(project, *jobs)
    before = project.experiment_commits()
    # The same data with other values in the test rows, as if they came so from the source.
    project.edit("src/project/stages/featurize.py", "    write_table(", OTHER_TEST_ROWS)
    sweep(project, *jobs)
    after = {n: c for n, c in project.experiment_commits().items() if n not in before}
    for model in models:
        pair = [
            next(found[name] for name in found if name.startswith(model))
            for found in (before, after)
        ]
        first, second = (lock_up_to_train(project, commit) for commit in pair)
        assert first["featurize"]["outs"] != second["featurize"]["outs"]
        assert first["train"]["outs"] == second["train"]["outs"]
        for path in TRAINED:
            one, other = (project.git("show", f"{commit}:{path}") for commit in pair)
            assert one == other


@pytest.mark.parametrize(
    ("arguments", "words"),
    slow_after(
        2,
        [
            (["-m", "seed=interval(0,1)"], "a grid needs single values"),
            (["-m", "sweep.objective=test.roc_auc", "seed=1,2"], "train writes no such figure"),
            (["-m", "sed=1,2"], "sed"),
            (["-m", "model=mine,dummy"], "mine"),
            (
                [
                    "-m",
                    "hydra/sweeper=optuna",
                    "model=mlp,random_forest",
                    "model.arguments.alpha=1,2",
                ],
                "model=random_forest model.arguments.alpha=1",
            ),
            (["-m", "dataset=flights,diabetes"], "dataset=diabetes is judged by cv.rmse"),
            (["-m", "hydra/sweeper=optuna", "model=mlp", "+foo=1"], "there is no such key as foo"),
        ],
    ),
)
def test_a_mistake_stops_before_the_first_job(
    project: Project, arguments: list[str], words: str
) -> None:
    assert words in project.refused(*COMMAND, *arguments)
    assert is_untouched(project)


def test_what_hydra_offers_on_the_command_line_works_and_runs_nothing(project: Project) -> None:
    assert "objective: cv" in sweep(project, "--cfg", "job")
    assert "Powered by Hydra" in sweep(project, "--help")
    assert "hydra/launcher" in sweep(project, "--info", "defaults")
    line = "seedbed-sweep model=hist"
    completed = sweep(project, "-sc", "query=bash", COMP_LINE=line, COMP_POINT=str(len(line)))
    assert "model=hist_gradient_boosting" in completed
    assert is_untouched(project)


@pytest.mark.slow
def test_a_study_of_quality_size_and_time_goes_on_to_more_trials(
    project: Project,
) -> None:
    objectives = "sweep.objective=[cv,model_size,prediction_time]"
    models = "model=logistic_regression,hist_gradient_boosting"
    study = ["-m", "hydra/sweeper=optuna", "sweep.name=front", models, objectives]
    sweep(project, *study, "hydra.sweeper.n_trials=2")
    first = project.experiment_commits()
    printed = sweep(project, *study, "hydra.sweeper.n_trials=4")
    assert first.items() <= project.experiment_commits().items()
    (report,) = (project.root / "reports/sweeps").glob("front-*")
    jobs = pd.read_csv(report / "jobs.csv")
    assert len(jobs) == 4
    assert jobs["error"].isna().all()
    assert jobs.filter(regex=r"max_leaf_nodes|classification\.C").shape[1] > 0
    assert (jobs[["model_size", "prediction_time"]] > 0).all(axis=None)
    front = printed.partition("on the Pareto front")[2]
    assert [name in front for name in jobs["experiment"]] == list(jobs["on_front"])
    assert jobs["on_front"].any()
    assert (report / "front.png").exists()


@pytest.mark.slow
def test_globs_and_overlays_are_swept_as_hydra_does(project: Project) -> None:
    project.edit("conf/config.yaml", "  - experiment: tiny\n", "")
    sweep(project, "-m", "model=glob(dum*)", "+experiment=glob(deb*)", "hydra/launcher=basic")
    (name,) = project.experiments()
    assert name.startswith("dummy-debug-")
    assert yaml.safe_load(project.experiment_file(name, "params.yaml"))["dataset"]["sample"] == 5000
