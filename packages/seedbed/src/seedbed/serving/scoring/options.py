"""How the files are written that a command reads: by its options, or as the project here says."""

from pathlib import Path
from typing import Any

from seedbed.config.schema import Source
from seedbed.errors import UserError


def parse_options(options: list[str] | None) -> dict[str, Any] | None:
    """Return options as they stand in YAML."""
    import yaml

    if not options:
        return None
    parsed = {}
    for text in options:
        name, sign, value = text.partition("=")
        if not sign:
            raise UserError(f"--option {text}: write KEY=VALUE, such as separator=';'.")
        try:
            parsed[name] = yaml.safe_load(value) if value not in (";", ",", "|") else value
        except yaml.YAMLError:
            parsed[name] = value
    return parsed


def project_source(dataset: str) -> Source | None:
    """Return how the first table of a dataset is read, where the project here has it."""
    if not (Path("conf").is_dir() and Path("params.yaml").is_file()):
        return None
    try:
        from seedbed.config.params import read_params
    except ModuleNotFoundError:  # a bundle's own environment knows no project
        return None
    params = read_params(["source", "dataset"])
    if params["dataset"].name != dataset:
        return None
    base = params["dataset"].table(params["dataset"].base)
    found = params["source"].of(base)
    missing = [*base.missing, *found.options.get("missing", [])]
    kind = "csv" if found.kind == "package" else found.kind
    return found.model_copy(update={"kind": kind, "options": {**found.options, "missing": missing}})
