"""The port of a store: what is kept under a key, until it is dropped or falls out.

Writers (`put`, `drop`, `discard`, `clear`) are called under the lock of `Coherence`; `get` is called without it
and must be safe beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Protocol, TypeVar

from steinmetz.cache.policy.patterns import PathPattern
from steinmetz.sql.effects import ReadSet, WriteSet


class Kept(Protocol):
    """What a store keeps: something computed from a read set. ``weight`` is in bytes, all included.

    ``alive`` is true until the store lets go of it, for whoever has it in hand. What is `Placed` besides is found
    by patterns, held within the limits of its route, and kept the longer the more it cost.
    """

    alive: bool

    @property
    def key(self) -> bytes: ...

    @property
    def read_set(self) -> ReadSet: ...

    @property
    def weight(self) -> int: ...


K = TypeVar("K", bound=Kept)


class Gone(StrEnum):
    """Why a store let go of something."""

    DROPPED = "something it read was written"
    EVICTED = "there was no room"
    REPLACED = "a newer one took its place"
    DISCARDED = "it should not have been kept"
    CLEARED = "everything was dropped"


OnGone = Callable[[K, Gone], None]
"""Called under the lock for each thing that a store lets go of: quick, and never raising."""


class Store(Protocol[K]):
    """Small enough for a card. Bounded by ``budget_bytes``; what falls out is counted in ``evictions``."""

    @property
    def budget_bytes(self) -> int: ...

    @property
    def evictions(self) -> int: ...

    def get(self, key: bytes) -> K | None:
        """What is kept under ``key``; counts as a use."""

    def put(self, kept: K) -> bool:
        """Keep it in place of what had its key; False if it is too heavy for the store or its route's limits."""

    def reweigh(self, kept: K) -> bool:
        """Its weight has changed: False if it is not kept, be it that it had to go for this."""

    def drop(self, writes: WriteSet) -> int:
        """Forget all that ``writes`` concerns; returns how many."""

    def keys_matching(self, pattern: PathPattern) -> list[bytes]:
        """The keys of all whose path matches ``pattern``, found by an index and not by a scan."""

    def drop_matching(self, pattern: PathPattern) -> int:
        """Forget all whose path matches ``pattern``; returns how many."""

    def discard(self, kept: K) -> bool:
        """Forget just this one, if it is still the one under its key."""

    def clear(self) -> int:
        """Forget everything; returns how many."""

    def __iter__(self) -> Iterator[K]: ...

    def __len__(self) -> int: ...

    @property
    def weight_bytes(self) -> int:
        """The weight of all that is kept."""
