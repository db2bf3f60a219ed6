from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from steinmetz.cache.policy.codings import GZIP, ZSTD
from steinmetz.cache.policy.entry import Encoded, Entry
from steinmetz.cache.policy.tags import path_reads
from steinmetz.cache.policy.terms import Terms
from steinmetz.cache.stores.base import Gone
from steinmetz.cache.stores.memory import MemoryStore
from steinmetz.sql.effects import ReadSet, WriteSet
from steinmetz.sql.facts import Relation
from steinmetz.sql.rows import Column, Kind, Rows

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
    assert len(store._readers) == len(store), "a tag for each"


def test_a_finer_read_set_has_the_last_word() -> None:
    class RowSeven(ReadSet):
        def concerned_by(self, writes: WriteSet) -> bool:
            return False

    store: MemoryStore[Note] = MemoryStore(10)
    store.put(Note(b"a", RowSeven(frozenset({INVOICES}))))
    assert store.drop(WriteSet(frozenset({INVOICES}))) == 0
    assert len(store) == 1


def with_rows(number: int) -> Entry:
    """An answer of sixteen rows that no other has."""
    lines = Relation("main", "lines")
    rows = tuple(Rows({Column("id", Kind.INTEGER): frozenset({number * 16 + row})}) for row in range(16))
    entry = an_entry(number, 300)
    return Entry(
        key=entry.key,
        path=entry.path,
        route=entry.route,
        headers=((b"content-type", b"application/json"),),
        body=entry.body,
        read_set=ReadSet(entry.read_set.relations | {lines}, rows={lines: rows}),
        sequence=0,
        stored_at_s=0,
        terms=Terms(300),
    )


def encoded_twice(number: int) -> Entry:
    entry = an_entry(number, 4_000)
    for coding in (GZIP, ZSTD):
        entry.add(Encoded(entry, coding, bytes(1_000) + b"%d" % number))
    return entry


@pytest.mark.parametrize(
    "make",
    [lambda number: an_entry(number, 0), lambda number: an_entry(number, 4_000), with_rows, encoded_twice],
    ids=["empty bodies", "bodies of 4 kB", "rows", "encoded"],
)
def test_t12_under_a_flood_of_keys_the_memory_stays_within_the_budget(make: Callable[[int], Entry]) -> None:
    budget = 1_000_000
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    store: MemoryStore[Entry] = MemoryStore(budget)
    for number in range(1_000):
        store.put(make(number))
    gc.collect()
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert store.weight_bytes <= budget
    assert budget * 0.5 <= used <= budget * 1.1, f"{used} bytes for {len(store)} entries"
    store.clear()
    assert (len(store._readers), len(store._paths), len(store._allotments)) == (0, 0, 0)


def test_all_that_leaves_is_told_with_its_reason() -> None:
    gone: list[tuple[bytes, Gone]] = []
    store: MemoryStore[Note] = MemoryStore(10, on_gone=lambda note, why: gone.append((note.key, why)))
    reads = ReadSet(frozenset({INVOICES}))
    store.put(Note(b"a", reads, 5))
    store.put(Note(b"a", reads, 5))
    heavy = Note(b"b", reads, 5)
    store.put(heavy)
    heavy.weight = 11
    assert not store.reweigh(heavy)
    store.drop(WriteSet(frozenset({INVOICES})))
    assert gone == [(b"a", Gone.REPLACED), (b"b", Gone.EVICTED), (b"a", Gone.DROPPED)]
