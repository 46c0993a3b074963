"""What uvicorn leaves open of a connection: slow or endless headers, and too many connections."""

from asyncio import TimerHandle, Transport
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from seedbed.serving.http.refusals import error_body

MOST_HEADER_BYTES = 64 * 1024


class LimitedProtocol(HttpToolsProtocol):  # type: ignore[misc]
    """uvicorn's protocol on httptools, with limits on headers and on the number of connections.

    Its `config` has `settings`.
    """

    _timer: TimerHandle | None = None
    _in_headers = True
    _header_bytes = 0

    def connection_made(self, transport: Transport) -> None:
        """Begin to wait for headers; of a connection too many, requests are refused."""
        super().connection_made(transport)
        self._seconds = self.config.settings.header_seconds
        most = self.config.settings.connections
        self._timer = self.loop.call_later(self._seconds, self._refuse_slow)
        if len(self.connections) > 2 * most:
            transport.abort()
        elif len(self.connections) > most:
            self.app_state: dict[str, Any] = {**self.app_state, "busy": True}

    def data_received(self, data: bytes) -> None:
        """Parse what came; wait for the rest of the headers as long as is allowed."""
        super().data_received(data)
        if not self._in_headers or self.transport.is_closing():
            return
        self._header_bytes += len(data)
        if self._header_bytes > MOST_HEADER_BYTES:
            what = f"The headers take more than {MOST_HEADER_BYTES:,} bytes."
            self._refuse(431, what, f"at most {MOST_HEADER_BYTES:,} bytes")
        elif self._timer is None:
            self._timer = self.loop.call_later(self._seconds, self._refuse_slow)

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._in_headers, self._header_bytes = True, 0

    def on_headers_complete(self) -> None:
        """Hand the request to the application."""
        self._in_headers = False
        self._stop_timer()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._stop_timer()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, as any other request is refused."""
        self._refuse(400, msg, "HTTP/1.1")

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse_slow(self) -> None:
        what = f"The headers were not there after {self._seconds:g} seconds."
        self._refuse(408, what, f"at most {self._seconds:g} seconds")

    def _refuse(self, status: int, message: str, allowed: str) -> None:
        if self.transport.is_closing():
            return
        body = error_body("headers", message, allowed)
        head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: "
        self.transport.write(STATUS_LINE[status] + head + b"%d\r\n\r\n" % len(body) + body)
        self.transport.close()
