"""The work of the whole graph as one plain script: one process, tables in memory, nothing hashed, nothing versioned.

python benchmarks/plain.py FOLDER writes model, reports and bundle into FOLDER. Run it from the repository's root.
"""

import sys
from functools import partial
from pathlib import Path

from seedbed.config.params import PARAMS, check_params, load_yaml
from seedbed.data.cleaning import clean_rows, clean_values, count_changes
from seedbed.data.exploring import (
    correlations,
    profile_page,
    summarize,
    target_by_feature,
    target_by_month,
    target_values,
)
from seedbed.data.exploring_plots import draw_correlations, draw_missing, draw_target, draw_time
from seedbed.data.featurizing import build_training_table
from seedbed.data.ingesting import assemble_rows
from seedbed.data.roles import columns_with
from seedbed.data.sources import read_source
from seedbed.data.validation import validate_rows, write_data_docs
from seedbed.files import write_json, write_text
from seedbed.models.evaluating import evaluate_model
from seedbed.models.gate import judge
from seedbed.models.images import draw_evaluation, draw_training
from seedbed.models.plots import write_evaluation_plots, write_training_plots
from seedbed.models.serialization import dump_pipeline
from seedbed.models.training import train_model
from seedbed.serving.bundle import write_bundle
from seedbed.serving.card import Facts, write_card
from seedbed.serving.card import summarize as summarize_figures
from seedbed.serving.packaging import periods, train_rows
from seedbed.serving.recipe import Recipe
from seedbed.serving.signature import Signature


def main(out: Path) -> None:
    """Run everything on the parameters of ./params.yaml."""
    params = check_params(load_yaml(Path(PARAMS)), Path.cwd())
    problem, columns, model = params.problem, params.columns, params.model
    for folder in ("explore", "train/plots", "train/images", "evaluate/plots", "evaluate/images"):
        (out / folder).mkdir(parents=True)

    raw = assemble_rows(partial(read_source, params.source, params.dataset), params.dataset, columns)

    result, outcome = validate_rows(raw, params.expectations)
    write_data_docs(outcome, out / "data_docs/index.html")
    write_json(out / "validation.json", result)

    target = target_values(raw, problem)
    by_feature, by_month = target_by_feature(raw, columns, target), target_by_month(raw, columns, target)
    write_text(out / "explore/profile.html", profile_page(raw, f"Raw rows: {problem.question}"))
    write_json(out / "explore/summary.json", summarize(raw, columns, problem, by_feature))
    draw_correlations(out / "explore/correlations.png", correlations(raw, columns))
    draw_missing(out / "explore/missing.png", raw)
    draw_target(out / "explore/target.png", by_feature, columns, problem)
    if by_month is not None:
        draw_time(out / "explore/time.png", by_month, problem)

    cleaned = clean_values(raw, columns, params.cleaning)
    rows, counts = clean_rows(cleaned, columns, problem, params.cleaning)
    write_json(out / "clean.json", {**counts, "values_made_missing": count_changes(raw, cleaned)})
    table = build_training_table(rows, columns, problem, params.features, params.split)

    trained = train_model(table, problem, params.split, model, params.evaluation, params.seed)
    dump_pipeline(trained.pipeline, out / "pipeline.skops")
    write_training_plots(out / "train/plots", trained.outcome, trained.details)
    draw_training(out / "train/images", trained.outcome, trained.baseline, trained.details, model.name)
    write_json(out / "train/details.json", trained.details)

    evaluated = evaluate_model(trained.pipeline, trained.decision, table, problem, params.evaluation, params.seed)
    evaluated.predictions.to_parquet(out / "predictions.parquet")
    write_evaluation_plots(out / "evaluate/plots", evaluated.outcome, evaluated.details)
    draw_evaluation(out / "evaluate/images", evaluated.outcome, evaluated.baseline, evaluated.details, model.name)
    write_json(out / "evaluate/details.json", evaluated.details)

    verdict = judge(evaluated.details, params.gate, problem)
    verdict.write(out / "gate.json")

    train = train_rows(rows, table, columns)
    signature = Signature.of(train, columns, params.features, params.dataset.time_zone)
    metrics = summarize_figures(trained.details, evaluated.details)
    excluded = columns_with(columns, "known_after_outcome")
    card = write_card(Facts(params.dataset, problem, params.split, model, signature, metrics, periods(table), excluded))
    recipe = Recipe(
        params.dataset.name, problem, columns, params.cleaning, params.features, trained.decision, signature
    )
    write_bundle(
        out / "bundle",
        recipe,
        pipeline=out / "pipeline.skops",
        metrics=metrics,
        card=card,
        requirements=Path("requirements.lock"),
    )
    print(verdict.reason)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
