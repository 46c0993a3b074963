"""A stage graph that runs in a moment: text files copied by the shell, for tests of what a sweep does with DVC."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from seedbed.sweeps.dvc_calls import split_lock

STAGES = {
    "clean": {
        "cmd": "mkdir -p data/clean && cp raw.txt data/clean/rows.txt && echo clean >> ran",
        "deps": ["raw.txt"],
        "params": ["cleaning"],
        "outs": ["data/clean"],
    },
    "featurize": {
        "cmd": ["cat data/clean/rows.txt > features.txt", "echo featurize >> ran"],
        "deps": ["data/clean"],
        "outs": ["features.txt"],
    },
    "train": {
        "cmd": "cat features.txt params.yaml > model.txt && cp params.yaml train.json && echo train >> ran",
        "deps": ["features.txt"],
        "params": ["train.rate", "words"],
        "outs": ["model.txt"],
        "metrics": [{"train.json": {"cache": False}}],
    },
    "evaluate": {
        "cmd": "mkdir -p predictions && cp model.txt predictions/a && cp params.yaml evaluate.json && echo 1 > plot.csv && echo evaluate >> ran",
        "deps": ["model.txt", "features.txt"],
        "outs": ["predictions"],
        "metrics": [{"evaluate.json": {"cache": False}}],
        "plots": [{"plot.csv": {"cache": False}}],
    },
    "gate": {
        "cmd": "cp evaluate.json gate.json && echo gate >> ran",
        "deps": ["evaluate.json"],
        "metrics": [{"gate.json": {"cache": False}}],
    },
    "explore": {
        "cmd": "cp raw.txt explored.json && echo explore >> ran",
        "deps": ["raw.txt"],
        "metrics": [{"explored.json": {"cache": False}}],
    },
}
PARAMS: dict[str, Any] = {
    "cleaning": {"strip": True, "missing": ["", "NA", "no"], "since": "2013-01-01"},
    "train": {"rate": 0.1, "depth": None},
    "words": "größer: \"quoted\" 'twice' # no comment\nand a second line",
    "seed": 1,
}
Change = Callable[[dict[str, Any]], None]


def write_params(root: Path, change: Change = lambda values: None) -> None:
    values = json.loads(json.dumps(PARAMS))
    change(values)
    (root / "params.yaml").write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")


def another_rate(values: dict[str, Any]) -> None:
    values["train"]["rate"] = 1e-05


def another_cleaning(values: dict[str, Any]) -> None:
    values["cleaning"]["since"] = None


def no_words(values: dict[str, Any]) -> None:
    values["words"] = ""


def another_seed(values: dict[str, Any]) -> None:
    values["seed"] = 2


def ran(root: Path) -> list[str]:
    """The stages that have run since the copy was made."""
    return (root / "ran").read_text().split() if (root / "ran").exists() else []


def lock(root: Path) -> str:
    return (root / "dvc.lock").read_text(encoding="utf-8")


def entries(root: Path) -> dict[str, str]:
    return split_lock(lock(root))[1]
