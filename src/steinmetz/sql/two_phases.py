"""What prepared transactions have written, until somebody commits them or rolls them back."""

from __future__ import annotations

from typing import Any

from steinmetz.sql.effects import WriteSet

MAX_PREPARED = 10_000
"""Databases allow fewer at once: what is beyond was ended by another process, or will be."""


class PreparedWrites:
    """By transaction id. Of the oldest of too many, and of another process's, nothing is known."""

    def __init__(self) -> None:
        self._writes: dict[Any, WriteSet] = {}

    def __len__(self) -> int:
        return len(self._writes)

    def keep(self, xid: Any, writes: WriteSet | None) -> None:
        """``xid`` is prepared; also if it has written nothing, because that is known then."""
        if len(self._writes) >= MAX_PREPARED:
            del self._writes[next(iter(self._writes))]
        self._writes[xid] = writes or WriteSet()

    def take(self, xid: Any) -> WriteSet | None:
        """What ``xid`` has written, now that it ends; None if that is not known."""
        return self._writes.pop(xid, None)
