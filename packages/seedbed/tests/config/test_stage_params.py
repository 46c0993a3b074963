"""A stage takes the sections of params.yaml that dvc.yaml declares, or both places are named."""

from pathlib import Path

import pytest

from seedbed.config.fingerprints import update_code
from seedbed.config.stage_params import find_wrong_params
from seedbed.errors import UserError

from support import REPOSITORY

TAKES = (
    "src/project/stages/work.py: the stage takes {}, and stage work of dvc.yaml does not declare it"
)
DECLARES = "dvc.yaml: stage work declares {}, and src/project/stages/work.py does not take it"


def write(
    root: Path,
    arguments: str,
    params: str,
    command: str = "sh src/stage.sh work",
    fingerprint: bool = True,
) -> None:
    (root / "src/project/stages").mkdir(parents=True)
    (root / "src/stage.sh").touch()
    code = f"import seedbed.stages as s\n\ndef help(model): ...\n\n@s.stage\ndef work({arguments}): ...\n"
    (root / "src/project/stages/work.py").write_text(code, encoding="utf-8")
    params = f"{params[:-1]}, {{code.yaml: [work]}}]" if fingerprint else params
    graph = f"stages:\n  other: {{cmd: echo}}\n  work:\n    cmd: {command}\n    params: {params}\n"
    (root / "dvc.yaml").write_text(graph, encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "params", "command", "found"),
    [
        ("seed, split", "[seed, split]", "sh src/stage.sh work", []),
        ("split, seed", "[{params.yaml: [seed, split]}]", "sh src/stage.sh work", []),
        ("project", "[project.balance]", "sh src/stage.sh work", []),
        ("seed", "[params.yaml: ]", "sh src/stage.sh work", []),
        ("seed", "[seed, {code.yaml: [clean]}]", "[sh src/stage.sh work, sh src/stage.sh clean]", []),
        ("", "[seed]", "sh src/stage.sh work", [DECLARES.format("seed")]),
        ("seed, *, split", "[seed]", "[mkdir -p x, sh src/stage.sh work]", [TAKES.format("split")]),
        ("seed", "[split, seed]", "sh src/stage.sh work", [DECLARES.format("split")]),
        ("sede", "[seed]", "sh src/stage.sh 'work'", [TAKES.format("sede"), DECLARES.format("seed")]),
        ("seed", "[split]", "python work.py", []),
        ("seed", "[split]", "sh src/stage.sh elsewhere", []),
    ],
)  # fmt: skip
def test_what_only_one_of_both_has_is_named_with_the_remedy(
    tmp_path: Path, arguments: str, params: str, command: str, found: list[str]
) -> None:
    write(tmp_path, arguments, params, command)
    sentences = list(find_wrong_params(tmp_path))
    assert [sentence.partition(", so ")[0] for sentence in sentences] == found
    assert all(" its params, or " in sentence for sentence in sentences)


@pytest.mark.parametrize(
    "params",
    ["[seed]", "[seed, {code.yaml: [clean]}]", "[seed, {code.yaml: [work, clean]}]", "[seed, {code.yaml: }]"],
)  # fmt: skip
def test_a_stage_that_does_not_declare_its_fingerprint_is_named(
    tmp_path: Path, params: str
) -> None:
    write(tmp_path, "seed", params, fingerprint=False)
    assert list(find_wrong_params(tmp_path)) == [
        "dvc.yaml: stage work runs src/project/stages/work.py, and does not declare the fingerprint of "
        "that code alone, so an edit of it would not run it again. Write {code.yaml: [work]} among its "
        "params, or name another stage in its cmd."
    ]


def test_stage_code_stops_at_it(tmp_path: Path) -> None:
    write(tmp_path, "seed", "[split]")
    with pytest.raises(UserError, match="the stage takes seed.*Add seed to its params"):
        update_code(tmp_path)
    assert not (tmp_path / "code.yaml").exists()


def test_this_repository_agrees() -> None:
    assert list(find_wrong_params(REPOSITORY)) == []
