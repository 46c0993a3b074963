"""HTTP: an answer is fetched whole, tried again where that may help; secrets go to one host."""

import re
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import IO, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError, ResponseError
from urllib3.util.retry import Retry

from seedbed.data.batches import WAITS
from seedbed.errors import UserError, one_line
from seedbed.progress import RowProgress

TRIES = 5
"""How often a request is sent, while the server is not reached or is busy."""
BUSY = (429, 500, 502, 503, 504)
BACKOFF = 1.0
"""Seconds before the third try; twice as many before each further one. The second is at once."""
LONGEST_WAIT = 120
"""Seconds that a server may ask to wait, by Retry-After."""
REDIRECTS = 10
CONNECT_WITHIN = 10.0
CHUNK = 2**20
VALIDATORS = ("ETag", "Last-Modified")
"""The headers by which a server knows whether an answer has changed."""
SHOWN = 100
"""How many characters of a refusal are shown."""


class Patience(Retry):
    """Retries with backoff, or after as long as the server asks for, unless that is too long."""

    def increment(self, *asked: Any, **more: Any) -> "Patience":
        """Return what is left of the tries; none where the server asks for too long a wait."""
        response = more.get("response")
        if response is not None and (self.get_retry_after(response) or 0) > LONGEST_WAIT:
            raise MaxRetryError(more["_pool"], "", ResponseError("too long a wait"))
        return super().increment(*asked, **more)


class HttpSession(requests.Session):
    """A session that raises :class:`UserError` in place of the errors of requests.

    Parameters
    ----------
    address : str
        The place that messages name, without its query.
    headers : mapping of str to str
        Sent to the host of a request, and not to another one to which it redirects. Their values
        are in no message.
    remedy : str
        What to do where the server refuses.
    timeout : float
        Seconds in which the server must send something.
    """

    def __init__(
        self, address: str, headers: Mapping[str, str], remedy: str, timeout: float = 60
    ) -> None:
        super().__init__()
        self.place = without_query(address)
        self.max_redirects = REDIRECTS
        self.private = dict(headers)
        self._remedy, self._timeout = remedy, (CONNECT_WITHIN, timeout)
        patience = Patience(
            total=TRIES - 1,
            status_forcelist=BUSY,
            backoff_factor=BACKOFF,
            raise_on_status=False,
        )
        for scheme in ("https://", "http://"):
            self.mount(scheme, HTTPAdapter(max_retries=patience))
        if headers:
            self.headers.update(headers)
            # Else an entry of ~/.netrc would take the place of Authorization.
            self.auth = lambda request: request

    def rebuild_auth(self, prepared_request: Any, response: Any) -> None:
        """Take private headers out of a redirect to another host, where requests takes out one."""
        if not self.private:
            super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]
        elif self.is_foreign(response.request.url, prepared_request.url):
            for name in self.private:
                prepared_request.headers.pop(name, None)

    def is_foreign(self, address: str, other: str) -> bool:
        """Whether an address has another host, port or protocol, but for https instead of http."""
        return bool(self.should_strip_auth(address, other))  # type: ignore[no-untyped-call]

    def fetch(
        self, address: str, into: IO[bytes], conditions: Mapping[str, str], shows_bytes: bool = True
    ) -> requests.Response:
        """GET what is at an address, and write it whole; one that breaks off is fetched anew.

        Parameters
        ----------
        into : file
            Overwritten.
        conditions : mapping of str to str
            Headers such as If-None-Match.
        shows_bytes : bool
            Whether progress is shown.

        Returns
        -------
        Response
            If its status is 304, nothing was written.

        Raises UserError if the server cannot be reached, refuses, or breaks off three times.
        """
        for wait in (*WAITS, None):
            response = self.open(address, conditions)
            progress = RowProgress(None, unit="bytes")
            size = response.headers.get("Content-Length", "")
            if size.isdecimal() and "Content-Encoding" not in response.headers:
                progress.total = int(size)
            try:
                into.seek(0)
                into.truncate()
                for chunk in response.iter_content(CHUNK):
                    into.write(chunk)
                    if shows_bytes:
                        progress.add(len(chunk))
                return response
            except requests.RequestException as error:
                if wait is None:
                    raise UserError(
                        f"{self.place}: the answer broke off {len(WAITS) + 1} times "
                        f"({self.short(error)}). Nothing was written: run it again."
                    ) from None
            finally:
                response.close()
                progress.close()
            time.sleep(wait)
        raise AssertionError("the last try returns or raises")

    def look_up(self, address: str) -> Mapping[str, str]:
        """Return the headers of an answer whose body is left where it is.

        Raises UserError if the server cannot be reached or refuses.
        """
        with self._send("HEAD", address) as response:
            if response.ok and any(name in response.headers for name in VALIDATORS):
                return response.headers
        with self.open(address) as response:
            return response.headers

    def open(self, address: str, conditions: Mapping[str, str] | None = None) -> requests.Response:
        """GET an address; the body is still to be read.

        Raises UserError if the server cannot be reached or refuses.
        """
        response = self._send("GET", address, conditions)
        if response.status_code == HTTPStatus.OK:
            return response
        if response.status_code == HTTPStatus.NOT_MODIFIED and conditions:
            return response
        with response:
            raise UserError(self._why_refused(response))

    def hide(self, text: str) -> str:
        """Return a text without the values of private headers, whole or in words."""
        words = {word for value in self.private.values() for word in (value, *value.split())}
        for word in sorted(words, key=len, reverse=True):
            text = text.replace(word, "***")
        return text

    def beginning(self, body: bytes) -> str:
        """Return the first characters of an answer."""
        text = " ".join(body[:1000].decode("utf-8", "replace").split())
        return self.hide(text)[:SHOWN]

    def short(self, error: BaseException) -> str:
        """Return what an error of requests says, without the address in it."""
        while error.args and isinstance(cause := error.args[0], BaseException):
            error = getattr(cause, "reason", None) or cause
        is_text = error.args and isinstance(error.args[0], str)
        words = one_line(error.args[0] if is_text else error).rpartition("): ")[2]
        # Of an address to which the server redirects: what follows may let in whoever knows it.
        return self.hide(re.sub(r"(\w+:)//[^\s'\"]*", r"\1//...", words))[:200]

    def _send(
        self, method: str, address: str, conditions: Mapping[str, str] | None = None
    ) -> requests.Response:
        try:
            return self.request(
                method,
                address,
                headers=conditions,
                stream=True,
                timeout=self._timeout,
                allow_redirects=True,
            )
        except requests.TooManyRedirects:
            raise UserError(
                f"{self.place}: the server redirects more than {REDIRECTS} times, in a circle. "
                "Correct source.path."
            ) from None
        except (requests.RequestException, UnicodeError) as error:
            raise UserError(
                f"{self.place}: the server cannot be reached ({self.short(error)}). Check "
                "source.path and the network; then run it again."
            ) from None

    def _why_refused(self, response: requests.Response) -> str:
        status = self.hide(f"{response.status_code} {response.reason or ''}".strip())
        wait = response.headers.get("Retry-After")
        code = response.status_code
        if code in (401, 403):
            why, remedy = f"the server refuses ({status})", self._remedy
        elif code in (404, 410):
            why, remedy = f"there is nothing at this address ({status})", "Correct source.path."
        elif wait and code in (429, 503):
            why = f"the server is busy ({status}), and asks for a wait (Retry-After: {wait})"
            remedy = "Run it again then."
        elif code in BUSY:
            why, remedy = f"the server reports {status}, {TRIES} times", "Run it again later."
        else:
            try:
                body = next(response.iter_content(1000), b"")
            except requests.RequestException:
                body = b""
            why = f"the server answers {status}: {self.beginning(body)}"
            remedy = "Check source.path and source.options."
        return f"{self.place}: {why}. {remedy}"


def without_query(address: str) -> str:
    """Return an address for messages and state files: without user and query."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
