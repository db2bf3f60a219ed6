"""What was worked out once and may be forgotten at any time, bounded by bytes."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

A = TypeVar("A", bound=Hashable)
B = TypeVar("B")

LONGEST_SHARE = 256


class Memo(Generic[A, B]):
    """A dictionary of at most ``limit_bytes``; when they are used up it begins anew.

    Not the oldest one by one: whoever sends ever new addresses would make each of them cost twice. What would
    take more than a 256th of the room is not remembered. `get` is that of the dictionary itself.
    """

    __slots__ = ("_values", "get", "limit_bytes", "weight_bytes")

    def __init__(self, limit_bytes: int) -> None:
        self._values: dict[A, B] = {}
        self.get = self._values.get
        self.limit_bytes = limit_bytes
        self.weight_bytes = 0

    def put(self, question: A, answer: B, weight_bytes: int) -> None:
        """Remember a new ``answer``; ``weight_bytes`` is that of both."""
        if weight_bytes * LONGEST_SHARE > self.limit_bytes:
            return
        if self.weight_bytes + weight_bytes > self.limit_bytes:
            self._values.clear()
            self.weight_bytes = 0
        self._values[question] = answer
        self.weight_bytes += weight_bytes

    def __len__(self) -> int:
        return len(self._values)
