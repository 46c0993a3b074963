"""An error of a remote is told in one paragraph: what it means, what was said, and what to do."""

import errno
import os

import pytest

from seedbed.sharing.failures import explain, in_words, kind_of


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
        (ClientError("An error occurred (InvalidAccessKeyId) when calling the HeadObject operation"), "denied"),
        (ClientError("An error occurred (403) when calling the HeadObject operation: Forbidden"), "denied"),
        (EndpointConnectionError("Could not connect to the endpoint URL"), "gone"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed"), "gone"),
        (TimeoutError(), "gone"),
        (FileNotFoundError("The specified bucket does not exist"), "absent"),
        (caused(ValueError("files were not sent"), ConnectionResetError()), "gone"),
        (ValueError("something else"), ""),
    ],
)
def test_an_error_is_known_by_its_number_its_name_or_its_cause(error: Exception, kind: str) -> None:
    assert kind_of(error) == kind


def test_the_first_error_that_is_understood_is_told() -> None:
    told = explain(
        [ValueError("odd"), OSError(errno.ENOSPC, "No space left")], "storage (/mnt/share)", "not all files were sent"
    )
    assert told.startswith("storage (/mnt/share) is full (OSError: [Errno 28] No space left): not all files were sent.")
    assert "Make room there" in told
    assert "run the same command again" in told
    assert "\n" not in told


def test_an_error_that_says_nothing_is_told_by_its_name() -> None:
    assert in_words(TimeoutError()) == "TimeoutError"
    assert in_words(caused(RuntimeError(), KeyError("x"))) == "KeyError: 'x'"


def test_a_circle_of_causes_ends() -> None:
    error = ValueError("a")
    error.__context__ = caused(KeyError("b"), error)
    assert kind_of(error) == ""
