"""Remembers what raw requests may be answered with, bounded by bytes (trap T20)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class Weighed(Protocol):
    @property
    def weight(self) -> int: ...


R = TypeVar("R", bound=Weighed)


class Memo(Generic[R]):
    """Two generations: when the young one has half of ``budget_bytes``, it becomes the old one, and what was old
    and not asked for meanwhile is forgotten."""

    __slots__ = ("_old", "_old_bytes", "_young", "_young_bytes", "budget_bytes", "forgotten", "get")

    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self._young: dict[bytes, R] = {}
        self._old: dict[bytes, R] = {}
        self._young_bytes = self._old_bytes = 0
        self.forgotten = 0
        """How many had to go for want of room."""
        self.get = self._young.get
        """What is remembered of a raw request and was asked for lately; `recall` looks further back."""

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def __iter__(self) -> Iterator[R]:
        return iter([*self._old.values(), *self._young.values()])

    @property
    def weight_bytes(self) -> int:
        return self._young_bytes + self._old_bytes

    def recall(self, raw: bytes) -> R | None:
        """What was remembered before; it is young again."""
        found = self._old.get(raw)
        if found is not None:
            self.remember(raw, found)
        return found

    def remember(self, raw: bytes, ready: R) -> None:
        self.forget(raw)
        weight, half = len(raw) + ready.weight, self.budget_bytes // 2
        if weight > half:
            return
        if self._young_bytes + weight > half:
            self.forgotten += len(self._old)
            self._old, self._old_bytes = self._young, self._young_bytes
            self._young, self._young_bytes = {}, 0
            self.get = self._young.get
        self._young[raw] = ready
        self._young_bytes += weight

    def forget(self, raw: bytes) -> None:
        before = self._young.pop(raw, None)
        if before is not None:
            self._young_bytes -= len(raw) + before.weight
            return
        before = self._old.pop(raw, None)
        if before is not None:
            self._old_bytes -= len(raw) + before.weight
