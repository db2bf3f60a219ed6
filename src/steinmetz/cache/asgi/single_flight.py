"""One computation for all who ask at the same time, as long as nobody is given a past older than his question.

The first to miss leads; the others wait for the landing. Whether one may wait is asked twice: at the joining, of
what the leader has read so far (a flight that a commit has overtaken is not worth waiting for), and at the
landing, of all that it read (`Epochs.unmoved_until` the moment of joining). A leader that is cancelled or fails
leaves its place to the next follower.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum

from steinmetz.cache.invalidation.coherence import Coherence
from steinmetz.cache.invalidation.reads import Recording
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.epochs import Moment
from steinmetz.sql.effects import ReadSet


@dataclass(frozen=True, slots=True)
class Landed:
    """The answer, which others than the leader may have too."""

    entry: Entry


class Lost(Enum):
    """The leader brought nothing for others."""

    OWN = "the answer is the leader's alone; each computes for itself"
    FAILED = "the leader was cancelled or failed; the next one leads"


Landing = Landed | Lost


class Flight:
    """A computation under way for one key. ``recording`` is None until its scope is open."""

    __slots__ = ("_landed", "_landing", "joins", "key", "recording", "sequence")

    def __init__(self, key: bytes, sequence: int) -> None:
        self.key = key
        self.sequence = sequence
        self.recording: Recording | None = None
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
        await self._landed.wait()
        assert self._landing is not None
        return self._landing


@dataclass(frozen=True, slots=True)
class Join:
    flight: Flight
    moment: Moment


@dataclass(frozen=True, slots=True)
class Wait:
    """A commit is under way that concerns what the flight has read: better waited for than computed beside."""

    reads: ReadSet


@dataclass(frozen=True, slots=True)
class Lead:
    flight: Flight


class SingleFlight:
    """The flights of one process by key. Used on the event loop's thread only; bounded by the open requests."""

    def __init__(self, coherence: Coherence) -> None:
        self._coherence = coherence
        self._flights: dict[bytes, Flight] = {}
        self.joins = 0

    def __len__(self) -> int:
        return len(self._flights)

    def board(self, key: bytes, sequence: int) -> Join | Wait | Lead:
        """What the next request for ``key``, begun at ``sequence``, is to do."""
        flight = self._flights.get(key)
        if flight is None or flight.has_landed:
            return Lead(self.lead(key, sequence))
        moment = self._coherence.moment()
        if flight.recording is not None:
            reads = flight.recording.read_set()
            if any(reads.concerned_by(writes) for writes in moment.pending):
                return Wait(reads)
            if not self._coherence.was_unmoved(flight.sequence, reads, moment):
                return Lead(self.lead(key, sequence))
        flight.joins += 1
        self.joins += 1
        return Join(flight, moment)

    def is_under_way(self, key: bytes) -> bool:
        return key in self._flights

    def lead(self, key: bytes, sequence: int) -> Flight:
        """Begin a flight in place of any other for ``key``."""
        flight = self._flights[key] = Flight(key, sequence)
        return flight

    def end(self, flight: Flight) -> None:
        """The leader is done, well or badly."""
        flight.land(Lost.FAILED)
        if self._flights.get(flight.key) is flight:
            del self._flights[flight.key]

    def may_have(self, landed: Landed, join: Join) -> bool:
        """Whether a follower may be given what landed, now that all its reads are known."""
        return self._coherence.was_unmoved(join.flight.sequence, landed.entry.read_set, join.moment)
