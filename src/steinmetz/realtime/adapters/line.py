"""What this node has said to the log of one namespace, until it comes back with its position. Deciding code.

Members of this node hear a record of ours when it returns, in its place among those of other nodes: so all nodes
deliver the one order of the log. If it does not return soon, as the bus is away or slow, they hear it at once,
with the offset `BLANK`: who shows that one when he comes back has heard something out of order, and begins anew.
The record goes on its way nevertheless, and nobody here hears it again. Until all such have returned, every event
is said with `BLANK`: nobody here may name a position before one of them, or he would be told it twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from steinmetz.clock import Clock
from steinmetz.realtime.recovery.record import Record, Stamp

STALL_S = 0.5
"""So long members here wait for a record to return."""
REFUSED_S = 5.0
"""So long nothing is recorded once the log has refused something."""
MAX_BYTES = 8 * 1024 * 1024
"""Of what has not returned. One more, and the oldest is not recorded: the log is torn, and has to begin anew."""
_OVERHEAD = 300


class Said(Protocol):
    """What a record says, for the members of this node."""

    def tell(self, number: int, stamp: Stamp | None, but: frozenset[str]) -> None:
        """Let them have the record ``number``, except those named in ``but``; ``stamp`` is None out of order."""

    def tell_one(self, sid: str, number: int) -> bool:
        """Let the member ``sid`` have it, out of order, if it is meant; whether it is."""


@dataclass(slots=True)
class Waiting:
    """A record that has not returned."""

    record: Record
    said: Said
    since_s: float
    is_told: bool = False
    caught_up: set[str] = field(default_factory=set)
    """Members that have it already."""
    behind: list[Callable[[], None]] = field(default_factory=list)
    """What members here are told next, and no other node."""


class Line:
    """Bound: `MAX_BYTES` of records, and what is told behind them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: deque[Waiting] = deque()
        self._bytes = 0
        self._untold = 0
        """Records that members here wait for; the newest ones."""
        self._is_stalled = False
        self._refused_until_s = 0.0
        self.is_torn = False
        """Something is not in the log, which has to begin anew."""
        self.overdue = 0
        """Records that have returned, or never will, after members here were told, or without a position."""
        self.stalls = 0
        """Times that members here were told what had not returned."""

    @property
    def is_sure(self) -> bool:
        """Whether everything of ours that was told here is in the log, before all that comes now."""
        return len(self._waiting) == self._untold and not self.is_torn and self.may_record()

    @property
    def is_heard(self) -> bool:
        """Whether members here have heard all that was said here."""
        return not self._untold

    def may_record(self) -> bool:
        """Whether the log has not refused anything lately."""
        return not self._refused_until_s or self._clock.monotonic_s() >= self._refused_until_s

    def add(self, record: Record, said: Said) -> list[Record]:
        """``record`` is under way. What is given up for it."""
        self._waiting.append(Waiting(record, said, self._clock.monotonic_s()))
        self._bytes += len(record.body) + _OVERHEAD
        self._untold += 1
        if self._is_stalled:
            self._tell_all()
        given_up = []
        while self._bytes > MAX_BYTES:
            self.is_torn = True
            self._tell_all()
            given_up.append(self._pop(None))
        return given_up

    def then(self, do: Callable[[], None]) -> None:
        """``do`` it once members here have heard what was said before."""
        if self._untold:
            self._waiting[-1].behind.append(do)
        else:
            do()

    def returned(self, number: int, stamp: Stamp | None) -> None:
        """The record ``number`` is in the log, and so are all before it."""
        self._is_stalled = False
        while self._waiting and self._waiting[0].record.number <= number:
            self._pop(stamp if self._waiting[0].record.number == number else None)

    def refused(self, number: int) -> Record | None:
        """The log takes nothing now; the record in question, if it was under way."""
        self._refused_until_s = self._clock.monotonic_s() + REFUSED_S
        self.is_torn = True
        found = next((each.record for each in self._waiting if each.record.number == number), None)
        self.returned(number, None)
        return found

    def _pop(self, stamp: Stamp | None) -> Record:
        first = self._waiting.popleft()
        self._bytes -= len(first.record.body) + _OVERHEAD
        self.overdue += first.is_told or stamp is None
        self._tell(first, stamp)
        return first.record

    def _tell(self, waiting: Waiting, stamp: Stamp | None) -> None:
        if not waiting.is_told:
            waiting.is_told = True
            self._untold -= 1
            waiting.said.tell(waiting.record.number, stamp, frozenset(waiting.caught_up))
            for do in waiting.behind:
                do()
            waiting.behind.clear()

    def stall(self) -> None:
        """Nothing will return soon: members here are told now."""
        self._is_stalled = True
        if self._untold:
            self.stalls += 1
            self._tell_all()

    def _tell_all(self) -> None:
        for each in list(self._waiting):
            self._tell(each, None)

    def tick(self) -> None:
        """Some time has passed."""
        if self._untold and self._clock.monotonic_s() - self._waiting[-self._untold].since_s >= STALL_S:
            self.stall()

    def catch_up(self, sid: str) -> None:
        """Let the member ``sid`` have what members here wait for: it leaves, or is told something else next."""
        for each in list(self._waiting) if self._untold else ():
            if not each.is_told and sid not in each.caught_up:
                each.caught_up.add(sid)  # first: to tell it is to say something to it
                if not each.said.tell_one(sid, each.record.number):
                    each.caught_up.discard(sid)  # it may come to be meant before the record returns

    def forget(self, sid: str) -> None:
        """The member has left. Whoever comes back with its id has perhaps not heard what it was told last."""
        for each in self._waiting if self._untold else ():
            each.caught_up.discard(sid)

    def resume(self) -> list[Record]:
        """Records return again. What is to be recorded once more, the oldest first."""
        self._is_stalled = False
        return self.under_way()

    def under_way(self) -> list[Record]:
        """What has not returned, the oldest first."""
        return [each.record for each in self._waiting]
