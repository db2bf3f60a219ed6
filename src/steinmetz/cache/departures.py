"""Answers that are gone, remembered for a while: why did the next request miss, and was the drop needless?"""

from __future__ import annotations

import threading
from itertools import islice
from typing import NamedTuple

from steinmetz.cache.invalidation.causes import Invalidation
from steinmetz.cache.stores.base import Gone

REMEMBERED = 20_000
"""Departures, at most; about 4 MB."""
BYTES_A_DEPARTURE = 12_000
LEAST_REMEMBERED = 1_000
BATCHES = 16
"""When there are too many, the oldest sixteenth is forgotten."""


def remembered_beside(store_bytes: int) -> int:
    """How many departures are worth remembering beside a store of this budget: about one for each answer."""
    return max(LEAST_REMEMBERED, min(REMEMBERED, store_bytes // BYTES_A_DEPARTURE))


class Departure(NamedTuple):
    """``invalidation`` is None unless a commit or a hand dropped it."""

    why: Gone
    etag: bytes
    invalidation: Invalidation | None


class Departures:
    """The last ``remembered`` answers that were let go of, at most, by their keys' hashes. Thread-safe."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._lock = threading.Lock()
        self._gone: dict[int, Departure] = {}
        """Oldest first. An `OrderedDict` takes nearly twice the memory."""

    def __len__(self) -> int:
        return len(self._gone)

    def left(self, key: bytes, departure: Departure) -> None:
        with self._lock:
            self._gone.pop(hash(key), None)
            self._gone[hash(key)] = departure
            if len(self._gone) > self._remembered:
                # Several at once: a dictionary finds its first one behind the places of all that were before it.
                for oldest in list(islice(self._gone, max(1, self._remembered // BATCHES))):
                    del self._gone[oldest]

    def why(self, key: bytes) -> Departure | None:
        """How what was kept under ``key`` has gone; None if it never was there, or that was long ago."""
        return self._gone.get(hash(key))

    def returned(self, key: bytes) -> Departure | None:
        """``key`` is kept anew: how the one before had gone."""
        with self._lock:
            return self._gone.pop(hash(key), None)
