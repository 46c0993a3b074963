"""A broker of Kafka for tests, librdkafka's own, in a process of its own on 127.0.0.1.

It holds at most 5 MB a partition in memory, the latest. It knows no offset by time, and no user.
"""

import ctypes
import itertools
import socket
import struct
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

TOPICS = (f"topic{number}" for number in itertools.count())
"""Names that no topic of a session has yet."""
Row = tuple[int, bytes | None] | tuple[int, bytes | None, dict[str, Any]]
"""A partition, a value, and what else :meth:`confluent_kafka.Producer.produce` takes."""


class Broker:
    """A broker that is running; what it holds is gone when it is killed."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Start it, empty, on a port of its own."""
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.servers = self._answer()

    def kill(self) -> None:
        """End it at once, with all that it holds."""
        self._process.kill()
        self._process.communicate()

    def create(self, topic: str, partitions: int) -> None:
        """Create a topic."""
        self._do(f"create {topic} {partitions}")

    def down(self) -> None:
        """Break all connections and listen no more; what it holds stays."""
        self._do("down")

    def up(self) -> None:
        """Listen on the same port again."""
        self._do("up")

    def refuse(self, request: int, *errors: int) -> None:
        """Answer the next requests of a kind with errors, by their numbers in Kafka's protocol; without any, as usual."""
        self._do(f"refuse {request} {' '.join(map(str, errors))}")

    def fail(self, topic: str, error: int) -> None:
        """Let a topic have an error."""
        self._do(f"fail {topic} {error}")

    def fill(self, topic: str, rows: Iterable[Row], partitions: int = 1) -> None:
        """Create a topic and put messages into it, in their order."""
        self.create(topic, partitions)
        self.send(topic, rows)

    def send(self, topic: str, rows: Iterable[Row]) -> None:
        """Put messages into a topic, and wait until they are there."""
        from confluent_kafka import Producer

        producer = Producer(
            {"bootstrap.servers": self.servers, "batch.num.messages": 50, "log_level": 0}
        )
        for partition, value, *others in rows:
            producer.produce(topic, value, partition=partition, **(others[0] if others else {}))
            producer.poll(0)
        assert producer.flush(30) == 0

    def end_transaction(self, topic: str) -> None:
        """Put the mark of a transaction's end into partition 0: it has an offset, and is no message.

        The format is that of https://kafka.apache.org/documentation/#recordbatch
        """
        mark = bytes([32, 0, 0, 0, 8, 0, 0, 0, 1, 12, 0, 0, 0, 0, 0, 0, 0])
        batch = struct.pack(">qiibIhiqqqhii", 0, 66, 0, 2, 0, 0x30, 0, 0, 0, 1, 0, -1, 1) + mark
        name = topic.encode()
        request = struct.pack(
            f">hhihhhiih{len(name)}siii", 0, 3, 1, -1, -1, -1, 9000, 1, len(name), name, 1, 0, len(batch)
        )  # fmt: skip
        host, _, port = self.servers.partition(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(struct.pack(">i", len(request + batch)) + request + batch)
            assert connection.recv(4)

    def _do(self, command: str) -> None:
        assert self._process.stdin is not None
        print(command, file=self._process.stdin, flush=True)
        assert (answer := self._answer()) == "0", f"{command}: {answer}"

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


def serve() -> None:
    """Run a broker, do the commands of standard input, and end with it."""
    libraries = Path(sysconfig.get_paths()["platlib"], "confluent_kafka.libs")
    library = ctypes.CDLL(str(next(libraries.glob("librdkafka[-.]*"))))
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int

    def function(name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
        found = getattr(library, f"rd_kafka_{name}")
        found.restype, found.argtypes = result, arguments
        return found

    configured = function("conf_new", pointer)()
    set_option = function("conf_set", number, pointer, text, text, text, ctypes.c_size_t)
    set_option(configured, b"log_level", b"0", None, 0)
    client = function("new", pointer, number, pointer, text, ctypes.c_size_t)
    cluster = function("mock_cluster_new", pointer, pointer, number)(
        client(0, configured, None, 0), 1
    )
    do = {
        "create": function("mock_topic_create", number, pointer, text, number, number),
        "down": function("mock_broker_set_down", number, pointer, ctypes.c_int32),
        "up": function("mock_broker_set_up", number, pointer, ctypes.c_int32),
    }
    refuse = library.rd_kafka_mock_push_request_errors
    fail = function("mock_topic_set_error", None, pointer, text, number)
    answer = function("mock_clear_request_errors", None, pointer, ctypes.c_int16)
    print(function("mock_cluster_bootstraps", text, pointer)(cluster).decode(), flush=True)
    for line in sys.stdin:
        name, *words = line.split()
        if name == "create":
            failed = do[name](cluster, words[0].encode(), int(words[1]), 1)
        elif name == "fail":
            fail(cluster, words[0].encode(), int(words[1]))
            failed = 0
        elif name == "refuse":
            kind, *errors = map(int, words)
            answer(cluster, kind)
            count = ctypes.c_size_t(len(errors))
            refuse(pointer(cluster), ctypes.c_int16(kind), count, *errors)
            failed = 0
        else:
            failed = do[name](cluster, 1)
        print(failed, flush=True)


if __name__ == "__main__":
    serve()
