"""What stands before the broker of tests and knows what that one does not: offsets by time, and a wrong password.

It hands on what it does not answer itself. The formats are those of https://kafka.apache.org/protocol
"""

import contextlib
import socket
import socketserver
import struct
import sys
import threading
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

LIST_OFFSETS, HANDSHAKE, VERSIONS, AUTHENTICATE = 2, 17, 18, 36
UNSUPPORTED_VERSION, AUTHENTICATION_FAILED = 35, 58


class Front(socketserver.ThreadingTCPServer):
    """A server that may be started again on its port at once."""

    allow_reuse_address = True
    daemon_threads = True


@contextlib.contextmanager
def front(
    servers: str,
    topic: str = "",
    times: Mapping[int, Sequence[int]] | None = None,
    *,
    refuses: bool = False,
    port: int = 0,
) -> Iterator[str]:
    """Yield the address of a front of a broker, which `refuses` every user if it is to.

    It listens on `port`, or on a free one.

    `times` are the timestamps of a topic's messages by partition, in the order of their offsets.
    """
    host, _, broker_port = servers.partition(":")
    server = Front(("127.0.0.1", port), socketserver.BaseRequestHandler)
    behind = host.encode() + struct.pack(">i", int(broker_port))
    before = host.encode() + struct.pack(">i", server.server_address[1])

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked: dict[int, dict[int, int]] = {}
            with socket.create_connection((host, int(broker_port))) as broker:
                answering = threading.Thread(target=self.answer, args=(broker, asked), daemon=True)
                answering.start()
                for frame in frames(self.request):
                    kind, version, number = struct.unpack_from(">hhi", frame)
                    if kind == VERSIONS and refuses:
                        error = UNSUPPORTED_VERSION if version else 0
                        known = (HANDSHAKE, 0, 1, AUTHENTICATE, 0, 0, VERSIONS, 0, 0)
                        send(self.request, struct.pack(">ihi9h", number, error, 3, *known))
                        continue
                    if kind == HANDSHAKE:
                        send(self.request, struct.pack(">ihih5s", number, 0, 1, 5, b"PLAIN"))
                        continue
                    if kind == AUTHENTICATE:
                        words = b"no such user or password"
                        reply = struct.pack(f">ihh{len(words)}si", number, AUTHENTICATION_FAILED, len(words), words, -1)  # fmt: skip
                        send(self.request, reply)
                        continue
                    if kind == LIST_OFFSETS and times is not None:
                        asked[number] = find_asked(frame, version)
                    send(broker, frame)
                broker.shutdown(socket.SHUT_RDWR)

        def answer(self, broker: socket.socket, asked: dict[int, dict[int, int]]) -> None:
            for frame in frames(broker):
                reply = frame
                for partition, at in asked.pop(*struct.unpack_from(">i", reply), {}).items():
                    known = (times or {})[partition]
                    found = bisect_left(known, at)
                    offset = found if found < len(known) else -1
                    unknown = struct.pack(">ihqq", partition, 0, -1, -1)
                    assert unknown in reply
                    reply = reply.replace(unknown, struct.pack(">ihqq", partition, 0, at, offset))
                send(self.request, reply.replace(behind, before))

    def find_asked(frame: bytes, version: int) -> dict[int, int]:
        """Return the times that are asked for, by partition; -1 and -2 are the end and the beginning."""
        assert version >= 6
        start = frame.index(topic.encode()) + len(topic)
        count, found = frame[start] - 1, {}
        for place in range(start + 1, start + 1 + 17 * count, 17):
            partition, _, at = struct.unpack_from(">iiq", frame, place)
            found[partition] = at
        return {partition: at for partition, at in found.items() if at >= 0}

    server.RequestHandlerClass = Handler
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def frames(connection: socket.socket) -> Iterator[bytes]:
    """Yield what comes, frame by frame, until the connection ends."""
    with contextlib.suppress(OSError), connection.makefile("rb") as stream:
        while len(head := stream.read(4)) == 4:
            yield stream.read(*struct.unpack(">i", head))


def send(connection: socket.socket, frame: bytes) -> None:
    """Send a frame, if the connection is still there."""
    with contextlib.suppress(OSError):
        connection.sendall(struct.pack(">i", len(frame)) + frame)


if __name__ == "__main__":
    with front(sys.argv[1], port=int(sys.argv[2])):
        threading.Event().wait()
