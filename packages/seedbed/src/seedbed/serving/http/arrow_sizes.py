"""How much memory an Arrow stream takes, found before its buffers are unpacked.

A few kilobytes of compressed zeros may become gigabytes, and PyArrow has no limit. What a buffer
becomes stands in front of it, and where the buffers are in a flatbuffer: both are read here.
Source: Message.fbs, Schema.fbs of Arrow's columnar format, and "FlatBuffers internals".
"""

from struct import error, unpack_from
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

HEADER, DATA, BUFFERS, COMPRESSION = 2, 1, 2, 3
"""Places of fields: of a message its header, of a dictionary its batch, the last two of a batch."""


def unpacked_size(body: bytes) -> int:
    """Return how many bytes the buffers of all batches and dictionaries of a stream take.

    Raises ValueError if the stream is damaged.
    """
    import pyarrow as pa

    messages = pa.ipc.MessageReader.open_stream(body)
    try:
        return sum(_size_of(message) for message in messages if message.type != "schema")
    except error as damage:
        raise ValueError("the description of a batch is damaged") from damage


def _size_of(message: "pa.Message") -> int:
    about, body = message.metadata.to_pybytes(), memoryview(message.body)
    batch = _follow(about, _field(about, _follow(about, 0), HEADER))
    if message.type == "dictionary":
        batch = _follow(about, _field(about, batch, DATA))
    buffers = _follow(about, _field(about, batch, BUFFERS))
    (count,) = unpack_from("<I", about, buffers)
    packed = _field(about, batch, COMPRESSION) > 0
    size = 0
    for place in range(buffers + 4, buffers + 4 + 16 * count, 16):
        start, length = unpack_from("<qq", about, place)
        unpacked = unpack_from("<q", body, start)[0] if packed and length else -1
        size += max(unpacked, length, 0)
    return size


def _field(about: bytes, table: int, number: int) -> int:
    """Return where a field of a table is, 0 if the table lacks it."""
    places = table - unpack_from("<i", about, table)[0]
    (end,) = unpack_from("<H", about, places)
    entry = 4 + 2 * number
    offset: int = unpack_from("<H", about, places + entry)[0] if entry < end else 0
    return table + offset if offset else 0


def _follow(about: bytes, place: int) -> int:
    return int(place + unpack_from("<I", about, place)[0])
