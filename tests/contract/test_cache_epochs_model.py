"""Every interleaving of one or two writers and two readers, driven against the real `Epochs`.

The world: one answer that shows which commits there have been (a set, as bits, one for each commit), one kept
answer, single flight, an eviction at any time, a leader that may be cancelled, and once somebody looks at the
database past the cache. Each reader reads twice. What must never be seen:

- stale after ack: a read that begins after a write was acknowledged shows the state before it;
- backwards: a read that begins after another one ended shows an older state than that one;
- stuck: when all is over, the kept answer is not what the database holds.

How the look-up without a lock interleaves with threads that commit is test_cache_coherence_model.py's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import pytest

from steinmetz.cache.policy.epochs import Epochs, Mark, Moment
from steinmetz.sql.effects import ReadSet, WriteSet
from steinmetz.sql.facts import Relation

ROW = frozenset({Relation("main", "row")})
READS, NOTHING_READ, WRITES = ReadSet(ROW), ReadSet(), WriteSet(ROW)
LEASE_S = 5.0

COMMITS = ("mark", "commit", "bump", "ack")
COMMITS_TWICE = COMMITS + COMMITS
ROLLS_BACK = ("mark", "unmark", "mark", "commit", "bump", "ack")
DIES = ("mark", "commit", "end of lease")
DIES_BEFORE_COMMIT = ("mark", "end of lease")
UNDOES_A_SAVEPOINT = ("mark", "commit nothing", "bump", "ack")
LOSES_ITS_REPLY = ("mark", "lost", "commit", "end of lease")
"""The connection dies before the answer, and the server is still at the COMMIT."""
IS_SLOW = ("mark", "end of lease", "commit", "bump", "ack")


class Flight(NamedTuple):
    sequence: int
    has_read: bool = False
    value: int = -1
    outcome: str = "under way"


class Reader(NamedTuple):
    reads_left: int = 2
    at: str = "start"
    flight: int = -1
    moment: Moment | None = None
    acked_before: int = 0
    seen_before: int = 0


class Writer(NamedTuple):
    steps: tuple[str, ...]
    bit: int
    done: int = 0
    mark: Mark | None = None


class World:
    """Everything there is; cheap to copy, for only the epochs are changed in place."""

    def __init__(self, epochs: Epochs, writers: tuple[tuple[str, ...], ...], cancels_left: int) -> None:
        self.epochs = epochs
        firsts = [sum(steps.count("commit") for steps in writers[:number]) for number in range(len(writers))]
        self.writers = tuple(Writer(steps, 1 << first) for steps, first in zip(writers, firsts, strict=True))
        self.database = 0
        self.kept: int | None = 0
        self.now_s = 0.0
        self.acked = 0
        self.seen = 0
        self.evictions_left = 1
        self.cancels_left = cancels_left
        self.looks_left = 1
        self.flights: tuple[Flight, ...] = ()
        self.boarding = -1
        self.readers = (Reader(), Reader())

    def clone(self) -> World:
        world = object.__new__(World)
        world.__dict__.update(self.__dict__)
        world.epochs = object.__new__(type(self.epochs))
        world.epochs.__dict__.update(self.epochs.__dict__)
        world.epochs._ring = self.epochs._ring.copy()
        return world

    def set_reader(self, number: int, reader: Reader) -> None:
        self.readers = (reader, self.readers[1]) if number == 0 else (self.readers[0], reader)

    def set_flight(self, number: int, flight: Flight) -> None:
        self.flights = (*self.flights[:number], flight, *self.flights[number + 1 :])

    def fingerprint(self) -> tuple[object, ...]:
        """Equal for worlds with the same future; which of the two readers is which does not matter."""
        readers = sorted(
            (
                *(r.reads_left, r.at, r.acked_before, r.seen_before, r.flight == self.boarding),
                self.flights[r.flight] if r.flight >= 0 else (),
                (r.moment.sequence, len(r.moment.pending)) if r.moment is not None else (),
            )
            for r in self.readers
        )
        return (
            *(self.database, self.kept, self.now_s, self.acked, self.seen),
            *((writer.done, writer.mark in self.epochs.marks) for writer in self.writers),
            *(self.evictions_left, self.cancels_left, self.looks_left),
            *(self.epochs.sequence, len(self.epochs.marks)),
            self.flights[self.boarding] if self.boarding >= 0 else (),
            *readers,
        )


@dataclass(frozen=True)
class Seen:
    """What a whole exploration has shown."""

    faults: frozenset[str]
    worlds: int


def explore(epochs: type[Epochs], *writers: tuple[str, ...], until: frozenset[str] | None = None) -> Seen:
    """All worlds that can come about; with ``until``, only as far as needed to see these faults."""
    few = sum(map(len, writers)) < len(COMMITS_TWICE)
    first = World(epochs(lease_s=LEASE_S), writers, cancels_left=1 if few else 0)
    if len(writers) > 1:
        first.readers, first.looks_left = (Reader(2), Reader(1)), 0
    todo, known, faults = [first], {first.fingerprint()}, set[str]()
    while todo and (until is None or not until <= faults):
        world = todo.pop()
        is_over = True
        for after in successors(world, faults):
            is_over = False
            if (fingerprint := after.fingerprint()) not in known:
                known.add(fingerprint)
                todo.append(after)
        if is_over and is_given(world) and world.kept != world.database:
            faults.add("stuck")
    return Seen(frozenset(faults), len(known))


def successors(world: World, faults: set[str]) -> Iterator[World]:
    for number, writer in enumerate(world.writers):
        if writer.done < len(writer.steps):
            after = world.clone()
            step_writer(after, number)
            yield after
    if world.evictions_left and world.kept is not None:
        after = world.clone()
        after.kept, after.evictions_left = None, 0
        yield after
    if world.looks_left and world.database:
        after = world.clone()
        after.seen, after.looks_left = after.database, 0
        yield after
    for number, reader in enumerate(world.readers):
        if reader.at == "follow" and world.flights[reader.flight].outcome == "under way":
            continue
        if reader.reads_left:
            after = world.clone()
            step_reader(after, number, faults)
            yield after
        if reader.at in {"read", "land"} and world.cancels_left:
            after = world.clone()
            cancel(after, number)
            yield after


def step_writer(world: World, number: int) -> None:
    writer = world.writers[number]
    mark, bit = writer.mark, writer.bit
    match writer.steps[writer.done]:
        case "mark":
            mark = world.epochs.mark(WRITES, world.now_s)
        case "commit":
            world.database |= bit
        case "commit nothing":
            pass
        case "bump":
            assert mark is not None
            world.kept = None
            world.epochs.bump(mark)
        case "lost":
            assert mark is not None
            world.epochs.mark(WRITES, world.now_s)
            world.kept = None
            world.epochs.bump(mark)
        case "unmark":
            assert mark is not None
            world.epochs.unmark(mark)
        case "ack":
            world.acked |= world.database & bit
            bit <<= 1
        case "end of lease":
            world.now_s += LEASE_S
    after = Writer(writer.steps, bit, writer.done + 1, mark)
    world.writers = (*world.writers[:number], after, *world.writers[number + 1 :])


def is_given(world: World) -> bool:
    """Whether the kept answer would be given now; a mark past its lease is bumped by whoever meets it."""
    for mark in world.epochs.overdue(world.now_s):
        if isinstance(world.epochs, LeaseEndsQuietly):
            world.epochs.unmark(mark)
        else:
            world.kept = None
            world.epochs.bump(mark)
    return world.kept is not None and not world.epochs.suspends(READS)


def step_reader(world: World, number: int, faults: set[str]) -> None:
    reader = world.readers[number]
    match reader.at:
        case "start":
            world.set_reader(number, reader._replace(acked_before=world.acked, seen_before=world.seen))
            board(world, number, faults)
        case "board":
            board(world, number, faults)
        case "read":
            flight = world.flights[reader.flight]
            world.set_flight(reader.flight, flight._replace(has_read=True, value=world.database))
            world.set_reader(number, reader._replace(at="land"))
        case "land":
            flight = world.flights[reader.flight]
            is_given(world)
            if world.epochs.unmoved_since(flight.sequence, READS):
                world.kept = flight.value
            end(world, reader.flight, "landed")
            answer(world, number, flight.value, faults)
        case "follow":
            flight = world.flights[reader.flight]
            assert reader.moment is not None
            if flight.outcome == "landed" and world.epochs.unmoved_until(flight.sequence, READS, reader.moment):
                answer(world, number, flight.value, faults)
            else:
                world.set_reader(number, reader._replace(at="board", flight=-1, moment=None))


def board(world: World, number: int, faults: set[str]) -> None:
    reader = world.readers[number]
    if is_given(world):
        assert world.kept is not None
        answer(world, number, world.kept, faults)
        return
    if world.boarding >= 0:
        flight, moment = world.flights[world.boarding], world.epochs.moment()
        so_far = READS if flight.has_read else NOTHING_READ
        if world.epochs.unmoved_until(flight.sequence, so_far, moment):
            world.set_reader(number, reader._replace(at="follow", flight=world.boarding, moment=moment))
            return
    world.flights = (*world.flights, Flight(world.epochs.begin()))
    world.boarding = len(world.flights) - 1
    world.set_reader(number, reader._replace(at="read", flight=world.boarding))


def end(world: World, flight: int, outcome: str) -> None:
    world.set_flight(flight, world.flights[flight]._replace(outcome=outcome))
    if world.boarding == flight:
        world.boarding = -1


def cancel(world: World, number: int) -> None:
    reader = world.readers[number]
    world.cancels_left -= 1
    end(world, reader.flight, "failed")
    world.set_reader(number, reader._replace(at="start", flight=-1, reads_left=reader.reads_left - 1))


def answer(world: World, number: int, value: int, faults: set[str]) -> None:
    reader = world.readers[number]
    if reader.acked_before & ~value:
        faults.add("stale after ack")
    if reader.seen_before & ~value:
        faults.add("backwards")
    world.seen |= value
    world.set_reader(number, reader._replace(at="start", flight=-1, moment=None, reads_left=reader.reads_left - 1))


# -- weakened protocols, each as some cache has it


class KeepsWithoutAsking(Epochs):
    """Deletes at the commit and keeps whatever comes: what nine measured caches do."""

    def unmoved_since(self, sequence: int, reads: ReadSet) -> bool:
        return True


class JoinsWithoutAsking(Epochs):
    """Single flight by key alone."""

    def unmoved_until(self, sequence: int, reads: ReadSet, moment: Moment) -> bool:
        return True

    def unmoved_since(self, sequence: int, reads: ReadSet) -> bool:
        return Epochs.unmoved_until(self, sequence, reads, self.moment())


class NeverMarks(Epochs):
    """Versions, but only after the commit."""

    def suspends(self, reads: ReadSet) -> bool:
        return False

    def moment(self) -> Moment:
        return Moment(self.sequence)


class LeaseEndsQuietly(Epochs):
    """A mark that is forgotten when its writer dies. (The model looks for this type.)"""


# -- what is shown


ONE = [COMMITS, COMMITS_TWICE, ROLLS_BACK, DIES, DIES_BEFORE_COMMIT, UNDOES_A_SAVEPOINT]
TWO = [(COMMITS, COMMITS), (COMMITS, DIES), (COMMITS, ("mark", "unmark"))]


@pytest.mark.parametrize("writers", [*((one,) for one in ONE), *TWO])
def test_no_interleaving_shows_a_past_that_is_over(writers: tuple[tuple[str, ...], ...]) -> None:
    seen = explore(Epochs, *writers)
    assert seen.faults == frozenset()
    assert seen.worlds > 1_000


def test_a_commit_that_outlives_its_lease_is_still_never_missed_once_acknowledged() -> None:
    assert explore(Epochs, IS_SLOW).faults <= {"backwards"}


def test_t7_a_commit_that_comes_after_its_connection_has_died_leaves_nothing_behind() -> None:
    """A second mark stands for it; a bump alone would let what is read in between be kept for good."""
    assert explore(Epochs, LOSES_ITS_REPLY).faults == frozenset()
    bumped = ("mark", "bump", "commit", "end of lease")
    assert "stuck" in explore(Epochs, bumped).faults


@pytest.mark.parametrize(
    ("weakened", "writer", "fault"),
    [
        (KeepsWithoutAsking, COMMITS, "stale after ack"),
        (KeepsWithoutAsking, COMMITS, "stuck"),
        (JoinsWithoutAsking, COMMITS, "stale after ack"),
        (NeverMarks, COMMITS, "backwards"),
        (LeaseEndsQuietly, DIES, "stuck"),
    ],
)
def test_each_question_left_out_shows(weakened: type[Epochs], writer: tuple[str, ...], fault: str) -> None:
    assert fault in explore(weakened, writer, until=frozenset({fault})).faults
