"""Plays 2013 month by month: serve, watch, retrain, promote. `make story`; docs/story.md tells it.

Everything happens in clones of HEAD below .dvc/tmp, which are removed at the end.
"""

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from report import CALENDAR, NEVER, WATCHED, Turn, write_story
from repository import CHAMPION, Repository
from server import ask_month

from seedbed.config.monitor import Monitor
from seedbed.config.repository import find_root
from seedbed.config.yaml_files import load_yaml
from seedbed.data.roles import target_column, time_column
from seedbed.data.tables import read_table
from seedbed.errors import UserError
from seedbed.files import read_json, replacing_folder
from seedbed.monitoring.checking import State, check_rows
from seedbed.monitoring.watching import watch
from seedbed.registry.promoting import SOURCES, refuse_uncommitted
from seedbed.serving import load_bundle

START, FIRST = "2013-01-01", "2013-04-01"
"""The window of the first model."""
MONTHS = [str(month) for month in pd.period_range("2013-04", "2013-12", freq="M")]
QUICK = "evaluation=quick"
"""Fewer resamples and importances: a retraining takes two thirds of the time."""
RETRAIN_AT = (State.DRIFT, State.PERFORMANCE_LOST)
OUT = Path("reports/story")


@dataclass(frozen=True)
class Model:
    """The bundle of a policy, and where the window of its rows ends."""

    bundle: Path
    trained_until: str


class Story:
    """Three policies and the months that their models answer.

    Parameters
    ----------
    source : Path
        The repository, which stays as it is.
    work : Path
        An empty folder, for clones, rows and prediction logs.
    out : Path
        A folder for the page of each month and the report of each retraining.
    """

    def __init__(self, source: Path, work: Path, out: Path) -> None:
        self.work, self.out = work, out
        self.watched = self._clone(source, "watched")
        self.calendar = self._clone(source, "calendar")
        train(self.watched, FIRST, QUICK)
        self.watched.run("git", "commit", "--quiet", "--all", "-m", "Train on the first months")
        self.watched.run("seedbed", "promote")
        first = shutil.copytree(self.watched.root / CHAMPION, work / "first")
        self.models = {
            NEVER: Model(first, FIRST),
            CALENDAR: Model(first, FIRST),
            WATCHED: Model(self.watched.root / CHAMPION, FIRST),
        }
        # All rows of the year; in the other clone, where data/raw must be those of the model.
        train(self.calendar, "null", only="ingest")
        columns = load_bundle(first).recipe.columns
        self.target = target_column(columns)
        rows = read_table(self.calendar.root / "data/raw")
        month = rows[str(time_column(columns))].dt.strftime("%Y-%m")
        self.rows = {name: part.reset_index(drop=True) for name, part in rows.groupby(month)}

    def play(self, month: str, last: bool) -> list[Turn]:
        """Let the three models answer a month; retrain for the next one, unless it is the last."""
        end = f"{pd.Period(month) + 1}-01"
        for repository in (self.watched, self.calendar):
            repository.today = pd.Timestamp(end)
        with ThreadPoolExecutor(1) as pool:  # one core computes while commands run on the other
            judged = pool.submit(self._judge, month)
            watched = self._watch(month)
            if not last and State[watched.decision.upper()] in RETRAIN_AT:
                watched = self._retrain(watched, end)
            never, calendar = judged.result()
        if not last:
            train(self.calendar, end, QUICK, "gate=none")
            self.models[CALENDAR] = Model(self.calendar.root / "models/bundle", end)
            calendar = replace(calendar, retraining="promoted", gate="Nobody asked.")
        return [never, calendar, watched]

    def _clone(self, source: Path, name: str) -> Repository:
        clone = Repository.clone(source, self.work / name, pd.Timestamp(FIRST))
        clone.run("dvc", "cache", "dir", "--local", self.work / "cache")
        return clone

    def _watch(self, month: str) -> Turn:
        """Serve the champion, let outcomes arrive, and look at the prediction log."""
        log = ask_month(self.watched, self.rows[month], self.target, month, self.work)
        page = self.out / f"{month}.html"
        codes = tuple(State)
        self.watched.run("seedbed", "monitor", "--current", log, "--out", page, codes=codes)
        report = read_json(page.with_suffix(".json"))
        return Turn.of(WATCHED, month, self.models[WATCHED].trained_until, report)

    def _judge(self, month: str) -> list[Turn]:
        """Look at the month as the models of the other policies answer it, in this process.

        The answers are those of a server, bit for bit.
        """
        limits = Monitor.model_validate(load_yaml(self.watched.root / "conf/monitor/default.yaml"))
        turns = []
        for policy in (NEVER, CALENDAR):
            model = self.models[policy]
            bundle = load_bundle(model.bundle)
            rows = watch(bundle, [self.rows[month]], bundle.profile)
            report = check_rows(bundle, rows, limits).to_dict()
            turns.append(Turn.of(policy, month, model.trained_until, report))
        return turns

    def _retrain(self, turn: Turn, end: str) -> Turn:
        """Retrain the champion, and promote the new model if the gate agrees."""
        command = ("seedbed", "retrain", "--promote", "--end", end)
        code, printed = self.watched.ask(*command, codes=(0, 3))
        report = self.watched.root / printed.rpartition(" Report: ")[2]
        shutil.copyfile(report, self.out / f"{turn.month}-retrained.md")
        if code == 0:
            self.models[WATCHED] = replace(self.models[WATCHED], trained_until=end)
        self._share(report.stem)
        gate = report.read_text(encoding="utf-8").split("\n\n")[1]
        return replace(turn, retraining="refused" if code else "promoted", gate=gate)

    def _share(self, experiment: str) -> None:
        """Tell the other clone what came of each stage: of the same rows it runs the gate alone."""
        pattern = f"refs/exps/*/*/{experiment}"
        ref = self.watched.run("git", "for-each-ref", "--format=%(refname)", pattern)
        self.calendar.run("git", "fetch", "--quiet", self.watched.root, ref)
        self.calendar.run("git", "checkout", "FETCH_HEAD", "--", "dvc.lock", "reports")


def train(repository: Repository, end: str, *choices: str, only: str = "") -> None:
    """Run the graph, or `only` up to one stage, in a clone's work tree."""
    window = (f"dataset.window.start={START}", f"dataset.window.end={end}")
    options = [word for choice in (*window, *choices) for word in ("-S", choice)]
    repository.run("dvc", "exp", "run", *options, *filter(None, [only]))


def main(arguments: Sequence[str] | None = None) -> None:
    """Play the story, and leave what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--until", choices=MONTHS, default=MONTHS[-1], help="the last month")
    parser.add_argument("--out", type=Path, default=OUT, help="a folder, which is replaced")
    chosen = parser.parse_args(arguments)
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    months = MONTHS[: MONTHS.index(chosen.until) + 1]
    try:
        root = find_root()
        refuse_uncommitted(root, *SOURCES)
        (root / ".dvc/tmp").mkdir(exist_ok=True)
        with (
            tempfile.TemporaryDirectory(prefix="story-", dir=root / ".dvc/tmp") as work,
            replacing_folder(root / chosen.out) as out,
        ):
            print("training on January to March", flush=True)
            story, turns = Story(root, Path(work), out), []
            for month in months:
                turns += story.play(month, last=month == months[-1])
                print(turns[-1].in_words(), flush=True)
            write_story(out, turns)
    except UserError as error:
        sys.exit(f"story: {error}")
    except KeyboardInterrupt:
        sys.exit("story: stopped; nothing of it is left.")
    print(f"{chosen.out}/README.md tells the story")


if __name__ == "__main__":
    main()
