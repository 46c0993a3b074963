"""A topic of Kafka: which offsets it holds, and its messages from one to another."""

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from seedbed.config.source_options import KafkaOptions
from seedbed.config.sources import FIXED_SETTINGS
from seedbed.errors import UserError, did_you_mean, one_line

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message

Answer = TypeVar("Answer")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ANSWER_WITHIN = 10.0
"""Seconds that a cluster may take to say what it holds."""
SILENT_AT_MOST = 60.0
"""Seconds without a message, where some are missing, after which a read ends with an error."""
AT_ONCE = 20_000
"""Messages that are fetched at once."""
DEFAULTS = {
    "log_level": 0,  # errors come to error_cb
    "fetch.wait.max.ms": 100,  # for which the end of a partition is waited for
    "fetch.queue.backoff.ms": 10,  # in which a queue that was full may run empty
}
"""Settings of librdkafka where its own would make a bounded read slow or noisy."""
REFUSALS = {
    "_AUTHENTICATION",
    "_SSL",
    "CLUSTER_AUTHORIZATION_FAILED",
    "SASL_AUTHENTICATION_FAILED",
    "TOPIC_AUTHORIZATION_FAILED",
    "UNSUPPORTED_SASL_MECHANISM",
}
"""The errors, by their names in librdkafka, that no waiting changes."""
VAGUE = {"_ALL_BROKERS_DOWN", "_TIMED_OUT"}
"""Those that do not say why."""
GONE = {"_AUTO_OFFSET_RESET", "OFFSET_OUT_OF_RANGE"}
"""Those that say that an offset is not there any more."""


class Topic:
    """A topic, as a consumer sees it that joins no group and commits nothing.

    Parameters
    ----------
    servers : str
        HOST:PORT, several with commas between them.
    place : str
        The topic in messages.

    Raises
    ------
    UserError
        If confluent-kafka is not installed, an environment variable is not set, or a setting is
        wrong.
    """

    def __init__(self, servers: str, name: str, place: str, options: KafkaOptions) -> None:
        try:
            from confluent_kafka import Consumer, KafkaException
        except ImportError:
            raise UserError(
                "Topics of Kafka need the extra kafka, which is not installed: add seedbed[kafka] "
                "to the dependencies, then `make lock setup`."
            ) from None
        self.name, self.place = name, place
        self._secrets = {key: _secret(key, options) for key in options.secrets}
        self._error: KafkaError | None = None
        self._rank = 0
        given = {**DEFAULTS, **options.settings, **self._secrets}
        own = {**FIXED_SETTINGS, "bootstrap.servers": servers, "error_cb": self._note}
        try:
            self._consumer = Consumer({**given, **own})
        except (KafkaException, ValueError, TypeError) as error:
            raise UserError(
                f"{place}: librdkafka refuses the servers of source.path or source.options.settings"
                f" ({self._words(error)}). Correct them."
            ) from None

    def close(self) -> None:
        """Leave the cluster."""
        self._consumer.close()

    def partitions(self) -> list[int]:
        """Return the numbers of the partitions.

        Raises UserError if there is no such topic, or the cluster does not answer or refuses.
        """
        # Of all topics: a question about one could make it.
        topics = self._ask(self._consumer.list_topics).topics
        if self.name not in topics:
            raise UserError(
                f"{self.place}: there is no such topic, or no right to see it"
                f"{did_you_mean(self.name, topics)}. Correct source.path or source.options.topic."
            )
        self._check(topics[self.name].error)
        return sorted(topics[self.name].partitions)

    def offsets_of(self, partition: int) -> tuple[int, int]:
        """Return the first offset of a partition, and the one after the last."""
        from confluent_kafka import TopicPartition

        one = TopicPartition(self.name, partition)
        low, high = self._ask(self._consumer.get_watermark_offsets, one)
        return low, high

    def offsets_at(self, at: datetime, partitions: list[int]) -> dict[int, int]:
        """Return the first offset at or after a time, by partition; -1 if there is none."""
        from confluent_kafka import TopicPartition

        # Rounded up: a message of the millisecond before lies before that time.
        since = max(0, -((EPOCH - at) // timedelta(milliseconds=1)))
        asked = [TopicPartition(self.name, partition, since) for partition in partitions]
        found = self._ask(self._consumer.offsets_for_times, asked)
        for one in found:
            self._check(one.error)
        return {one.partition: one.offset for one in found}

    def messages(self, partition: int, start: int, end: int) -> Iterator[list["Message"]]:
        """Yield the messages of a partition in a half-open interval of offsets, in their order.

        Raises UserError if the cluster refuses or stops answering, or an offset is gone.
        """
        from confluent_kafka import TopicPartition

        self._consumer.assign([TopicPartition(self.name, partition, start)])
        position, heard = start, time.monotonic()
        # Not by count: compaction and transactions leave gaps in the offsets.
        while position < end:
            before, found = position, []
            for message in self._consumer.consume(min(AT_ONCE, end - position), timeout=0.2):
                error = message.error()
                if error is None:
                    position = int(message.offset() or 0) + 1
                    if position <= end:
                        found.append(message)
                elif error.name() == "_PARTITION_EOF":
                    position = int(message.offset() or 0)
                else:
                    self._note(error)
                    if error.name() in GONE:
                        raise UserError(
                            f"{self.place}, partition {partition}: offset {position} is gone "
                            f"({self._words(error)}). Nothing was written: run it again, or choose "
                            "a later window."
                        )
            yield found
            self._refuse()
            if position > before:
                heard = time.monotonic()
            elif time.monotonic() - heard > SILENT_AT_MOST:
                raise UserError(
                    f"{self.place}, partition {partition}: no message came for "
                    f"{SILENT_AT_MOST:g} s at offset {position} of {end}"
                    f"{self._last_error()}. Nothing was written: run it again."
                )

    def _ask(self, ask: Callable[..., Answer | None], *arguments: Any) -> Answer:
        """Ask the cluster, again until it answers or ANSWER_WITHIN is over."""
        from confluent_kafka import KafkaException

        deadline = time.monotonic() + ANSWER_WITHIN
        while True:
            try:
                answer = ask(*arguments, timeout=min(3.0, ANSWER_WITHIN))
                if answer is not None:
                    return answer
            except KafkaException as error:
                self._note(error.args[0], 0)
            self._consumer.poll(0)  # calls _note with what went wrong on the way
            self._refuse()
            if time.monotonic() > deadline:
                raise UserError(
                    f"{self.place}: the cluster does not answer{self._last_error()}. Check the "
                    "address, the network and source.options.settings; then run it again."
                )
            time.sleep(0.1)

    def _check(self, error: "KafkaError | None") -> None:
        if error is not None:
            raise UserError(
                f"{self.place}: the cluster reports: {self._words(error)}. Run it again; if it "
                "stays, ask those who run the cluster."
            )

    def _note(self, error: "KafkaError", rank: int = 1) -> None:
        """Keep the last of the errors that say most; `rank` is 0 for one that says little."""
        rank = 2 if error.name() in REFUSALS else 0 if error.name() in VAGUE else rank
        if rank >= self._rank:
            self._error, self._rank = error, rank

    def _refuse(self) -> None:
        if self._rank == 2:
            raise UserError(
                f"{self.place}: the cluster refuses{self._last_error()}. Check the settings and "
                "the environment variables under source.options, and the rights of the user."
            )

    def _last_error(self) -> str:
        return f" ({self._words(self._error)})" if self._error is not None else ""

    def _words(self, error: Any) -> str:
        """Return what librdkafka says, without a secret."""
        inner = error.args[0] if isinstance(error, Exception) and error.args else error
        text = one_line(inner.str() if hasattr(inner, "str") else inner)
        for secret in self._secrets.values():
            text = text.replace(secret, "***")
        return text[:300].rstrip(".")


def _secret(key: str, options: KafkaOptions) -> str:
    name = options.secrets[key]
    if value := os.environ.get(name):
        return value
    raise UserError(
        f"source.options.secrets.{key}: there is no environment variable {name}. Set it to the "
        "secret."
    )
