"""The work of the whole graph as one plain script: one process, nothing hashed, nothing versioned.

python benchmarks/plain.py FOLDER writes model, reports and bundle into FOLDER. Run it from the
repository's root.
"""

import sys
from functools import partial
from pathlib import Path

from project.stages.explore import write_exploration
from seedbed.config.columns import resolve_columns
from seedbed.config.params import PARAMS, check_params
from seedbed.config.yaml_files import load_yaml
from seedbed.data.cleaning import clean_rows, clean_values, count_changes
from seedbed.data.featurizing import build_training_table
from seedbed.data.ingesting import assemble_rows
from seedbed.data.sources import read_source
from seedbed.data.tables import ROW, SPLIT, write_table
from seedbed.data.validation import validate_rows, write_data_docs
from seedbed.files import write_json
from seedbed.models.evaluating import evaluate_model
from seedbed.models.gate import judge
from seedbed.models.reports import write_model, write_report
from seedbed.models.training import train_model
from seedbed.serving.card import summarize, write_card
from seedbed.serving.packaging import periods, rows_of, write_bundle
from seedbed.serving.recipe import Recipe
from seedbed.serving.seen_rows import SeenRows
from seedbed.serving.signature import Signature


def main(out: Path) -> None:
    """Run everything on the parameters of ./params.yaml."""
    params = check_params(load_yaml(Path(PARAMS)), Path.cwd())
    problem, model = params.problem, params.model

    read = partial(read_source, params.source, params.dataset)
    raw = assemble_rows(read, params.dataset, params.columns)
    columns = resolve_columns(params.columns, raw)

    result, outcome = validate_rows(raw, params.expectations)
    write_data_docs(outcome, out / "data_docs/index.html")
    write_json(out / "validation.json", result)

    write_exploration(out / "explore", raw, columns, problem)

    cleaned = clean_values(raw, columns, params.cleaning)
    rows, counts = clean_rows(cleaned, columns, problem, params.cleaning)
    write_json(out / "clean.json", {**counts, "values_made_missing": count_changes(raw, cleaned)})
    table = build_training_table(rows, columns, problem, params.features, params.split)

    trained = train_model(
        table, problem, params.split, model, params.evaluation, params.seed, params.features
    )
    write_model(trained.pipeline, trained.decision, out / "model")
    write_report(trained, model.name, out / "train")

    evaluated = evaluate_model(
        trained.pipeline, trained.decision, table, problem, params.evaluation, params.seed, model
    )
    write_table(evaluated.predictions, out / "predictions")
    write_report(evaluated, model.name, out / "evaluate")

    verdict = judge(evaluated.details, params.gate, problem)
    verdict.write(out / "verdict.json")

    train, validation = (rows_of(part, rows, table, columns) for part in ("train", "validation"))
    signature = Signature.of(train, columns, params.features, params.dataset.time_zone)
    metrics = summarize(trained.details, evaluated.details)
    recipe = Recipe(
        dataset=params.dataset.name,
        problem=problem,
        columns=columns,
        cleaning=params.cleaning,
        features=params.features,
        decision=trained.decision,
        signature=signature,
    )
    card = write_card(recipe, params.dataset, params.split, model, metrics, periods(table))
    write_bundle(
        out / "bundle",
        recipe,
        model=out / "model",
        metrics=metrics,
        card=card,
        seen=SeenRows.of(table.loc[table[SPLIT] != "test", ROW].to_numpy()),
        train=train,
        validation=validation,
    )
    print(verdict.reason)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
