"""One computation for all who ask at the same time, as long as nobody is given a past older than his question.

The first to miss leads; the others wait for the landing. Whether one may wait is asked twice: at the joining, of
what the leader has read so far (a flight that a commit has overtaken is not worth waiting for), and at the
landing, of all that it read (`Epochs.unmoved_until` the moment of joining).

What was computed last for a key tells what the next flight will read and how long it will take. So whoever comes
while a commit concerns it waits for that commit before anything is computed; and who meets a flight that a commit
has overtaken waits for its end, if that is near, and boards the next one with all the others. For them it begins
after they have asked, so not even a commit under way keeps it from them: a key that is written faster than it is
computed costs one computation at a time, however many ask (trap T10).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum

from steinmetz.cache.invalidation.coherence import Coherence
from steinmetz.cache.invalidation.reads import Recording
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.epochs import Moment
from steinmetz.clock import perf_ns
from steinmetz.sql.effects import ReadSet

REMEMBERED_KEYS = 1_024
"""What is computed again and again stays among them; a read set takes some kilobytes."""
OVERDUE = 3
"""A flight that has lasted so many times the last one's time may last for ever: nobody waits for its end."""


@dataclass(frozen=True, slots=True)
class Landed:
    """The answer, which others than the leader may have too."""

    entry: Entry


class Lost(Enum):
    """The leader brought nothing for others."""

    OWN = "the answer is the leader's alone; each computes for itself"
    ERROR = "the application failed; who may have the expired answer takes it, else the next one leads"
    FAILED = "the leader was cancelled or failed; the next one leads"


Landing = Landed | Lost


class Flight:
    """A computation under way for one key. ``recording`` is None until its scope is open.

    ``followers`` are those who wait for it now, ``joins`` those who ever did.
    """

    __slots__ = ("_landed", "_landing", "followers", "joins", "key", "recording", "sequence", "started_ns")

    def __init__(self, key: bytes, sequence: int) -> None:
        self.key = key
        self.sequence = sequence
        self.started_ns = perf_ns()
        self.recording: Recording | None = None
        self.followers = 0
        self.joins = 0
        self._landing: Landing | None = None
        self._landed = asyncio.Event()

    @property
    def has_landed(self) -> bool:
        return self._landing is not None

    def land(self, landing: Landing) -> None:
        """Tell the followers; the first word counts."""
        if self._landing is None:
            self._landing = landing
            self._landed.set()

    async def landing(self) -> Landing:
        self.followers += 1
        try:
            await self._landed.wait()
        finally:
            self.followers -= 1
        assert self._landing is not None
        return self._landing

    async def ended_within(self, timeout_s: float) -> None:
        """Wait for the landing, whatever it brings, but not for longer than ``timeout_s``."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._landed.wait()
        except TimeoutError:
            return


@dataclass(frozen=True, slots=True)
class Asking:
    """A request that boards: when it came (of ``perf_counter_ns``), and how long it waits for what."""

    since_ns: int
    patience_s: float
    may_wait: bool


@dataclass(frozen=True, slots=True)
class Join:
    """``moment`` is that of joining; None if the flight began after the request had come.

    Then all that it reads is at least as new as the question: the follower may have whatever the leader may have.
    """

    flight: Flight
    moment: Moment | None


@dataclass(frozen=True, slots=True)
class Wait:
    """A commit is under way that concerns what the flight reads: better waited for than computed beside."""

    reads: ReadSet


@dataclass(frozen=True, slots=True)
class Queue:
    """A commit has overtaken the flight, whose end is near: better board the next one than compute beside it."""

    flight: Flight


@dataclass(frozen=True, slots=True)
class Lead:
    flight: Flight


@dataclass(frozen=True, slots=True)
class _Known:
    """Of the last computation for a key."""

    reads: ReadSet
    cost_ns: int

    def ends_within(self, patience_s: float, elapsed_ns: int) -> bool:
        """Whether a flight that has lasted so long is expected to end while there is patience left."""
        return elapsed_ns < OVERDUE * self.cost_ns and self.cost_ns - elapsed_ns <= patience_s * 1e9


_UNKNOWN = _Known(ReadSet(), 0)


class SingleFlight:
    """The flights of one process by key. Used on the event loop's thread only; bounded by the open requests."""

    def __init__(self, coherence: Coherence) -> None:
        self._coherence = coherence
        self._flights: dict[bytes, Flight] = {}
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self.joins = 0

    def __len__(self) -> int:
        return len(self._flights)

    def board(self, key: bytes, asking: Asking) -> Join | Wait | Queue | Lead:
        """What the next request for ``key`` is to do."""
        flight = self._flights.get(key)
        if flight is not None and not flight.has_landed and flight.started_ns >= asking.since_ns:
            return self._join(flight, None)
        moment = self._coherence.moment()
        known = self._known.get(key, _UNKNOWN)
        if flight is None or flight.has_landed:
            if asking.may_wait and any(known.reads.concerned_by(writes) for writes in moment.pending):
                return Wait(known.reads)
            return Lead(self.lead(key, self._coherence.begin()))
        if moment.pending or moment.sequence != flight.sequence:
            reads = known.reads
            if flight.recording is not None:
                reads |= flight.recording.read_set()
            is_marked = any(reads.concerned_by(writes) for writes in moment.pending)
            if is_marked or not self._coherence.was_unmoved(flight.sequence, reads, moment):
                if known.ends_within(asking.patience_s, perf_ns() - flight.started_ns):
                    return Queue(flight)
                if is_marked and asking.may_wait:
                    return Wait(reads)
                return Lead(self.lead(key, self._coherence.begin()))
        return self._join(flight, moment)

    def _join(self, flight: Flight, moment: Moment | None) -> Join:
        flight.joins += 1
        self.joins += 1
        return Join(flight, moment)

    def is_under_way(self, key: bytes) -> bool:
        return key in self._flights

    def lead(self, key: bytes, sequence: int) -> Flight:
        """Begin a flight in place of any other for ``key``."""
        flight = self._flights[key] = Flight(key, sequence)
        return flight

    def learn(self, key: bytes, reads: ReadSet, cost_ns: int) -> None:
        """What an answer for ``key`` was computed from, and how long that took."""
        if reads.is_certain:
            self._known[key] = _Known(reads, cost_ns)
            self._known.move_to_end(key)
            if len(self._known) > REMEMBERED_KEYS:
                self._known.popitem(last=False)

    def end(self, flight: Flight) -> None:
        """The leader is done, well or badly."""
        flight.land(Lost.FAILED)
        if self._flights.get(flight.key) is flight:
            del self._flights[flight.key]

    def may_have(self, landed: Landed, join: Join) -> bool:
        """Whether a follower may be given what landed, now that all its reads are known."""
        return join.moment is None or self._coherence.was_unmoved(
            join.flight.sequence, landed.entry.read_set, join.moment
        )
