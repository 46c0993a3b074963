"""`seedbed bundle verify` finds whatever is not as it was packaged, and says so in a line."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from seedbed.cli.main import app
from seedbed.files import write_text
from seedbed.serving import load_bundle
from seedbed.serving.packaging import refuse_bundle
from seedbed.serving.samples import Samples
from seedbed.serving.verifying import TOLERANCE, compare_samples

from support import sign_again

Built = Callable[[str], Path]
NAMES = ["bundle", "files", "packages", "lock", "loading", "answers"]


def verify(folder: Path) -> Result:
    return CliRunner().invoke(app, ["bundle", "verify", str(folder)])


def marks(done: Result) -> dict[str, str]:
    """Return ok or WRONG by the name of the fact."""
    lines = [line.split(maxsplit=2) for line in done.output.splitlines()]
    return {name: mark for mark, name, _ in lines}


@pytest.mark.parametrize("name", ["flights", "wine", "diabetes"])
def test_a_bundle_that_is_whole_passes(built: Built, name: str) -> None:
    done = verify(built(name) / "models/bundle")
    assert marks(done) == dict.fromkeys(NAMES, "ok"), done.output
    assert done.exit_code == 0
    assert "50 sample rows, answered as in training, to the last bit" in done.output


def changed(folder: Path) -> None:
    with (folder / "metrics.json").open("a") as file:
        file.write(" ")


def missing(folder: Path) -> None:
    (folder / "samples.json").unlink()


def added(folder: Path) -> None:
    (folder / "code/note.txt").write_text("a note")


def changed_wheel(folder: Path) -> None:
    (wheel,) = (folder / "wheels").iterdir()
    wheel.write_bytes(wheel.read_bytes().replace(b"sample", b"ssmple", 1))


def described_otherwise(folder: Path) -> None:
    about = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps({**about, "dataset": "trains"}))


def no_json(folder: Path) -> None:
    (folder / "bundle.json").write_text("{")


def signed_again(folder: Path, name: str, content: bytes, **more: object) -> None:
    """Put another file into a bundle, with the right hash of it."""
    (folder / name).write_bytes(content)
    files = json.loads((folder / "bundle.json").read_text())["files"]
    sign_again(folder, files={**files, name: hashlib.sha256(content).hexdigest()}, **more)


def unknown_type(folder: Path) -> None:
    path = folder / "pipeline.skops"
    with zipfile.ZipFile(path) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    schema = parts["schema.json"].decode()
    estimator = r'"HistGradientBoostingClassifier","__module__":"sklearn[^"]*"'
    harmful, count = re.subn(estimator, '"Popen","__module__":"subprocess"', schema)
    assert count
    parts["schema.json"] = harmful.encode()
    with zipfile.ZipFile(path, "w") as target:
        for name, content in parts.items():
            target.writestr(name, content)
    signed_again(folder, path.name, path.read_bytes())


def other_scikit_learn(folder: Path) -> None:
    packages = json.loads((folder / "bundle.json").read_text())["packages"]
    sign_again(folder, packages={**packages, "scikit-learn": "1.2.3"})


def package_not_installed(folder: Path) -> None:
    text = (folder / "requirements.lock").read_text() + "nosuchpackage==1.0\n"
    signed_again(folder, "requirements.lock", text.encode())


def other_answers(folder: Path) -> None:
    samples = json.loads((folder / "samples.json").read_text())
    samples["answers"][7]["score"] += 0.001
    signed_again(folder, "samples.json", json.dumps(samples).encode())


def refused(folder: Path) -> None:
    refuse_bundle(folder, folder.parent / "refusal.txt", "roc_auc 0.5 is below 0.6.")


def other_format(folder: Path) -> None:
    sign_again(folder, format=99)


TROUBLE: dict[str, tuple[Callable[[Path], None], list[str], str]] = {
    "a changed file": (changed, ["files"], "metrics.json is not the file that was packaged"),
    "a changed wheel": (changed_wheel, ["files"], ".whl is not the file that was packaged"),
    "a missing file": (missing, ["files"], "samples.json is missing"),
    "an added file": (added, ["files"], "code/note.txt is no file of this bundle: remove it"),
    "a description edited by hand": (described_otherwise, ["bundle"], "bundle.json is not the file"),
    "a description that is no JSON": (no_json, ["bundle"], "cannot be read as the description"),
    "another format": (other_format, ["bundle"], "format is 99"),
    "a refusal": (refused, ["bundle"], "the gate refused this model, so it is not served. roc_auc"),
    "no bundle": (shutil.rmtree, ["bundle"], "there is no such bundle"),
    "an unknown type": (unknown_type, ["loading"], "holds subprocess.Popen, which is not on the"),
    "another scikit-learn": (other_scikit_learn, ["packages"], "scikit-learn 1.9.1 is installed, and 1.2.3 in training"),
    "a package that is missing": (package_not_installed, ["lock"], "nosuchpackage is not installed, and 1.0 in requirements.lock"),
    "another answer": (other_answers, ["answers"], "row 7: score is 0."),
}  # fmt: skip


@pytest.mark.parametrize(("damage", "wrong", "words"), TROUBLE.values(), ids=TROUBLE)
def test_what_is_wrong_is_named(
    bundle_copy: Path,
    damage: Callable[[Path], None],
    wrong: list[str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DVC_EXP_NAME", "exp")  # outside of an experiment a refusal is no bundle
    damage(bundle_copy)
    done = verify(bundle_copy)
    assert [name for name, mark in marks(done).items() if mark == "WRONG"] == wrong, done.output
    assert done.exit_code == 1
    assert words in done.output
    assert not isinstance(done.exception, Exception), "no traceback"


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    write_text(tmp_path / "notes.txt", "no bundle")
    done = verify(tmp_path)
    assert marks(done) == {"bundle": "WRONG"} and done.exit_code == 1
    assert "cannot be read as the description of a bundle" in done.output


def test_changed_code_is_not_run(bundle_copy: Path) -> None:
    mark = bundle_copy.parent / "ran"
    write_text(bundle_copy / "code/project/features.py", f"open({str(mark)!r}, 'w')\n")
    assert verify(bundle_copy).exit_code == 1
    assert not mark.exists()


@pytest.mark.parametrize(
    ("factor", "genuine", "words"),
    [
        (1.0, True, "to the last bit"),
        (1 + 1e-15, True, "but for the last bits: numbers differ by"),
        (1 + 10 * TOLERANCE, False, "was expected"),
    ],
)
def test_last_bits_are_tolerated_and_said(
    built: Built, factor: float, genuine: bool, words: str
) -> None:
    bundle = load_bundle(built("diabetes") / "models/bundle")
    answers = [{"prediction": row["prediction"] * factor} for row in bundle.samples.answers]
    fact = compare_samples(replace(bundle, samples=Samples(bundle.samples.rows, answers)))
    assert fact.genuine is genuine
    assert words in fact.text


def test_a_bundle_without_sample_rows_says_that_none_were_compared(
    built: Built, tmp_path: Path, run_stages: Callable[..., None]
) -> None:
    root = tmp_path / "root"
    shutil.copytree(built("wine"), root, ignore=shutil.ignore_patterns("bundle"))
    params = (root / "params.yaml").read_text(encoding="utf-8")
    (root / "params.yaml").write_text(
        params.replace("dataset:\n", "dataset:\n  samples_in_bundle: 0\n")
    )
    run_stages(root, [], ("package",))
    assert json.loads((root / "models/bundle/samples.json").read_text()) == {
        "rows": [],
        "answers": [],
    }
    done = verify(root / "models/bundle")
    assert marks(done) == dict.fromkeys(NAMES, "ok") and done.exit_code == 0
    assert "the bundle carries no sample rows, so none were compared" in done.output


@pytest.mark.slow
def test_verifying_needs_no_repository(bundle_copy: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "seedbed", "bundle", "verify", str(bundle_copy)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr
    assert not list(bundle_copy.rglob("__pycache__")), "a bundle is as it was packaged"
