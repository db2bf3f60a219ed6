"""Packed figures that will not change any more, one behind the other in one piece of memory.

A dictionary of small `bytes` takes as much again for its places and for the heads of its values; a day has 1,440
minutes of some hundred subjects each.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Hashable, Iterator, Mapping
from itertools import accumulate
from typing import TypeVar

K = TypeVar("K", bound=Hashable)

PLACE_BYTES = 24
"""What each takes beside its bytes: a pointer to whose they are, the hash by which they are found, where they end
(4 bytes), and room for what a block has once."""


class Block(Mapping[K, bytes]):
    """Unchangeable. Each is found in O(log n) steps, also when one goes through all of them."""

    __slots__ = ("_bytes", "_ends", "_hashes", "_keys")

    def __init__(self, cells: Mapping[K, bytes]) -> None:
        keys = sorted(cells, key=hash)
        self._keys = tuple(keys)
        self._hashes = array("q", map(hash, keys))
        self._ends = array("I", accumulate(len(cells[key]) for key in keys))
        self._bytes = b"".join(cells[key] for key in keys)

    def __getitem__(self, key: K) -> bytes:
        at = bisect_left(self._hashes, hash(key))
        while at < len(self._keys) and self._hashes[at] == hash(key):
            if self._keys[at] == key:
                return self._bytes[self._ends[at - 1] if at else 0 : self._ends[at]]
            at += 1
        raise KeyError(key)

    def __iter__(self) -> Iterator[K]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)
