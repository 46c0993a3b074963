"""How a request is refused: a status, and where what is wrong, and what was allowed."""

from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import Response

from seedbed.errors import CodeError, InputError, UserError

KINDS = {
    400: "unreadable body",
    401: "no token",
    404: "no such route",
    405: "other method",
    406: "other answer type",
    408: "slow client",
    413: "too large",
    415: "other content type",
    422: "rows",
    500: "server",
    503: "busy",
}
"""How the metrics name what was wrong."""


@dataclass(slots=True)
class Record:
    """What is known of a request: its headers, and what the log tells, which routes fill in."""

    id: str
    headers: dict[bytes, bytes]
    status: int = 0
    rows: int = 0
    version: str = ""
    has_body: bool = False
    kind: str = ""
    body: bytes = b""
    error: str = ""
    where: str = ""


class Refusal(Exception):
    """An answer in the 4xx, or 503.

    Parameters
    ----------
    where : str
        Such as "rows[3].distance", "body" or "headers".
    message : str
        What was found, and what to do.
    allowed : str
        What would have been accepted.
    headers : mapping of str to str
        Of the answer.
    """

    def __init__(self, status: int, where: str, message: str, allowed: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.where, self.message, self.allowed = status, where, message, allowed
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    @classmethod
    def of(cls, error: UserError, by_columns: bool) -> "Refusal":
        """Return the refusal of rows that do not fit the signature.

        Raises CodeError again: it is a mistake of the server.
        """
        if isinstance(error, CodeError):
            raise error
        if not isinstance(error, InputError):
            return cls(422, "columns" if by_columns else "rows", str(error), "")
        where = place_of(error.column, error.row, by_columns)
        return cls(422, where, str(error), error.allowed)

    def response(self, record: Record) -> Response:
        """Return the answer; the connection ends where the body of the request was not read."""
        record.error, record.where = KINDS.get(self.status, str(self.status)), self.where
        headers = self.headers if record.has_body else {**self.headers, "connection": "close"}
        body = error_body(self.where, self.message, self.allowed)
        return Response(body, self.status, headers, "application/json")


FAILED = Refusal(500, "server", "This is a mistake of the server; its log has more.", "")


def error_body(where: str, message: str, allowed: str) -> bytes:
    """Return the body that every refusal has."""
    error: dict[str, Any] = {"where": where, "message": message, "allowed": allowed}
    return orjson.dumps({"error": error})


def place_of(column: str | None, row: int | None, by_columns: bool) -> str:
    """Return the path of a value in a request, such as rows[3].distance or columns.distance[3]."""
    if by_columns:
        place = "columns" if column is None else f"columns.{column}"
        return place if row is None else f"{place}[{row}]"
    place = "rows" if row is None else f"rows[{row}]"
    return place if column is None else f"{place}.{column}"
