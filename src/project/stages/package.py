"""Stage package: the bundle that is served. A "no" of the gate stops, or is recorded in an experiment."""

from pathlib import Path

from seedbed.config.schema import Cleaning, Column, Dataset, Features, Model, Problem, Split
from seedbed.data.roles import columns_with, time_column
from seedbed.data.tables import read_table
from seedbed.files import read_json
from seedbed.models.decision import Decision
from seedbed.models.gate import read_refusal
from seedbed.serving.bundle import write_bundle
from seedbed.serving.card import Facts, summarize, write_card
from seedbed.serving.packaging import gather_code, periods, refuse_bundle, train_rows
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
    columns: dict[str, Column],
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
    sides = read_table(
        Path("data/features"), ["_row", "_split", *(["_time"] if time_column(columns) else [])]
    )
    train = train_rows(read_table(Path("data/clean")), sides, columns)
    signature = Signature.of(train, columns, features, dataset.time_zone)
    metrics = summarize(
        *(read_json(Path(f"reports/{stage}/details.json")) for stage in ("train", "evaluate"))
    )
    excluded = columns_with(columns, "known_after_outcome")
    card = write_card(
        Facts(dataset, problem, split, model, signature, metrics, periods(sides), excluded)
    )
    decision = Decision.read(MODEL / "decision.json")
    recipe = Recipe(dataset.name, problem, columns, cleaning, features, decision, signature)
    write_bundle(
        BUNDLE,
        recipe,
        pipeline=MODEL / "pipeline.skops",
        packages=read_json(MODEL / "packages.json"),
        metrics=metrics,
        card=card,
        code=gather_code(MODEL / "pipeline.skops"),
        seen=SeenRows.of(sides.loc[sides["_split"] != "test", "_row"].to_numpy()),
    )
