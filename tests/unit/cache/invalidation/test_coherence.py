from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass

import pytest

from steinmetz.cache.invalidation.coherence import Coherence, Suspended
from steinmetz.cache.stores.memory import MemoryStore
from steinmetz.clock import FakeClock
from steinmetz.sql.effects import ReadSet, WriteSet
from steinmetz.sql.facts import Relation

INVOICES, NODES = Relation("main", "invoices"), Relation("main", "nodes")
WRITES = WriteSet(frozenset({INVOICES}))


@dataclass(eq=False)
class Kept:
    key: bytes
    read_set: ReadSet
    value: int = 0
    weight: int = 1
    alive: bool = True


def reads(*relations: Relation) -> ReadSet:
    return ReadSet(frozenset(relations))


class Rig:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store: MemoryStore[Kept] = MemoryStore(1_000)
        self.coherence = Coherence(self.clock, [self.store], lease_s=5)

    def keep(self, kept: Kept) -> bool:
        return self.coherence.keep(self.store, kept, self.coherence.begin())


def test_a_mark_suspends_only_what_it_concerns() -> None:
    rig = Rig()
    one, other = Kept(b"a", reads(INVOICES)), Kept(b"b", reads(NODES))
    assert rig.keep(one)
    assert rig.keep(other)
    mark = rig.coherence.mark(WRITES)
    assert rig.coherence.find(rig.store, b"a") == Suspended(reads(INVOICES))
    assert rig.coherence.find(rig.store, b"b") is other
    assert not rig.keep(one)
    rig.coherence.unmark(mark)
    assert rig.coherence.find(rig.store, b"a") is one


def test_a_bump_drops_and_says_how_many() -> None:
    rig = Rig()
    rig.keep(Kept(b"a", reads(INVOICES)))
    assert rig.coherence.bump(rig.coherence.mark(WRITES)) == 1
    assert rig.coherence.find(rig.store, b"a") is None


def test_answers_are_dropped_while_the_mark_is_still_up_for_looking_up_takes_no_lock() -> None:
    rig = Rig()
    marks_at_drop: list[int] = []

    class Watched(MemoryStore[Kept]):
        def drop(self, writes: WriteSet) -> int:
            marks_at_drop.append(len(coherence.epochs.marks))
            return super().drop(writes)

    coherence = Coherence(rig.clock, [Watched(1_000)])
    coherence.bump(coherence.mark(WRITES))
    assert marks_at_drop == [1]


def test_whoever_meets_a_mark_past_its_lease_bumps_it() -> None:
    rig = Rig()
    rig.keep(Kept(b"a", reads(INVOICES)))
    rig.coherence.mark(WRITES)
    rig.clock.advance(5)
    assert rig.coherence.find(rig.store, b"a") is None
    assert rig.keep(Kept(b"a", reads(INVOICES)))


def test_what_is_being_computed_is_not_kept_over_a_clear() -> None:
    rig = Rig()
    began = rig.coherence.begin()
    rig.coherence.clear()
    assert not rig.coherence.keep(rig.store, Kept(b"a", reads(NODES)), began)


@pytest.mark.anyio
async def test_waiting_ends_when_the_mark_that_concerns_it_comes_down_in_another_thread() -> None:
    rig = Rig()
    mark = rig.coherence.mark(WRITES)
    other = rig.coherence.mark(WriteSet(frozenset({NODES})))
    waiting = asyncio.ensure_future(rig.coherence.settled(reads(INVOICES), 30))
    await asyncio.sleep(0)
    await asyncio.to_thread(rig.coherence.bump, other)
    await asyncio.sleep(0)
    assert not waiting.done()
    await asyncio.to_thread(rig.coherence.bump, mark)
    assert await waiting


@pytest.mark.anyio
async def test_waiting_has_an_end() -> None:
    rig = Rig()
    assert await rig.coherence.settled(reads(INVOICES), 0.001)
    rig.coherence.mark(WRITES)
    assert await rig.coherence.settled(reads(NODES), 0.001)
    assert not await rig.coherence.settled(reads(INVOICES), 0.001)
    assert rig.coherence._waiting == []


def test_readers_and_writers_in_threads_never_meet_a_past_that_is_over() -> None:
    """Writers announce, write, bump and acknowledge; readers compute or hit, and compare with the last ack."""
    rig = Rig()
    database, acknowledged = [0], [0]
    writing, faults = threading.Lock(), list[str]()

    def write() -> None:
        for _ in range(400):
            with writing:
                mark = rig.coherence.mark(WRITES)
                database[0] += 1
                rig.coherence.bump(mark)
                acknowledged[0] = database[0]

    def read() -> None:
        newest = 0
        for _ in range(2_000):
            before = max(acknowledged[0], newest)
            found = rig.coherence.find(rig.store, b"a")
            if isinstance(found, Kept):
                value = found.value
            else:
                began = rig.coherence.begin()
                value = database[0]
                rig.coherence.keep(rig.store, Kept(b"a", reads(INVOICES), value), began)
            if value < before:
                faults.append(f"{value} after {before}")
            newest = max(newest, value)

    threads = [threading.Thread(target=target) for target in (write, write, read, read, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert database[0] == 800
