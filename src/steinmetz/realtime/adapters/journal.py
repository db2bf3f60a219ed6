"""What this node has said lately, so that it can say it again to whoever missed it. Deciding code: no I/O."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator

from steinmetz.realtime.adapters.messages import Beat, Said
from steinmetz.realtime.adapters.seal import Kind

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
        self._told = 0

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
            self._tails.pop(channel, None)
            self._tails[channel] = number
        while len(self._tails) > MAX_TAILS:
            del self._tails[next(iter(self._tails))]
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

    def take_beat(self, *, is_resumed: bool) -> Beat:
        """What is to be told now so that others notice what they have missed since the last time.

        Of more than `MAX_TAILS` channels the oldest are left out; in those, the next message tells.
        """
        tails, self._tails = self._tails, {}
        since, self._told = self._told, self.number
        return Beat(self.number, since, tails, is_resumed)

    def is_whole_since(self, number: int) -> bool:
        """Whether everything after ``number`` can be said again."""
        return self._forgotten <= number <= self.number

    def since(self, number: int) -> Iterator[Said]:
        """What is kept of what was said after ``number``, in order."""
        return (said for said in self._kept if said.number > number)
