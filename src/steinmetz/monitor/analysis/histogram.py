"""A histogram of durations whose quantiles are within 1/128 (0.78 %) of the truth, whatever the data.

Log-linear buckets, as in HdrHistogram, on integers: each octave is cut into 64 equal parts (k=6), values below
128 ns are exact. A bucket that begins at ``b`` is at most ``b / 64`` wide and is told by its middle, so the error
is at most ``1 / 128`` of the value. Merging is adding the counts: commutative, associative, without loss; a window
is the difference of two moments. At most 2,368 buckets exist, as values from an hour on share the last one.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import ceil

MAX_NS = 3_600_000_000_000
"""One hour; longer durations fall into its bucket, their exact maximum is kept beside the histogram."""

RELATIVE_ERROR = 1 / 128


def bucket_of(duration_ns: int) -> int:
    """The bucket of a duration from 0 to `MAX_NS`."""
    shift = duration_ns.bit_length() - 7
    return (shift << 6) + (duration_ns >> shift) if shift > 0 else duration_ns


def value_of(bucket: int) -> int:
    """The middle of a bucket, in ns."""
    if bucket < 128:
        return bucket
    shift = (bucket >> 6) - 1
    mantissa = bucket - (shift << 6)
    return (mantissa << shift) + (1 << shift >> 1)


class Histogram:
    """How often each duration occurred. A value: it can be added to, merged and subtracted."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: defaultdict[int, int] = defaultdict(int)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and self._told() == other._told()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def _told(self) -> dict[int, int]:
        return {bucket: count for bucket, count in self.counts.items() if count}

    def add(self, duration_ns: int) -> None:
        """Count one duration; negative ones count as 0."""
        self.counts[bucket_of(min(max(duration_ns, 0), MAX_NS))] += 1

    def add_all(self, durations_ns: Sequence[int]) -> None:
        """Count many durations from 0 to `MAX_NS`."""
        counts = self.counts
        for duration_ns in durations_ns:  # `bucket_of`, without its call
            shift = duration_ns.bit_length() - 7
            counts[(shift << 6) + (duration_ns >> shift) if shift > 0 else duration_ns] += 1

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def __iadd__(self, other: Histogram) -> Histogram:
        counts = self.counts
        for bucket, count in list(other.counts.items()):
            counts[bucket] += count
        return self

    def __add__(self, other: Histogram) -> Histogram:
        result = Histogram()
        result += self
        result += other
        return result

    def __sub__(self, earlier: Histogram) -> Histogram:
        """What was added since ``earlier``, which must be a former state of this histogram."""
        result = Histogram()
        for bucket, count in list(self.counts.items()):
            if difference := count - earlier.counts.get(bucket, 0):
                result.counts[bucket] = difference
        return result

    def quantile(self, q: float) -> int:
        """The duration (ns) that a share ``q`` (0 to 1) of all does not exceed, by nearest rank; 0 if empty.

        Raises `ValueError` outside 0..1.
        """
        if not 0 <= q <= 1:
            raise ValueError(f"a quantile lies between 0 and 1, not at {q}")
        ordered = sorted(self.counts.items())
        total = sum(count for _, count in ordered)
        rank = max(1, ceil(q * total - 1e-9))
        for bucket, count in ordered:
            rank -= count
            if rank <= 0:
                return value_of(bucket)
        return 0


class DenseHistogram(Histogram):
    """The same counts in an array from the lowest to the highest bucket: for what is kept for long.

    4 bytes a bucket (8 once a count exceeds 2^32), so at most 9.5 kB; a dictionary takes twenty times as much.
    Histograms are added to it, single durations are not.
    """

    __slots__ = ("_array", "_lowest")

    def __init__(self) -> None:
        self._array = array("I")
        self._lowest = 0

    @property
    def counts(self) -> dict[int, int]:  # type: ignore[override]  # to read; who adds, adds a histogram
        return {bucket: count for bucket, count in enumerate(self._array, self._lowest) if count}

    @property
    def size_bytes(self) -> int:
        return len(self._array) * self._array.itemsize

    def add(self, duration_ns: int) -> None:
        """Raises `TypeError`."""
        raise TypeError("single durations are counted in a Histogram, then merged")

    def add_all(self, durations_ns: Sequence[int]) -> None:
        """Raises `TypeError`."""
        raise TypeError("single durations are counted in a Histogram, then merged")

    def __iadd__(self, other: Histogram) -> DenseHistogram:
        counts = other.counts
        if not counts:
            return self
        self._make_room(min(counts), max(counts))
        try:
            self._add(counts)
        except OverflowError:
            self._array = array("Q", self._array)
            self._add(counts)
        return self

    def _make_room(self, lowest: int, highest: int) -> None:
        if not self._array:
            self._lowest = lowest
        if lowest < self._lowest:
            self._array = self._zeros(self._lowest - lowest) + self._array
            self._lowest = lowest
        if (missing := highest - self._lowest + 1 - len(self._array)) > 0:
            self._array.extend(self._zeros(missing))

    def _zeros(self, length: int) -> array[int]:
        return array(self._array.typecode, bytes(length * self._array.itemsize))

    def _add(self, counts: Mapping[int, int]) -> None:
        """All or, if one would overflow, none."""
        sums = [(bucket - self._lowest, count) for bucket, count in counts.items()]
        result = self._array[:]
        for place, count in sums:
            result[place] += count
        self._array = result
