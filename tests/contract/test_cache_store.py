"""What every store of the cache does, whatever it keeps its things in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from steinmetz.cache.stores.base import Store
from steinmetz.cache.stores.memory import MemoryStore
from steinmetz.sql.effects import ReadSet, WriteSet
from steinmetz.sql.facts import Relation

INVOICES, NODES, ELSEWHERE = (
    Relation("main", "invoices"),
    Relation("main", "nodes"),
    Relation("archive", "invoices"),
)


@dataclass(eq=False)
class Kept:
    key: bytes
    read_set: ReadSet
    weight: int = 10
    alive: bool = True


Make = Callable[[int], Store[Kept]]


@pytest.fixture(params=["memory"])
def make(request: pytest.FixtureRequest) -> Make:
    makers: dict[str, Make] = {"memory": lambda budget: MemoryStore[Kept](budget)}
    return makers[request.param]


def kept(key: bytes, *relations: Relation, weight: int = 10) -> Kept:
    return Kept(key, ReadSet(frozenset(relations)), weight)


def test_it_gives_back_what_was_put(make: Make) -> None:
    store = make(1_000)
    one = kept(b"a", INVOICES)
    assert store.get(b"a") is None
    assert store.put(one)
    assert store.get(b"a") == one
    assert len(store) == 1
    assert list(store) == [one]


def test_a_second_put_takes_the_place_of_the_first(make: Make) -> None:
    store = make(1_000)
    store.put(kept(b"a", INVOICES))
    two = kept(b"a", NODES, weight=20)
    store.put(two)
    assert store.get(b"a") == two
    assert store.weight_bytes == 20
    assert store.drop(WriteSet(frozenset({INVOICES}))) == 0
    assert store.drop(WriteSet(frozenset({NODES}))) == 1


def test_a_write_drops_those_that_read_it_and_no_others(make: Make) -> None:
    store = make(1_000)
    for one in (kept(b"a", INVOICES), kept(b"b", INVOICES, NODES), kept(b"c", NODES), kept(b"d", ELSEWHERE)):
        store.put(one)
    assert store.drop(WriteSet(frozenset({INVOICES}))) == 2
    assert [store.get(key) is not None for key in (b"a", b"b", b"c", b"d")] == [False, False, True, True]


def test_an_unknown_write_drops_all_of_its_database(make: Make) -> None:
    store = make(1_000)
    for one in (kept(b"a", INVOICES), kept(b"c", NODES), kept(b"d", ELSEWHERE), kept(b"e")):
        store.put(one)
    assert store.drop(WriteSet(unknown=frozenset({"main"}))) == 2
    assert {one.key for one in store} == {b"d", b"e"}


def test_discard_forgets_just_this_one(make: Make) -> None:
    store = make(1_000)
    old, new = kept(b"a", INVOICES), kept(b"a", NODES)
    store.put(old)
    store.put(new)
    assert not store.discard(old)
    assert store.get(b"a") == new
    assert store.discard(new)
    assert store.get(b"a") is None
    assert not store.discard(new)


def test_it_stays_within_its_budget_and_counts_what_fell_out(make: Make) -> None:
    store = make(100)
    for number in range(50):
        store.put(kept(b"%d" % number, INVOICES))
    assert store.weight_bytes <= 100
    assert store.evictions == 50 - len(store) > 0


def test_too_heavy_for_the_whole_store_is_refused(make: Make) -> None:
    store = make(100)
    assert not store.put(kept(b"a", INVOICES, weight=101))
    assert store.get(b"a") is None


def test_clear_forgets_everything(make: Make) -> None:
    store = make(1_000)
    store.put(kept(b"a", INVOICES))
    assert store.clear() == 1
    assert len(store) == 0
    assert store.weight_bytes == 0
    assert store.drop(WriteSet(frozenset({INVOICES}))) == 0
