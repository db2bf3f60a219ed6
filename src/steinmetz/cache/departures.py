"""Answers that are gone, remembered for a while: why did the next request miss, and was the drop needless?"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple

from steinmetz.cache.invalidation.causes import Invalidation
from steinmetz.cache.stores.base import Gone

REMEMBERED = 20_000
"""Departures, at most; about 4 MB."""
BYTES_A_DEPARTURE = 12_000
LEAST_REMEMBERED = 1_000


def remembered_beside(store_bytes: int) -> int:
    """How many departures are worth remembering beside a store of this budget: about one for each answer."""
    return max(LEAST_REMEMBERED, min(REMEMBERED, store_bytes // BYTES_A_DEPARTURE))


class Departure(NamedTuple):
    """``invalidation`` is None unless a commit or a hand dropped it."""

    why: Gone
    etag: bytes
    invalidation: Invalidation | None


class Departures:
    """The last `REMEMBERED` answers that were let go of, by their keys' hashes. Thread-safe."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._lock = threading.Lock()
        self._gone: OrderedDict[int, Departure] = OrderedDict()

    def __len__(self) -> int:
        return len(self._gone)

    def left(self, key: bytes, departure: Departure) -> None:
        with self._lock:
            self._gone[hash(key)] = departure
            self._gone.move_to_end(hash(key))
            if len(self._gone) > self._remembered:
                self._gone.popitem(last=False)

    def why(self, key: bytes) -> Departure | None:
        """How what was kept under ``key`` has gone; None if it never was there, or that was long ago."""
        return self._gone.get(hash(key))

    def returned(self, key: bytes) -> Departure | None:
        """``key`` is kept anew: how the one before had gone."""
        with self._lock:
            return self._gone.pop(hash(key), None)
