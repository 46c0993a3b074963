"""`seedbed remote` tries a place before it writes it to .dvc/config."""

from pathlib import Path

import pytest

from remotes_support import Machine
from servers import SSHD, Place, free_port, place_of, s3_place


def config(machine: Machine) -> str:
    return (machine.root / ".dvc/config").read_text(encoding="utf-8")


def test_a_relative_directory_is_the_same_for_dvc_and_in_a_subfolder(
    first: Machine, tmp_path: Path
) -> None:
    said = first.seedbed("remote", "../../store", cwd=first.root / "conf")
    assert f"wrote, read and removed a small file at {tmp_path}/store" in said
    assert "url = ../../store" in config(first)  # from .dvc/
    assert "verify = true" in config(first).lower()
    first.dvc("push", "--quiet")
    assert (tmp_path / "store/files/md5").is_dir()
    assert [path.name for path in (tmp_path / "store").iterdir()] == ["files"]


def test_another_place_is_told_from_the_one_before(first: Machine, tmp_path: Path) -> None:
    first.seedbed("remote", str(tmp_path / "one"))
    assert "storage was" not in first.seedbed("remote", str(tmp_path / "one"))
    first.dvc("remote", "modify", "storage", "jobs", "2")
    said = first.seedbed("remote", str(tmp_path / "two"))
    assert f"storage was {tmp_path}/one" in said
    assert "kept what .dvc/config had for storage besides: jobs" in said
    assert "jobs = 2" in config(first)


def test_a_place_that_cannot_be_written_changes_nothing(first: Machine, tmp_path: Path) -> None:
    before = config(first)
    (tmp_path / "file").touch()
    told = first.refused("seedbed", "remote", str(tmp_path / "file/store"))
    assert ".dvc/config is as it was" in told
    assert config(first) == before


def test_a_server_that_is_down_is_known_in_seconds(first: Machine) -> None:
    for url, options in (
        ("s3://bucket/a", ["--endpoint-url", f"http://127.0.0.1:{free_port()}"]),
        (f"ssh://127.0.0.1:{free_port()}/srv", []),
    ):
        told = first.refused(
            "seedbed",
            "remote",
            url,
            *options,
            limit=30,
            AWS_ACCESS_KEY_ID="a",
            AWS_SECRET_ACCESS_KEY="b",
        )
        assert "does not answer" in told
        assert "Check that it runs" in told


def test_a_bucket_that_is_not_there_and_missing_credentials_are_told(
    first: Machine, s3: Place
) -> None:
    told = first.refused("seedbed", "remote", "s3://another/a", *s3.options, **s3.environment)
    assert "Create the bucket" in told
    told = first.refused("seedbed", "remote", s3.url, *s3.options, AWS_EC2_METADATA_DISABLED="true")
    assert "does not let you in" in told
    assert "AWS_ACCESS_KEY_ID" in told


def test_a_key_that_s3_rejects_is_told(first: Machine, tmp_path: Path) -> None:
    # The first request makes the bucket; from then on moto asks who is there.
    with s3_place(tmp_path / "s3", INITIAL_NO_AUTH_ACTION_COUNT="1") as place:
        told = first.refused("seedbed", "remote", place.url, *place.options, **place.environment)
    assert "does not let you in" in told
    assert "AWS_ACCESS_KEY_ID" in told
    assert "storage" not in (first.root / ".dvc/config").read_text()


@pytest.mark.skipif(SSHD is None, reason="sshd is not installed")
def test_a_key_that_ssh_rejects_is_told(first: Machine, tmp_path: Path) -> None:
    with place_of("ssh", tmp_path / "ssh") as place:
        (tmp_path / "ssh/authorized_keys").write_text("", encoding="utf-8")
        told = first.refused("seedbed", "remote", place.url, **place.environment)
    assert "does not let you in" in told
    assert "storage" not in (first.root / ".dvc/config").read_text()


@pytest.mark.skipif(SSHD is None, reason="sshd is not installed")
def test_a_host_key_that_is_not_known_is_told(first: Machine, tmp_path: Path) -> None:
    with place_of("ssh", tmp_path / "ssh") as place:
        (Path(place.environment["HOME"]) / ".ssh/known_hosts").write_text("", encoding="utf-8")
        told = first.refused("seedbed", "remote", place.url, **place.environment)
    assert "host key that this machine does not know" in told


@pytest.mark.parametrize(
    "arguments",
    [
        ["s3://key:hunter2@bucket/a"],  # pragma: allowlist secret
        ["s3://bucket/a", "--endpoint-url", "http://a:hunter2@host"],  # pragma: allowlist secret
    ],
)
def test_a_secret_is_refused(first: Machine, arguments: list[str]) -> None:
    told = first.refused("seedbed", "remote", *arguments)
    assert "goes into Git" in told
    assert "hunter2" not in told + config(first)


def test_make_remote_passes_address_and_endpoint(first: Machine, s3: Place) -> None:
    makefile = Path(__file__).parents[4] / "Makefile"
    first.run(
        "make",
        "-f",
        str(makefile),
        "-o",
        ".venv/.installed",
        "-o",
        "setup",
        "remote",
        f"URL={s3.url}",
        f"ENDPOINT_URL={s3.options[1]}",
        **s3.environment,
    )
    assert f"endpointurl = {s3.options[1]}" in config(first)
