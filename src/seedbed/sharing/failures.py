"""What an error of DVC, of a server or of the disk means, in one paragraph with the way out.

The errors come from packages that are installed for one kind of remote only, so they are known by their names.
"""

import errno
import re
from collections.abc import Iterable, Iterator

AGAIN = "What has arrived stays, and nothing is lost: run the same command again, it goes on from there."
FULL = {errno.ENOSPC, errno.EDQUOT}
DENIED = {errno.EACCES, errno.EPERM}
GONE = {
    errno.ECONNREFUSED,
    errno.ECONNRESET,
    errno.ECONNABORTED,
    errno.EPIPE,
    errno.ETIMEDOUT,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
}
KINDS = {
    "full": (
        r"No space left|Disk quota exceeded|InsufficientStorage|StorageFull|QuotaExceeded|NoSpaceOnFilesystem",
        "is full",
    ),
    "read-only": (r"Read-only file system", "can only be read"),
    "host key": (r"HostKeyNotVerifiable|Host key", "has a host key that this machine does not know"),
    "denied": (
        r"AccessDenied|Forbidden|InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|ExpiredToken|NoCredentials|"
        r"PartialCredentials|Unable to locate credentials|Permission ?denied|PermissionError|Unauthorized|"
        r"DefaultCredentialsError|Refresh ?Error|Invalid Credentials|Anonymous caller|\b40[13]\b",
        "does not let you in",
    ),
    "absent": (r"NoSuchBucket|bucket does not exist", "is not there"),
    "gone": (
        r"EndpointConnectionError|ConnectTimeout|ReadTimeout|ConnectionClosed|ConnectionRefused|ConnectionReset|ConnectionLost|"
        r"ConnectionError|Could not connect|Connection (?:lost|refused|reset|closed|timed out)|Connect call failed|gaierror|"
        r"Name or service not known|nodename nor servname|TimeoutError|FSTimeoutError|SFTPNoConnection|ServerDisconnected|"
        r"ChannelOpenError|Connection was closed|RemoteGone|Temporary failure in name resolution|IncompleteRead|ClientPayloadError",
        "does not answer",
    ),
}
REMEDIES = {
    "full": "Make room there, or choose another place with `make remote URL=...`.",
    "read-only": "Ask for the right to write there, or choose another place with `make remote URL=...`.",
    "host key": "Connect once with `ssh` and compare the key, so that it is in ~/.ssh/known_hosts.",
    "denied": "Check the credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, GOOGLE_APPLICATION_CREDENTIALS, the SSH key, "
    "or the rights of the folder.",
    "absent": "Create the bucket, or mend the address with `make remote URL=...`.",
    "gone": "Check that it runs and that the network reaches it.",
    "": "",
}


def explain(errors: Iterable[BaseException], place: str, doing: str, after: str = AGAIN) -> str:
    """Return a paragraph of why something failed.

    Parameters
    ----------
    errors : iterable of exceptions
        All that were seen; the first that is understood is told.
    place : str
        The remote, by name and address.
    doing : str
        What was being done, as in ``not all files were sent``.
    after : str
        What holds after the failure.
    """
    errors = list(errors)
    known = [(kind_of(error), error) for error in errors]
    kind, error = next((pair for pair in known if pair[0]), known[0] if known else ("", None))
    said = f" ({in_words(error)})" if error is not None else ""
    state = KINDS[kind][1] if kind else "could not do it"
    return " ".join(f"{place} {state}{said}: {doing}. {REMEDIES[kind]} {after}".split())


def kind_of(error: BaseException) -> str:
    """Return which of `KINDS` an error is, by itself or by what caused it; an empty string if none."""
    for cause in _causes(error):
        number = getattr(cause, "errno", None)
        if number in FULL:
            return "full"
        if number == errno.EROFS:
            return "read-only"
        if number in GONE:
            return "gone"
        if number in DENIED:
            return "denied"
        told = f"{type(cause).__name__}: {cause}"
        for kind, (pattern, _) in KINDS.items():
            if re.search(pattern, told):
                return kind
    return ""


def in_words(error: BaseException) -> str:
    """Return the first line of what an error says, or its name if it says nothing."""
    for cause in _causes(error):
        if lines := str(cause).strip().splitlines():
            return f"{type(cause).__name__}: {lines[0][:200]}".rstrip(".")
    return type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__
