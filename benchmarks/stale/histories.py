"""Judges a history of reads and writes: which reads showed a past that was over when they were asked.

Pure: no clock, no database. A *register* is anything with a succession of states: one row, the child of a parent
(absent, present, absent, ...), a counter. Its states are numbered by the database itself, in the order of their
commits, so a history is judged in one sweep over its instants, with no search for an order (which would be
NP-hard; Gibbons and Korach, "Testing shared memories", 1997).

What a read showed is a *sight*: a token that one write alone has put there, or something that fits several
states, such as "this row is not in that list". A read may show each state whose number lies between

- the highest that was acknowledged, or shown to anybody, before the read was sent, and
- the highest whose write was sent before the read was answered.

Levels: by `LINEARIZABLE` that holds of all clients together; by `SESSION` of each client's own writes and reads;
by `bounded(ms)` of what was acknowledged, or shown, that long before.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

Sight = Hashable


@dataclass(frozen=True, slots=True)
class Level:
    """``session``: only a client's own operations bind it. ``within_s``: how old a past may be."""

    name: str
    session: bool = False
    within_s: float = 0.0


LINEARIZABLE = Level("linearizable")
SESSION = Level("session", session=True)


def bounded(within_ms: float) -> Level:
    return Level(f"bounded({within_ms:g} ms)", within_s=within_ms / 1_000)


@dataclass(frozen=True, slots=True)
class Write:
    """State ``number`` of ``register`` came to be; instants in seconds.

    ``answered_s`` is infinite if nobody was told that it stands (its client was cancelled, its process killed).
    ``sights``: all that a read may show of this state.
    """

    register: Hashable
    number: int
    sights: frozenset[Sight]
    client: int
    sent_s: float
    answered_s: float = inf


@dataclass(frozen=True, slots=True)
class Read:
    register: Hashable
    sight: Sight
    client: int
    sent_s: float
    answered_s: float


class Fault(StrEnum):
    STALE = "older than an acknowledged write"
    BACKWARDS = "older than what had been shown before"
    OWN_WRITE = "older than the client's own write"
    OWN_READ = "older than what the client had been shown before"
    PHANTOM = "shows what was never committed"
    FUTURE = "shows what had not been written yet"
    LOST = "an acknowledged write is not there"
    FOREIGN = "another user's bytes"


@dataclass(frozen=True, slots=True)
class Violation:
    """``late_s``: how long before the read was sent the state it should at least have shown was known."""

    fault: Fault
    register: Hashable
    client: int
    sent_s: float
    late_s: float = 0.0


@dataclass(slots=True)
class Verdict:
    reads: int = 0
    writes: int = 0
    violations: list[Violation] = field(default_factory=list)

    def count(self, *faults: Fault) -> int:
        by_fault = Counter(violation.fault for violation in self.violations)
        return sum(by_fault[fault] for fault in faults) if faults else len(self.violations)

    @property
    def longest_s(self) -> float:
        """How old the oldest past was that was shown."""
        return max((violation.late_s for violation in self.violations), default=0.0)


class _Floor:
    """The highest number known by an instant: a staircase that only climbs, asked with ascending instants."""

    __slots__ = ("_instants", "_numbers")

    def __init__(self) -> None:
        self._instants: list[float] = []
        self._numbers: list[int] = []

    def raise_to(self, number: int, at_s: float) -> None:
        if not self._numbers or number > self._numbers[-1]:
            self._instants.append(at_s)
            self._numbers.append(number)

    def before(self, instant_s: float) -> int:
        index = bisect_left(self._instants, instant_s)
        return self._numbers[index - 1] if index else 0

    def since(self, number: int) -> float:
        """When a number above ``number`` was first known."""
        return self._instants[bisect_left(self._numbers, number + 1)]


def judge(writes: Iterable[Write], reads: Iterable[Read], level: Level = LINEARIZABLE) -> Verdict:
    """Whether every read showed what it might. State 0 of a register is written by a `Write` like any other."""
    states: dict[Hashable, list[Write]] = defaultdict(list)
    asked: dict[Hashable, list[Read]] = defaultdict(list)
    verdict = Verdict()
    for write in writes:
        states[write.register].append(write)
        verdict.writes += 1
    for read in reads:
        asked[read.register].append(read)
        verdict.reads += 1
    for register, several in asked.items():
        _judge_register(states.get(register, []), several, level, verdict)
    verdict.violations.sort(key=lambda violation: violation.sent_s)
    return verdict


def lost(acknowledged: Iterable[Write], committed: Iterable[Sight], last_s: float) -> list[Violation]:
    """The writes of which somebody was told that they stand, and of which the database knows nothing."""
    there = set(committed)
    return [
        Violation(Fault.LOST, write.register, write.client, last_s)
        for write in acknowledged
        if write.answered_s < inf and there.isdisjoint(write.sights)
    ]


def _judge_register(writes: Sequence[Write], reads: Sequence[Read], level: Level, verdict: Verdict) -> None:
    numbers: dict[Sight, list[int]] = defaultdict(list)
    sent: dict[int, float] = {}
    for write in sorted(writes, key=lambda write: write.number):
        sent[write.number] = write.sent_s
        for sight in write.sights:
            numbers[sight].append(write.number)
    acknowledged: dict[int | None, _Floor] = defaultdict(_Floor)
    shown: dict[int | None, _Floor] = defaultdict(_Floor)
    # Whatever is known when a read is sent has been answered before: by the order of the answers the floors climb,
    # and a read's own floor is asked for at its sending, which lies before its answer.
    ended: list[Write | Read] = sorted([*writes, *reads], key=lambda each: each.answered_s)
    for each in ended:
        whose = each.client if level.session else None
        if isinstance(each, Write):
            if each.answered_s < inf:
                acknowledged[whose].raise_to(each.number, each.answered_s)
            continue
        at_s = each.sent_s - level.within_s
        told, seen = acknowledged[whose], shown[whose]
        floors = (told.before(at_s), seen.before(at_s))
        possible = numbers.get(each.sight)
        if not possible:
            verdict.violations.append(Violation(Fault.PHANTOM, each.register, each.client, each.sent_s))
            continue
        index = bisect_left(possible, max(floors))
        if index == len(possible):
            highest = possible[-1]
            if highest < floors[0]:
                fault = Fault.OWN_WRITE if level.session else Fault.STALE
                late_s = each.sent_s - told.since(highest)
            else:
                fault = Fault.OWN_READ if level.session else Fault.BACKWARDS
                late_s = each.sent_s - seen.since(highest)
            verdict.violations.append(Violation(fault, each.register, each.client, each.sent_s, late_s))
        elif sent[possible[index]] > each.answered_s:
            verdict.violations.append(Violation(Fault.FUTURE, each.register, each.client, each.sent_s))
        else:
            seen.raise_to(possible[index], each.answered_s)
