"""Stage package: the bundle that is served. A "no" of the gate stops `dvc repro`; an experiment records the refusal."""

from pathlib import Path

from seedbed.config.columns import resolve_columns
from seedbed.config.repository import inside_experiment
from seedbed.config.schema import Cleaning, ColumnLists, Dataset, Features, Model, Problem, Split
from seedbed.data.roles import columns_with
from seedbed.data.tables import ROW, SPLIT, TIME, read_table
from seedbed.errors import UserError
from seedbed.files import read_json, write_text
from seedbed.models.decision import Decision
from seedbed.models.gate import Verdict, read_refusal
from seedbed.serving.bundle import write_bundle, write_refused_bundle
from seedbed.serving.card import Facts, summarize, write_card
from seedbed.serving.packaging import periods, train_rows
from seedbed.serving.recipe import Recipe
from seedbed.serving.seen_rows import SeenRows
from seedbed.serving.signature import Signature
from seedbed.stages import stage

REFUSAL = Path("reports/refusal.txt")
MODEL = Path("models/model")
BUNDLE = Path("models/bundle")


@stage
def package(
    dataset: Dataset,
    columns: ColumnLists,
    problem: Problem,
    cleaning: Cleaning,
    features: Features,
    split: Split,
    model: Model,
) -> None:
    """Write models/bundle, or refuse."""
    if reason := read_refusal(REFUSAL):
        _refuse(Verdict(False, reason))
        return
    clean = read_table(Path("data/clean"))
    known = resolve_columns(columns, clean)
    rows = read_table(Path("data/features"), [ROW, SPLIT, *([TIME] if columns.time else [])])
    train = train_rows(clean, rows, known)
    signature = Signature.of(train, known, features, dataset.time_zone)
    metrics = summarize(
        *(read_json(Path(f"reports/{stage}/details.json")) for stage in ("train", "evaluate"))
    )
    excluded = columns_with(known, "known_after_outcome")
    card = write_card(
        Facts(dataset, problem, split, model, signature, metrics, periods(rows), excluded)
    )
    decision = Decision.read(MODEL / "decision.json")
    recipe = Recipe(dataset.name, problem, known, cleaning, features, decision, signature)
    write_bundle(
        BUNDLE,
        recipe,
        pipeline=MODEL / "pipeline.skops",
        packages=read_json(MODEL / "packages.json"),
        metrics=metrics,
        card=card,
        requirements=Path("requirements.lock"),
        seen=SeenRows.of(rows.loc[rows[SPLIT] != "test", ROW].to_numpy()),
    )


def _refuse(verdict: Verdict) -> None:
    if not inside_experiment():
        raise UserError(
            f"the gate refused this model, so there is no bundle. {verdict.reason} Look at reports/evaluate, then "
            "choose another model or other features. What a model must reach is in conf/gate."
        )
    write_refused_bundle(BUNDLE, verdict)
    # DVC would take the experiment's refusal for a finished package stage, and a later `dvc repro` of it would succeed
    # without a word. Written in other bytes than gate did, the refusal makes it run gate and package again, and stop.
    write_text(REFUSAL, f"{verdict.reason}\n\n")
    print(f"no bundle: {verdict.reason}")
