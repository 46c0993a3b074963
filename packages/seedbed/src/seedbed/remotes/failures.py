"""What an error of DVC, of a server or of the disk means, in one paragraph with the way out.

The errors come from packages that are installed for one kind of remote only, so they are known by their names.
"""

import errno
import os
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
        r"No space left|Disk quota exceeded|InsufficientStorage|StorageFull|QuotaExceeded|NoSpaceOnFilesystem|"
        r"disk is full",
        "is full",
    ),
    "read-only": (r"Read-only file system", "can only be read"),
    "host key": (
        r"HostKeyNotVerifiable|Host key",
        "has a host key that this machine does not know",
    ),
    "denied": (
        r"AccessDenied|Forbidden|InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|ExpiredToken|NoCredentials|"
        r"PartialCredentials|Unable to locate credentials|Permission ?denied|PermissionError|Unauthorized|"
        r"DefaultCredentialsError|Refresh ?Error|Invalid Credentials|Anonymous caller|"
        r"\(40[13]\)|\b40[13], (?:message|url)=|, 40[13]$",
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
REMEDIES_HERE = {
    "full": "Make room: `make gc` frees cached data that no branch, tag or experiment names.",
    "read-only": "Look at how it is mounted.",
    "denied": "Look at whose the files are.",
}
"""Where it is not the remote but the disk of this machine."""


def explain(
    errors: Iterable[BaseException],
    place: str,
    doing: str,
    after: str = AGAIN,
    ours: tuple[str, ...] = (),
    inward: bool = False,
) -> str:
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
    ours : tuple of str
        Folders of this machine, the cache first: what cannot be written there is no fault of the remote.
    inward : bool
        Whether all that was written was written here.
    """
    errors = list(errors)
    known = [(kind_of(error), error) for error in errors]
    kind, error = next((pair for pair in known if pair[0]), known[0] if known else ("", None))
    said = f" ({in_words(error)})" if error is not None else ""
    state, remedy = KINDS[kind][1] if kind else "could not do it", REMEDIES[kind]
    if (
        error is not None
        and kind in REMEDIES_HERE
        and (_is_below(error, ours) or (inward and kind != "denied"))
    ):
        place, remedy = f"the disk of this machine, at {ours[0]},", REMEDIES_HERE[kind]
    return " ".join(f"{place} {state}{said}: {doing}. {remedy} {after}".split())


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


def _is_below(error: BaseException, folders: tuple[str, ...]) -> bool:
    """Say whether an error is about a file below one of the folders, or of a database, which is always here."""
    for cause in _causes(error):
        # Of a copy, the second is where it goes.
        name = getattr(cause, "filename2", None) or getattr(cause, "filename", None)
        if isinstance(name, str) and any(
            os.path.join(name, "").startswith(os.path.join(top, "")) for top in folders
        ):
            return True
        if type(cause).__name__ == "OperationalError":
            return True
    return False


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__
