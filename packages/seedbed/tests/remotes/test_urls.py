"""An address is a directory outside the repository, ssh://, s3:// or gs://, and holds no secret."""

from pathlib import Path

import pytest

from seedbed.errors import UserError
from seedbed.remotes import urls
from seedbed.remotes.urls import check_package, checked, without_secrets

ROOT = Path("/home/somebody/project")


@pytest.mark.parametrize(
    "url",
    [
        "ssh://user@host/srv/data",
        "ssh://host:2222/srv/data",
        "s3://bucket",
        "s3://bucket/a/b",
        "gs://bucket/a",
        "/mnt/share/a",
    ],
)
def test_a_good_address_stays_as_it_is(url: str) -> None:
    assert checked(url, ROOT) == url


def test_a_directory_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert checked("../share", ROOT) == str(tmp_path.parent / "share")
    monkeypatch.setenv("HOME", "/home/someone")
    assert checked("~/share", ROOT) == "/home/someone/share"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "there is no address"),
        ("http://host/data", "http:// is no place for a remote here"),
        ("azure://container/data", "azure:// is no place"),
        ("user@host:/srv/data", "write it as ssh://user@host/folder"),
        ("ssh://user:hunter2@host/srv", "holds a secret"),  # pragma: allowlist secret
        ("s3://AKIAKEY:hunter2@bucket/a", "holds a secret"),  # pragma: allowlist secret
        ("s3://AKIAKEY@bucket/a", "holds a secret"),
        ("s3://bucket/a?secret_access_key=hunter2", "takes no options (secret_access_key)"),
        ("ssh://host", "the folder is missing"),
        ("s3:///a", "the host or bucket is missing"),
        ("s3://bucket:9000/a", "--endpoint-url"),
        ("ssh://host:port/a", "Write it like"),
        ("/home/somebody/project/store", "inside the repository /home/somebody/project"),
    ],
)
def test_a_bad_address_is_refused_with_the_reason_and_without_its_secret(
    url: str, told: str
) -> None:
    with pytest.raises(UserError) as refusal:
        checked(url, ROOT)
    assert told in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


def test_a_secret_names_the_places_where_it_may_be() -> None:
    with pytest.raises(UserError, match="AWS_SECRET_ACCESS_KEY.*config.local"):
        checked("s3://key:secret@bucket/a", ROOT)  # pragma: allowlist secret


def test_an_address_is_shown_without_what_may_be_secret() -> None:
    address = "https://user:hunter2@host/a?token=hunter2"  # pragma: allowlist secret
    assert without_secrets(address) == "https://user:***@host/a"


@pytest.mark.parametrize("scheme", ["ssh", "s3", "gs"])
def test_a_missing_package_is_told_with_the_command_that_installs_it(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(urls.PACKAGES, scheme, f"dvc_{scheme}_that_is_not_there")
    with pytest.raises(UserError) as refusal:
        check_package(scheme)
    assert "`make setup LOCK=requirements-all.lock`" in str(refusal.value)
    check_package("")
