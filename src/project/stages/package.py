"""Stage package: the bundle that is served, unless the gate says no."""

from pathlib import Path

from seedbed.config.columns import resolve_columns
from seedbed.config.schema import Cleaning, ColumnLists, Dataset, Features, Model, Problem, Split
from seedbed.data.tables import ROW, SPLIT, TIME, read_table
from seedbed.files import read_json
from seedbed.models.decision import Decision
from seedbed.models.gate import read_refusal
from seedbed.serving.card import summarize, write_card
from seedbed.serving.packaging import periods, refuse_bundle, rows_of, write_bundle
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
        refuse_bundle(BUNDLE, REFUSAL, reason)
        return
    clean = read_table(Path("data/clean"))
    known = resolve_columns(columns, clean)
    rows = read_table(Path("data/features"), [ROW, SPLIT, *([TIME] if columns.time else [])])
    train, validation = (rows_of(part, clean, rows, known) for part in ("train", "validation"))
    recipe = Recipe(
        dataset=dataset.name,
        problem=problem,
        columns=known,
        cleaning=cleaning,
        features=features,
        decision=Decision.read(MODEL / "decision.json"),
        signature=Signature.of(train, known, features, dataset.time_zone),
    )
    reports = (read_json(Path(f"reports/{name}/details.json")) for name in ("train", "evaluate"))
    metrics = summarize(*reports)
    card = write_card(recipe, dataset, split, model, metrics, periods(rows))
    seen = SeenRows.of(rows.loc[rows[SPLIT] != "test", ROW].to_numpy())
    write_bundle(
        BUNDLE,
        recipe,
        model=MODEL,
        metrics=metrics,
        card=card,
        seen=seen,
        train=train,
        validation=validation,
        samples=dataset.samples_in_bundle,
    )
