"""What this node has said lately, so that it can say it again to whoever missed it. Deciding code: no I/O."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator

from steinmetz.realtime.adapters.messages import Kind, Said

MAX_CHANNELS = 10_000
"""Channels whose last number is known; in one that was forgotten, the next message tells of no predecessor."""
MAX_TAILS = 1_000
_OVERHEAD = 200
"""Bytes that keeping one message takes beside its body."""


class Journal:
    """Bound: ``max_bytes`` of messages, the oldest goes first; one entry each for `MAX_CHANNELS` channels."""

    def __init__(self, max_bytes: int) -> None:
        self.number = 0
        """Of the last thing said."""
        self._max_bytes = max_bytes
        self._kept: deque[Said] = deque()
        self._bytes = 0
        self._forgotten = 0
        """The highest number that is not kept any more though somebody might ask for it."""
        self._last: OrderedDict[str, int] = OrderedDict()
        self._tails: dict[str, int] = {}
        self._are_tails_whole = True

    @property
    def size(self) -> int:
        return self._bytes

    def say(self, kind: Kind, channels: tuple[str, ...], body: bytes) -> tuple[int, list[int]]:
        """The number of the next message, and of the one before it in each of ``channels`` (0: none is known)."""
        self.number = number = self.number + 1
        last = self._last
        if kind is Kind.PASSING:
            return number, [last.get(channel, 0) for channel in channels]
        previous = []
        for channel in channels:
            previous.append(last.get(channel, 0))
            last[channel] = number
            last.move_to_end(channel)
            self._note_tail(channel, number)
        while len(last) > MAX_CHANNELS:
            last.popitem(last=False)
        self._kept.append(Said(number, kind, channels, body))
        self._bytes += len(body) + _OVERHEAD
        while self._bytes > self._max_bytes:
            oldest = self._kept.popleft()
            self._bytes -= len(oldest.body) + _OVERHEAD
            self._forgotten = oldest.number
        return number, previous

    def skip(self) -> None:
        """Something was said to nobody: who asks for it nevertheless must know that it is lost."""
        self.number += 1
        self._forgotten = self.number

    def _note_tail(self, channel: str, number: int) -> None:
        if channel in self._tails or len(self._tails) < MAX_TAILS:
            self._tails[channel] = number
        else:
            self._are_tails_whole = False

    def take_tails(self) -> tuple[dict[str, int], bool]:
        """The last number in each channel since this was asked last, and whether these are all the channels."""
        tails, are_whole = self._tails, self._are_tails_whole
        self._tails, self._are_tails_whole = {}, True
        return tails, are_whole

    def is_whole_since(self, number: int) -> bool:
        """Whether everything after ``number`` can be said again."""
        return self._forgotten <= number <= self.number

    def since(self, number: int) -> Iterator[Said]:
        """What is kept of what was said after ``number``, in order."""
        return (said for said in self._kept if said.number > number)
