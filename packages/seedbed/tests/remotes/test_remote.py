"""`seedbed remote` tries a place, and writes it to .dvc/config only if that works."""

from pathlib import Path

import pytest

from remotes_support import Machine
from seedbed.errors import UserError
from seedbed.remotes.remote import check_address
from servers import SSHD, Place, free_port, s3_place, ssh_place

needs_sshd = pytest.mark.skipif(SSHD is None, reason="sshd is not installed")


def config(machine: Machine) -> str:
    return (machine.root / ".dvc/config").read_text(encoding="utf-8")


def test_a_relative_directory_is_the_same_for_dvc_and_in_a_subfolder(
    first: Machine, tmp_path: Path
) -> None:
    printed = first.seedbed("remote", "../../store", cwd=first.root / "conf")
    assert f"wrote, read and removed a small file at {tmp_path}/store" in printed
    assert "url = ../../store" in config(first)  # from .dvc/
    assert "verify = true" in config(first).lower()
    first.dvc("push", "--quiet")
    assert [path.name for path in (tmp_path / "store").iterdir()] == ["files"]


def test_another_place_takes_over_settings_and_names_the_one_before(
    first: Machine, tmp_path: Path
) -> None:
    first.seedbed("remote", str(tmp_path / "one"))
    first.dvc("remote", "modify", "storage", "jobs", "2")
    assert f"{tmp_path}/one stays there" in first.seedbed("remote", str(tmp_path / "two"))
    assert "jobs = 2" in config(first)


def test_make_remote_passes_address_and_endpoint(first: Machine, s3: Place) -> None:
    makefile = Path(__file__).parents[4] / "Makefile"
    known = ["make", "-f", str(makefile), "-o", ".venv/.installed", "-o", "setup", "remote"]
    first.run(*known, f"URL={s3.url}", f"ENDPOINT_URL={s3.options[1]}", **s3.environment)
    assert f"endpointurl = {s3.options[1]}" in config(first)


def refused(machine: Machine, place: Place, **environment: str) -> str:
    """Set up a place that must be refused; return what was printed."""
    before = config(machine)
    variables = {**place.environment, "AWS_EC2_METADATA_DISABLED": "true", **environment}
    message = machine.refused("seedbed", "remote", place.url, *place.options, **variables)
    assert ".dvc/config stays as it was" in message
    assert config(machine) == before
    return message


def test_a_place_that_cannot_be_used_is_told(first: Machine, s3: Place, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused(first, Place(str(tmp_path / "file/store")))
    another = Place("s3://another/a", s3.options, s3.environment)
    assert "Create the bucket" in refused(first, another)
    nobody = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    assert "Access is denied" in refused(first, s3, **nobody)
    s3.kill()
    assert "It does not answer" in refused(first, s3)
    away = Place(f"ssh://127.0.0.1:{free_port()}/srv")
    assert "It does not answer" in refused(first, away)


def test_a_key_that_s3_rejects_is_told(first: Machine, tmp_path: Path) -> None:
    # The first request makes the bucket; from then on moto asks who is there.
    with s3_place(tmp_path / "s3", INITIAL_NO_AUTH_ACTION_COUNT="1") as place:
        assert "Access is denied" in refused(first, place)


@needs_sshd
@pytest.mark.parametrize(
    ("file", "message"),
    [("authorized_keys", "Access is denied"), ("home/.ssh/known_hosts", "~/.ssh/known_hosts")],
)
def test_a_key_that_ssh_does_not_know_is_told(
    file: str, message: str, first: Machine, tmp_path: Path
) -> None:
    with ssh_place(tmp_path / "ssh") as place:
        (tmp_path / "ssh" / file).write_text("", encoding="utf-8")
        assert message in refused(first, place)


@pytest.mark.parametrize(
    ("url", "endpoint_url", "message"),
    [
        ("", None, "'' is no address. Give one like /mnt/share"),
        ("user@host:/srv/data", None, "ssh://user@host/srv"),
        ("ssh://user:hunter2@host/srv", None, "holds a secret"),  # pragma: allowlist secret
        ("s3://AKIAKEY:hunter2@bucket/a", None, "config.local"),  # pragma: allowlist secret
        ("s3://hunter2@bucket/a", None, "AWS_SECRET_ACCESS_KEY"),
        ("s3://bucket/a?secret_access_key=hunter2", None, "goes into Git"),
        ("s3://bucket", "http://a:hunter2@host", "holds a secret"),  # pragma: allowlist secret
        ("/home/somebody/project/store", None, "inside the repository /home/somebody/project"),
    ],
)
def test_a_bad_address_is_refused_without_showing_its_secret(
    url: str, endpoint_url: str | None, message: str
) -> None:
    with pytest.raises(UserError) as refusal:
        check_address(Path("/home/somebody/project"), url, endpoint_url)
    assert message in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("url", ["ssh://user@host:22/srv/a", "s3://bucket/a", "gs://bucket", "/a"])
def test_a_good_address_is_taken(url: str) -> None:
    assert check_address(Path("/home"), url, None) == url.partition(":")[0].replace("/a", "")
