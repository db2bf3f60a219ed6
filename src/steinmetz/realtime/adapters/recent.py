"""What has arrived in one namespace lately, in the order of its log. Deciding code."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from steinmetz.realtime.socketio.recovery import Entry

MAX_ENTRIES = 2_000
MAX_BYTES = 1024 * 1024
_OVERHEAD = 300
"""Bytes that keeping one entry takes beside its data."""


class Recent:
    """Bound: `MAX_ENTRIES` of `MAX_BYTES` together; the oldest goes first. Entries have no offsets yet."""

    def __init__(self) -> None:
        self._life = b""
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self._forgotten = 0
        """The position of the newest entry that is not kept any more."""

    def add(self, life: bytes, entry: Entry) -> None:
        """``entry`` is the next one of the log in its ``life``."""
        if life != self._life:
            self._life = life
            self._entries.clear()
            self._bytes = 0
        self._entries.append(entry)
        self._bytes += _size(entry)
        while len(self._entries) > MAX_ENTRIES or self._bytes > MAX_BYTES:
            oldest = self._entries.popleft()
            self._bytes -= _size(oldest)
            self._forgotten = oldest.position

    def behind(self, position: int) -> Sequence[Entry] | None:
        """What has arrived with a higher ``position``, in order; None if not all of it is kept."""
        if self._forgotten > position:
            return None
        found: list[Entry] = []
        for entry in reversed(self._entries):
            if entry.position <= position:
                break
            found.append(entry)
        return found[::-1]


def _size(entry: Entry) -> int:
    return _OVERHEAD + sum(len(packet.data) for packet in entry.packets)
