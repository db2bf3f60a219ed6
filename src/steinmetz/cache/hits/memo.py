"""Remembers what requests may be answered with, bounded by bytes (trap T20)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

SHARE = 8
LEAST_BYTES = 256 * 1024

K = TypeVar("K")
R = TypeVar("R")


def memo_bytes_beside(store_bytes: int, most_bytes: int) -> int:
    """What may be remembered beside a store of answers with this budget: an eighth of it, which is ``most_bytes``
    beside a large one and never less than `LEAST_BYTES`."""
    return max(LEAST_BYTES, min(most_bytes, store_bytes // SHARE))


class Memo(Generic[K, R]):
    """Two generations: when the young one has half of ``budget_bytes``, or is ``lives_s`` old, it becomes the old
    one, and what was old and not asked for meanwhile is forgotten: nothing is of use for longer than it lives.
    ``weigh(key, found)`` stays the same for the same two."""

    __slots__ = (
        "_full_age_s",
        "_lives_s",
        "_monotonic_s",
        "_old",
        "_old_bytes",
        "_weigh",
        "_young",
        "_young_bytes",
        "budget_bytes",
        "forgotten",
        "get",
    )

    def __init__(
        self, budget_bytes: int, weigh: Callable[[K, R], int], lives_s: float, monotonic_s: Callable[[], float]
    ) -> None:
        self.budget_bytes = budget_bytes
        self._weigh = weigh
        self._lives_s = lives_s
        self._monotonic_s = monotonic_s
        self._full_age_s = monotonic_s() + lives_s
        self._young: dict[K, R] = {}
        self._old: dict[K, R] = {}
        self._young_bytes = self._old_bytes = 0
        self.forgotten = 0
        """How many had to go for want of room."""
        self.get = self._young.get
        """What was remembered lately; `recall` looks further back."""

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def __iter__(self) -> Iterator[R]:
        return iter([*self._old.values(), *self._young.values()])

    @property
    def weight_bytes(self) -> int:
        return self._young_bytes + self._old_bytes

    def recall(self, key: K) -> R | None:
        """What was remembered long ago; it is young again."""
        found = self._old.get(key)
        if found is not None:
            self.remember(key, found)
        return found

    def remember(self, key: K, found: R) -> None:
        self.forget(key)
        weight, half = self._weigh(key, found), self.budget_bytes // 2
        if weight > half:
            return
        now_s = self._monotonic_s()
        is_full = self._young_bytes + weight > half
        if is_full or now_s >= self._full_age_s:
            self.forgotten += len(self._old) if is_full else 0
            self._old, self._old_bytes = self._young, self._young_bytes
            self._young, self._young_bytes = {}, 0
            self.get = self._young.get
            self._full_age_s = now_s + self._lives_s
        self._young[key] = found
        self._young_bytes += weight

    def forget(self, key: K) -> None:
        found = self._young.pop(key, None)
        if found is not None:
            self._young_bytes -= self._weigh(key, found)
        elif self._old and (found := self._old.pop(key, None)) is not None:
            self._old_bytes -= self._weigh(key, found)
