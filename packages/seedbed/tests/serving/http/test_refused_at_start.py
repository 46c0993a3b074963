"""What cannot be served is refused at the start, in one paragraph, with the reason."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from http_server import serving
from seedbed.serving.packaging import refuse_bundle

from support import sign_again


def started_in_vain(*arguments: str, cwd: Path | None = None, **environment: str) -> str:
    """Return the one paragraph that `seedbed serve` prints before it exits with code 1."""
    done = subprocess.run(
        [sys.executable, "-m", "seedbed", "serve", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("seedbed: ")
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr


def sign_file_again(path: Path) -> None:
    """Change the hash of a file in bundle.json as somebody who knows its format would."""
    about = json.loads((path.parent / "bundle.json").read_text())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    sign_again(path.parent, files={**about["files"], path.name: digest})


@pytest.mark.slow
def test_a_changed_file_is_refused(bundle_copy: Path) -> None:
    with (bundle_copy / "metrics.json").open("a") as file:
        file.write(" ")
    found = started_in_vain(str(bundle_copy))
    assert "metrics.json is not the file that was packaged" in found


@pytest.mark.slow
def test_an_unknown_type_is_refused(bundle_copy: Path) -> None:
    path = bundle_copy / "pipeline.skops"
    with zipfile.ZipFile(path) as file:
        content = {name: file.read(name) for name in file.namelist()}
    schema = json.loads(content["schema.json"])
    schema["__class__"], schema["__module__"] = "system", "os"
    content["schema.json"] = json.dumps(schema).encode()
    with zipfile.ZipFile(path, "w") as file:
        for name, part in content.items():
            file.writestr(name, part)
    sign_file_again(path)
    assert "os.system" in started_in_vain(str(bundle_copy))


@pytest.mark.slow
def test_another_version_of_scikit_learn_is_refused_unless_it_is_allowed(
    bundle_copy: Path, tmp_path: Path
) -> None:
    about = json.loads((bundle_copy / "bundle.json").read_text())
    about["packages"]["scikit-learn"] = "1.8.0"
    (bundle_copy / "bundle.json").write_text(json.dumps(about))
    sign_again(bundle_copy)
    found = started_in_vain(str(bundle_copy))
    assert "was trained with scikit-learn 1.8.0" in found
    assert "requirements.lock" in found
    with serving(bundle_copy, tmp_path / "log", "--allow-other-versions") as server:
        assert server.client.get("/ready").status_code == 200
        assert "scikit-learn 1.8.0" in server.log.read_text()


@pytest.mark.slow
def test_other_answers_to_the_sample_rows_are_refused(bundle_copy: Path) -> None:
    path = bundle_copy / "samples.json"
    samples = json.loads(path.read_text())
    samples["answers"][7]["score"] += 1e-6
    path.write_text(json.dumps(samples))
    sign_file_again(path)
    assert "row 7: score is" in started_in_vain(str(bundle_copy))


@pytest.mark.slow
def test_a_refused_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_EXP_NAME", "one")
    refuse_bundle(tmp_path / "bundle", tmp_path / "refusal.txt", "It is worse than the champion.")
    found = started_in_vain(str(tmp_path / "bundle"))
    assert "the gate refused this model" in found
    assert "worse than the champion" in found


@pytest.mark.slow
def test_without_a_bundle_the_command_says_how_to_make_one(tmp_path: Path) -> None:
    assert "dvc repro package" in started_in_vain(cwd=tmp_path)
    assert "dvc repro package" in started_in_vain("elsewhere", cwd=tmp_path)


@pytest.mark.slow
def test_the_champion_comes_before_the_bundle_packaged_last(
    built: Callable[[str], Path], tmp_path: Path
) -> None:
    bundles = tmp_path / "models"
    shutil.copytree(built("wine") / "models/bundle", bundles / "bundle")
    shutil.copytree(built("wine") / "models/bundle", bundles / "champion")
    (bundles / "champion/metrics.json").write_text("{}")
    assert "models/champion/metrics.json" in started_in_vain(cwd=tmp_path)
    shutil.rmtree(bundles / "champion")
    (bundles / "bundle/metrics.json").write_text("{}")
    assert "models/bundle/metrics.json" in started_in_vain(cwd=tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_in_use_is_refused(built: Callable[[str], Path], workers: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        path = str(built("wine") / "models/bundle")
        found = started_in_vain(path, "--port", port, "--workers", workers)
        assert f"127.0.0.1:{port}: Address already in use" in found


@pytest.mark.slow
def test_a_broken_shadow_a_host_and_a_token_that_are_not_there_are_refused(
    built: Callable[[str], Path], tmp_path: Path
) -> None:
    path = str(built("wine") / "models/bundle")
    assert "no such bundle" in started_in_vain(path, "--shadow", str(tmp_path / "none"))
    assert "TOKEN_OF_MINE is not set" in started_in_vain(path, "--token-env", "TOKEN_OF_MINE")
    found = started_in_vain(path, "--token-env", "TOKEN_OF_MINE", TOKEN_OF_MINE="")
    assert "TOKEN_OF_MINE is not set" in found
    assert "no.such.host.invalid" in started_in_vain(path, "--host", "no.such.host.invalid")
