"""Every interleaving of a thread that looks up without a lock with threads that commit and keep.

The real `Coherence` runs, each thread as a greenlet that stops wherever another thread could come between: before
the marks are looked at, before the store is asked, before what is marked changes, at the lock. A run follows one
schedule; the next one turns off at the last place at which another thread could have gone on, until there is none
left ("stateless model checking"; Godefroid, 1997).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import greenlet
import pytest

from steinmetz.cache.invalidation.coherence import Coherence, Suspended
from steinmetz.cache.policy.epochs import Epochs, Mark
from steinmetz.cache.stores.memory import MemoryStore
from steinmetz.clock import FakeClock
from steinmetz.sql.effects import ReadSet, WriteSet
from steinmetz.sql.facts import Relation

ROW = frozenset({Relation("main", "row")})
READS, WRITES = ReadSet(ROW), WriteSet(ROW)
KEY = b"row"


@dataclass(eq=False)
class Kept:
    value: int
    key: bytes = KEY
    read_set: ReadSet = READS
    weight: int = 1
    alive: bool = True


def pause(lock: Lock | None = None) -> None:
    """Another thread may come between here; this one goes on when nobody has ``lock``."""
    parent = greenlet.getcurrent().parent
    if parent is not None:
        parent.switch(lock)


class Steps(Epochs):
    """Stops before the marks are read or changed."""

    _up: list[Mark]

    @property
    def marks(self) -> list[Mark]:  # type: ignore[override]
        pause()
        return self._up

    @marks.setter
    def marks(self, up: list[Mark]) -> None:
        pause()
        self._up = up


class SteppingStore(MemoryStore[Kept]):
    """Stops before it is asked and before it drops."""

    __slots__ = ()

    def find(self, key: bytes) -> Kept | None:
        pause()
        return self._kept.get(key)

    def drop(self, writes: WriteSet) -> int:
        pause()
        return super().drop(writes)


class Lock:
    """Whoever wants it stops until nobody has it."""

    def __init__(self) -> None:
        self.is_taken = False

    def __enter__(self) -> None:
        pause(self)
        assert not self.is_taken
        self.is_taken = True

    def __exit__(self, *_: object) -> None:
        self.is_taken = False


class World:
    """The row in its database, an answer that is kept, and what has been shown and acknowledged so far."""

    def __init__(self, coherence: type[Coherence]) -> None:
        self.store = SteppingStore(1_000)
        self.store.get = self.store.find
        self.coherence = coherence(FakeClock(), [self.store])
        self.coherence._lock = Lock()  # type: ignore[assignment]
        self.database = self.acked = self.seen = 0
        self.faults: set[str] = set()
        self.store.put(Kept(0))
        self.coherence.epochs = Steps()

    # -- threads

    def writes(self) -> None:
        mark = self.coherence.mark(WRITES)
        pause()
        self.database = 1
        self.coherence.bump(mark)
        self.acked = 1

    def rolls_back(self) -> None:
        self.coherence.unmark(self.coherence.mark(WRITES))

    def reads(self) -> None:
        acked, seen = self.acked, self.seen
        found = self.coherence.find(self.store, KEY)
        if found is None or isinstance(found, Suspended):
            pause()
            self._judge(self.database, acked, seen)
        else:
            self._judge(found.value, acked, seen)

    def reads_twice(self) -> None:
        self.reads()
        self.reads()

    def computes(self) -> None:
        """A miss from its beginning to its keeping."""
        acked, seen, sequence = self.acked, self.seen, self.coherence.begin()
        pause()
        value = self.database
        pause()
        self.coherence.keep(self.store, Kept(value), sequence)
        self._judge(value, acked, seen)

    def _judge(self, value: int, acked: int, seen: int) -> None:
        if value < acked:
            self.faults.add("stale after ack")
        if value < seen:
            self.faults.add("backwards")
        self.seen = max(self.seen, value)

    def ended(self) -> None:
        found = self.coherence.find(self.store, KEY)
        if isinstance(found, Kept) and found.value != self.database:
            self.faults.add("stuck")


Thread = Callable[[World], None]


def explore(coherence: type[Coherence], *threads: Thread, switches: int = 99) -> tuple[set[str], int]:
    """The faults of all schedules, and how many there are.

    ``switches`` bounds how often a thread is left that could have gone on ("context bounding"; Musuvathi and
    Qadeer, 2007).
    """
    faults, runs = set[str](), 0
    ways: list[list[int]] = [[]]
    while ways:
        chosen = ways.pop()
        world, turns = _run(coherence, threads, chosen)
        faults |= world.faults
        runs += 1
        taken = [turn.taken for turn in turns]
        for place in range(len(chosen), len(turns)):
            for other in turns[place].able - {taken[place]}:
                way = [*taken[:place], other]
                left = [
                    before
                    for (before, after), turn in zip(pairwise(way), turns[1:], strict=False)
                    if before != after and before in turn.able
                ]
                if len(left) <= switches:
                    ways.append(way)
    return faults, runs


@dataclass(frozen=True)
class Turn:
    """Which thread went on, of those that could have."""

    taken: int
    able: frozenset[int]


def _run(coherence: type[Coherence], threads: tuple[Thread, ...], chosen: list[int]) -> tuple[World, list[Turn]]:
    """Follow ``chosen``, then go on with whoever is at it."""
    world = World(coherence)
    running: list[Any] = [greenlet.greenlet(lambda thread=thread: thread(world)) for thread in threads]
    waits_for: list[Lock | None] = [None] * len(threads)
    turns: list[Turn] = []
    number = 0
    while able := frozenset(
        number
        for number, (thread, lock) in enumerate(zip(running, waits_for, strict=True))
        if not thread.dead and (lock is None or not lock.is_taken)
    ):
        if len(turns) < len(chosen):
            number = chosen[len(turns)]
        elif number not in able:
            number = min(able)
        turns.append(Turn(number, able))
        waits_for[number] = running[number].switch()
    world.ended()
    return world, turns


class TakesTheMarkDownFirst(Coherence):
    """The order of `bump` the other way round."""

    def _bump(self, mark: Mark) -> int:
        self.epochs.bump(mark)
        return self._drop(mark.writes)


class AsksTheStoreFirst(Coherence):
    """The look-up the other way round."""

    def find(self, store: Any, key: bytes) -> Any:
        kept = store.get(key)
        if not self.epochs.marks:
            return kept
        return super().find(store, key)


class KeepsWithoutTheLock(Coherence):
    """Asks, and keeps a moment later."""

    def keep(self, store: Any, kept: Any, sequence: int) -> bool:
        with self._lock:
            may = self.epochs.unmoved_since(sequence, kept.read_set)
        pause()
        return bool(may and store.put(kept))


CASTS = [
    (World.writes, World.reads_twice),
    (World.rolls_back, World.reads_twice),
    (World.writes, World.computes),
    (World.rolls_back, World.computes),
]


@pytest.mark.parametrize("threads", CASTS)
def test_no_schedule_of_threads_shows_a_past_that_is_over(threads: tuple[Thread, ...]) -> None:
    faults, runs = explore(Coherence, *threads)
    assert faults == set()
    assert runs > 50


def test_no_schedule_of_three_threads_that_changes_twice_does() -> None:
    faults, runs = explore(Coherence, World.writes, World.reads_twice, World.computes, switches=2)
    assert faults == set()
    assert runs > 100


@pytest.mark.parametrize(
    ("weakened", "threads", "fault"),
    [
        (TakesTheMarkDownFirst, (World.writes, World.reads_twice), "backwards"),
        (AsksTheStoreFirst, (World.writes, World.reads_twice), "backwards"),
        (KeepsWithoutTheLock, (World.writes, World.computes), "stuck"),
    ],
)
def test_each_order_turned_round_shows(weakened: type[Coherence], threads: tuple[Thread, ...], fault: str) -> None:
    assert fault in explore(weakened, *threads, switches=3)[0]
