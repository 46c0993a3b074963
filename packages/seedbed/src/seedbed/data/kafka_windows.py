"""Which part of a topic is read: a half-open interval of offsets for each of its partitions."""

from collections.abc import Mapping
from dataclasses import dataclass

from seedbed.config.source_options import KafkaOptions
from seedbed.data.kafka_client import Topic
from seedbed.data.window import moment
from seedbed.errors import UserError, some_of

SHOWN = 5
"""How many partitions a sentence names."""


@dataclass(frozen=True)
class Span:
    """What is read of a partition."""

    start: int  # the half-open interval of offsets
    end: int
    latest: int  # the offset after the last message that there is


Window = Mapping[int, Span]
"""By partition, in their order."""


def find_window(topic: Topic, options: KafkaOptions, time_zone: str) -> Window:
    """Return what the options choose of a topic: offsets, or times, or all that is there now.

    Raises UserError if there is no such topic or partition, or offsets that are not there are
    chosen.
    """
    partitions = topic.partitions()
    if unknown := sorted(set(options.offsets) - set(partitions)):
        raise UserError(
            f"source.options.offsets.{unknown[0]}: {topic.place} has the partitions 0 to "
            f"{max(partitions)}. Correct it."
        )
    held = {part: topic.offsets_of(part) for part in sorted(options.offsets) or partitions}
    for partition, (first, end) in options.offsets.items():
        low, high = held[partition]
        if first < low or end > high:
            why = "are gone" if first < low else "are not there yet"
            raise UserError(
                f"source.options.offsets.{partition}: of [{first}, {end}) some {why}: "
                f"{topic.place} holds [{low}, {high}) of this partition. Choose offsets in there."
            )
    bounds: dict[str, dict[int, int]] = {"start": {}, "end": {}}
    for key, text in (("start", options.start), ("end", options.end)):
        if text is not None:
            at = moment(text, time_zone, f"source.options.{key}")
            bounds[key] = topic.offsets_at(at, partitions)
    window = {}
    for partition, (low, high) in held.items():
        start = bounds["start"].get(partition, low)
        end = bounds["end"].get(partition, high)
        start, end = options.offsets.get(partition, (start, end))
        # -1 is the end: no message is as late as that time.
        window[partition] = Span(high if start < 0 else start, high if end < 0 else end, high)
    return window


def window_words(window: Window) -> str:
    """Return the offsets of a window for a message."""
    spans = [
        f"partition {partition} from {span.start} to {span.end} (latest {span.latest})"
        for partition, span in window.items()
    ]
    return some_of(spans, SHOWN)
