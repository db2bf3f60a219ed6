"""Statistics as few bytes: for minutes that are over, and for what processes tell each other.

A format byte, the figures, then for each bucket that occurred its distance from the one before and its count; all
as base-128 numbers, low digits first (LEB128, as in DWARF and protobuf). Most buckets take two bytes, so a minute
of a usual statement takes 50 to 200.
"""

from __future__ import annotations

from collections.abc import Iterator

from steinmetz.monitor.analysis.histogram import Histogram
from steinmetz.monitor.analysis.statistics import Statistics

FORMAT = 1
FIGURES = (
    "count", "errors", "slow", "total_ns", "min_ns", "max_ns", "statements", "most_statements", "db_ns",
)  # fmt: skip


def pack(statistics: Statistics) -> bytes:
    """The bytes that `unpack` makes the same statistics of."""
    numbers = [getattr(statistics, figure) for figure in FIGURES]
    before = 0
    for bucket, count in sorted(statistics.histogram.counts.items()):
        numbers += (bucket - before, count)
        before = bucket
    packed = bytearray((FORMAT,))
    for number in numbers:
        while number > 127:
            packed.append(number & 127 | 128)
            number >>= 7
        packed.append(number)
    return bytes(packed)


def unpack(packed: bytes) -> Statistics:
    """Raises `ValueError` for bytes that `pack` of this format has not made."""
    if not packed or packed[0] != FORMAT:
        raise ValueError("these are no statistics of a format that this release knows")
    numbers = _numbers(packed)
    statistics = Statistics()
    histogram = Histogram()
    try:
        for figure in FIGURES:
            setattr(statistics, figure, next(numbers))
        bucket = 0
        for distance in numbers:
            bucket += distance
            histogram.counts[bucket] += next(numbers)
    except (StopIteration, RuntimeError):
        raise ValueError("these statistics are cut short") from None
    statistics.histogram = histogram
    return statistics


def _numbers(packed: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in packed[1:]:
        number |= (byte & 127) << shift
        if byte > 127:
            shift += 7
        else:
            yield number
            number = shift = 0
    if shift:
        raise ValueError("these statistics are cut short")
