from __future__ import annotations

import tracemalloc
from dataclasses import dataclass

from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.tags import path_reads
from steinmetz.cache.policy.terms import Terms
from steinmetz.cache.stores.memory import MemoryStore
from steinmetz.sql.effects import ReadSet, WriteSet
from steinmetz.sql.facts import Relation

INVOICES = Relation("main", "invoices")


@dataclass(eq=False)
class Note:
    key: bytes
    read_set: ReadSet
    weight: int = 1
    alive: bool = True


def an_entry(number: int, body_bytes: int) -> Entry:
    path = f"/api/invoices/{number}"
    return Entry(
        key=b"cache:v:" + path.encode() + b"#user=%d;role=clerk" % number,
        path=path,
        route="/api/invoices/{id}",
        headers=((b"content-type", b"application/json"),),
        body=b"x" * body_bytes,
        read_set=ReadSet(frozenset({INVOICES}) | path_reads(path)),
        sequence=0,
        stored_at_s=0,
        terms=Terms(300),
    )


def test_evicted_answers_leave_the_index() -> None:
    store: MemoryStore[Note] = MemoryStore(10)
    for number in range(100):
        store.put(Note(b"%d" % number, ReadSet(frozenset({Relation("main", f"table {number}")}))))
    assert len(store) <= 10
    assert store.evictions == 100 - len(store)
    assert len(store._readers) == len(store) + 1, "a tag for each, and one of their database"


def test_a_finer_read_set_has_the_last_word() -> None:
    class RowSeven(ReadSet):
        def concerned_by(self, writes: WriteSet) -> bool:
            return False

    store: MemoryStore[Note] = MemoryStore(10)
    store.put(Note(b"a", RowSeven(frozenset({INVOICES}))))
    assert store.drop(WriteSet(frozenset({INVOICES}))) == 0
    assert len(store) == 1


def test_under_a_flood_of_keys_the_memory_stays_within_the_budget() -> None:
    budget = 1_000_000
    for body_bytes in (0, 4_000):
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        store: MemoryStore[Entry] = MemoryStore(budget)
        for number in range(1_500):
            store.put(an_entry(number, body_bytes))
        used = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        assert store.weight_bytes <= budget
        assert used <= budget * 1.1, f"{used} bytes for {len(store)} entries of {body_bytes}"
