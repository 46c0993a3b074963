"""An error of a remote is told in one paragraph: what it means, what was said, and what to do."""

import errno
import os

import pytest

from seedbed.remotes.failures import explain, in_words, kind_of


def caused(outer: Exception, inner: Exception) -> Exception:
    outer.__cause__ = inner
    return outer


class EndpointConnectionError(Exception):
    """As botocore names it."""


class ClientError(Exception):
    """As botocore names it."""


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "full"),
        (ClientError("An error occurred (InsufficientStorage) when calling PutObject"), "full"),
        (OSError(errno.EROFS, os.strerror(errno.EROFS)), "read-only"),
        (PermissionError(errno.EACCES, "Permission denied"), "denied"),
        (
            ClientError(
                "An error occurred (InvalidAccessKeyId) when calling the HeadObject operation"
            ),
            "denied",
        ),
        (
            ClientError("An error occurred (403) when calling the HeadObject operation: Forbidden"),
            "denied",
        ),
        (EndpointConnectionError("Could not connect to the endpoint URL"), "gone"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed"), "gone"),
        (TimeoutError(), "gone"),
        (FileNotFoundError("The specified bucket does not exist"), "absent"),
        (caused(ValueError("files were not sent"), ConnectionResetError()), "gone"),
        (ClientError("An error occurred (403) when calling the PutObject operation: no"), "denied"),
        (ClientError("401, message='no', url='https://host'"), "denied"),
        (ClientError("403 files failed to upload"), ""),
        (ClientError("database or disk is full"), "full"),
        (ValueError("something else"), ""),
    ],
)
def test_an_error_is_known_by_its_number_its_name_or_its_cause(error: Exception, kind: str) -> None:
    assert kind_of(error) == kind


def test_the_first_error_that_is_understood_is_told() -> None:
    told = explain(
        [ValueError("odd"), OSError(errno.ENOSPC, "No space left")],
        "storage (/mnt/share)",
        "not all files were sent",
    )
    assert told.startswith(
        "storage (/mnt/share) is full (OSError: [Errno 28] No space left): not all files were sent."
    )
    assert "Make room there" in told
    assert "run the same command again" in told
    assert "\n" not in told


class OperationalError(Exception):
    """As sqlite3 names it."""


@pytest.mark.parametrize(
    ("error", "inward", "told"),
    [
        (
            OSError(errno.ENOSPC, "full", "/here/cache/a", None, "/mnt/share/a"),
            False,
            "storage is full",
        ),
        (
            OSError(errno.ENOSPC, "full", "/mnt/share/a", None, "/here/cache/a"),
            False,
            "this machine, at /here/cache, is full",
        ),
        (OSError(errno.ENOSPC, "full"), False, "storage is full"),
        (OSError(errno.ENOSPC, "full"), True, "this machine, at /here/cache, is full"),
        (
            OSError(errno.EROFS, "ro", "/here/tree/a"),
            False,
            "this machine, at /here/cache, can only be read",
        ),
        (
            PermissionError(errno.EACCES, "no", "/here/cache/a"),
            True,
            "this machine, at /here/cache, does not let you in",
        ),
        (PermissionError(errno.EACCES, "no"), True, "storage does not let you in"),
        (
            OperationalError("database or disk is full"),
            False,
            "this machine, at /here/cache, is full",
        ),
        (ConnectionResetError(), True, "storage does not answer"),
    ],
)
def test_a_disk_of_this_machine_is_not_taken_for_the_remote(
    error: Exception, inward: bool, told: str
) -> None:
    said = explain(
        [error], "storage", "it stopped", ours=("/here/cache", "/here/tree"), inward=inward
    )
    assert told in said
    assert ("make gc" in said) == (told.startswith("this machine") and "full" in told)


def test_an_error_that_says_nothing_is_told_by_its_name() -> None:
    assert in_words(TimeoutError()) == "TimeoutError"
    assert in_words(caused(RuntimeError(), KeyError("x"))) == "KeyError: 'x'"


def test_a_circle_of_causes_ends() -> None:
    error = ValueError("a")
    error.__context__ = caused(KeyError("b"), error)
    assert kind_of(error) == ""
