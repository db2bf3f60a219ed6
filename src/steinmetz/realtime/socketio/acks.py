"""Acknowledgements that the server waits for: an id for each, a deadline for each, an end for each."""

from __future__ import annotations

from typing import Generic, TypeVar

Waiter = TypeVar("Waiter")


class Acks(Generic[Waiter]):
    """The open requests of one socket. What a waiter is, is the carrier's business."""

    __slots__ = ("_next_id", "_open")

    def __init__(self) -> None:
        self._next_id = 0
        self._open: dict[int, tuple[float, Waiter]] = {}

    def __len__(self) -> int:
        return len(self._open)

    @property
    def deadline_s(self) -> float | None:
        """When `expire` is wanted next; None while nothing is open."""
        return min((due_s for due_s, _ in self._open.values()), default=None)

    def expect(self, waiter: Waiter, due_s: float) -> int:
        """The id that the packet carries."""
        ack_id = self._next_id
        self._next_id += 1
        self._open[ack_id] = (due_s, waiter)
        return ack_id

    def take(self, ack_id: int) -> Waiter | None:
        """Who waits for ``ack_id``; None for an id that was never given, or has been answered, or is overdue."""
        found = self._open.pop(ack_id, None)
        return None if found is None else found[1]

    def expire(self, now_s: float) -> list[Waiter]:
        """Those who have waited long enough; they are forgotten."""
        overdue = [ack_id for ack_id, (due_s, _) in self._open.items() if due_s <= now_s]
        return [self._open.pop(ack_id)[1] for ack_id in overdue]

    def close(self) -> list[Waiter]:
        """All who still wait; the socket is gone and they must hear it at once."""
        waiters = [waiter for _, waiter in self._open.values()]
        self._open.clear()
        return waiters
