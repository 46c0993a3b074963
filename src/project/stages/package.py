"""Stage package: the bundle that is served, unless the gate says no."""

from pathlib import Path

from seedbed.config.schema import Cleaning, Column, Dataset, Features, Model, Problem, Split
from seedbed.data.roles import columns_with, time_column
from seedbed.data.tables import read_table
from seedbed.files import read_json
from seedbed.models.decision import Decision
from seedbed.models.gate import read_refusal
from seedbed.serving.card import Facts, summarize, write_card
from seedbed.serving.packaging import (
    periods,
    refuse_bundle,
    train_rows,
    write_bundle,
)
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
    time = ["_time"] if time_column(columns) else []
    sides = read_table(Path("data/features"), ["_row", "_split", *time])
    train = train_rows(read_table(Path("data/clean")), sides, columns)
    signature = Signature.of(train, columns, features, dataset.time_zone)
    details = (read_json(Path(f"reports/{name}/details.json")) for name in ("train", "evaluate"))
    metrics = summarize(*details)
    hidden = columns_with(columns, "known_after_outcome")
    facts = Facts(dataset, problem, split, model, signature, metrics, periods(sides), hidden)
    recipe = Recipe(
        dataset=dataset.name,
        problem=problem,
        columns=columns,
        cleaning=cleaning,
        features=features,
        decision=Decision.read(MODEL / "decision.json"),
        signature=signature,
    )
    seen = SeenRows.of(sides.loc[sides["_split"] != "test", "_row"].to_numpy())
    write_bundle(BUNDLE, recipe, model=MODEL, metrics=metrics, card=write_card(facts), seen=seen)
