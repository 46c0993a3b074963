"""What is wrong with the store of an address, in a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

from seedbed.errors import UserError, one_line

EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "ssh": "ssh", "sftp": "ssh"}
"""The extra of seedbed that an address needs."""
HTTP = ("http://", "https://")


@contextmanager
def reaching(address: str) -> Iterator[None]:
    """Say in a sentence that a store refuses or cannot be reached.

    Raises UserError in the place of whatever else is raised within.
    """
    try:
        yield
    except UserError:
        raise
    except PermissionError as error:
        raise UserError(
            f"{address}: the store refuses ({_short(error)}). Check the credentials in its own "
            "files or environment variables, and their rights."
        ) from None
    except FileNotFoundError as error:
        # fsspec takes whatever happens over HTTP for a missing file.
        if error.__cause__ is not None and address.startswith(HTTP):
            raise _unreachable(address, error.__cause__) from None
        raise UserError(f"{address}: there is no such file or bucket. Edit source.path.") from None
    except (ImportError, ValueError) as error:
        extra = EXTRAS.get(address.partition("://")[0])
        remedy = f"Add seedbed[{extra}] to the dependencies, then `make lock setup`."
        raise UserError(
            f"{address}: such an address cannot be read ({_short(error)}). "
            f"{remedy if extra else 'Edit source.path.'}"
        ) from None
    except Exception as error:
        # botocore, aiohttp, google-auth and paramiko each raise errors of their own.
        raise _unreachable(address, error) from None


def _unreachable(address: str, error: BaseException) -> UserError:
    return UserError(
        f"{address}: the store cannot be reached ({_short(error)}). Check the address, the "
        "network and the credentials; then run it again."
    )


def _short(error: BaseException) -> str:
    return one_line(error)[:200]
