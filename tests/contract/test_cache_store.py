"""What every store of the cache does, whatever it keeps its things in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.cache.policy.limits import Limits
from steinmetz.cache.policy.patterns import PathPattern
from steinmetz.cache.policy.placed import Placed
from steinmetz.cache.policy.tags import PATHS, path_reads, written_paths
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


class Page(Placed):
    """Something kept at a path; reads ``invoices``, or what it is told."""

    def __init__(self, key: bytes, path: str, weight: int = 10, **more: Any) -> None:
        self.read_set: ReadSet = more.pop("read_set", ReadSet(frozenset({INVOICES})))
        super().__init__(path, **more)
        self.key = key
        self.weight = weight
        self.alive = True


MakePages = Callable[[int], Store[Page]]


@pytest.fixture(params=["memory"])
def make_pages(request: pytest.FixtureRequest) -> MakePages:
    makers: dict[str, MakePages] = {"memory": lambda budget: MemoryStore[Page](budget)}
    return makers[request.param]


class TestWeights:
    def test_what_has_become_heavier_counts_as_such(self, make: Make) -> None:
        store = make(100)
        one = kept(b"a", INVOICES)
        store.put(one)
        one.weight = 35
        assert store.reweigh(one)
        assert store.weight_bytes == 35
        assert store.drop(WriteSet(frozenset({INVOICES}))) == 1
        assert store.weight_bytes == 0

    def test_others_make_room_for_what_has_become_heavier(self, make: Make) -> None:
        store = make(100)
        everything = [kept(b"%d" % number, INVOICES) for number in range(10)]
        for one in everything:
            store.put(one)
        everything[9].weight = 60
        assert store.reweigh(everything[9])
        assert store.weight_bytes <= 100
        assert everything[9].alive
        assert store.evictions == 10 - len(store) > 0
        assert sum(one.alive for one in everything) == len(store)

    def test_what_has_become_too_heavy_goes_and_is_said_to_be_gone(self, make: Make) -> None:
        store = make(100)
        one = kept(b"a", INVOICES)
        store.put(one)
        one.weight = 101
        assert not store.reweigh(one)
        assert not one.alive
        assert (len(store), store.weight_bytes) == (0, 0)

    def test_what_is_no_longer_kept_weighs_nothing(self, make: Make) -> None:
        store = make(100)
        old = kept(b"a", INVOICES)
        store.put(old)
        store.put(kept(b"a", INVOICES))
        old.weight = 90
        assert not store.reweigh(old)
        assert store.weight_bytes == 10


class TestCost:
    def test_what_cost_more_stays_longer(self, make_pages: MakePages) -> None:
        store = make_pages(1_000)
        for number in range(50):
            store.put(Page(b"dear %d" % number, "/a", cost_ns=100_000_000))
            for other in range(10):
                store.put(Page(b"cheap %d %d" % (number, other), "/a", cost_ns=1_000_000))
        dear = sum(page.key.startswith(b"dear") for page in store)
        assert dear > 25, "one in eleven came, more than a quarter of what is kept"


class TestLimitsOfARoute:
    def test_a_route_keeps_so_many_and_others_are_not_touched(self, make_pages: MakePages) -> None:
        store, limits = make_pages(1_000), Limits("/a", max_entries=3)
        other = Page(b"other", "/b")
        store.put(other)
        for number in range(8):
            assert store.put(Page(b"%d" % number, f"/a/{number}", limits=limits))
        assert sorted(page.key for page in store) == [b"5", b"6", b"7", b"other"]
        assert store.evictions == 5

    def test_who_was_used_goes_round_once_more(self, make_pages: MakePages) -> None:
        store, limits = make_pages(1_000), Limits("/a", max_entries=2)
        for number in range(2):
            store.put(Page(b"%d" % number, "/a", limits=limits))
        store.get(b"0")
        store.put(Page(b"2", "/a", limits=limits))
        assert sorted(page.key for page in store) == [b"0", b"2"]

    def test_a_newcomer_is_let_in_even_if_all_others_are_used(self, make_pages: MakePages) -> None:
        store, limits = make_pages(1_000), Limits("/a", max_entries=2)
        for number in range(2):
            store.put(Page(b"%d" % number, "/a", limits=limits))
            store.get(b"%d" % number)
        newcomer = Page(b"2", "/a", limits=limits)
        assert store.put(newcomer)
        assert newcomer.alive
        assert len(store) == 2

    def test_bytes_of_a_route(self, make_pages: MakePages) -> None:
        store, limits = make_pages(1_000), Limits("/a", budget_bytes=50)
        for number in range(4):
            store.put(Page(b"%d" % number, "/a", 20, limits=limits))
        assert [page.key for page in store] == [b"2", b"3"]
        assert not store.put(Page(b"3", "/a", 51, limits=limits))
        assert store.get(b"3") is None, "and what it was to replace is gone too"

    def test_what_becomes_heavier_pushes_out_its_own_kind(self, make_pages: MakePages) -> None:
        store, limits = make_pages(1_000), Limits("/a", budget_bytes=50)
        pages = [Page(b"%d" % number, "/a", 20, limits=limits) for number in range(2)]
        for page in [*pages, Page(b"other", "/b")]:
            store.put(page)
        pages[0].weight = 40
        assert store.reweigh(pages[0])
        assert sorted(page.key for page in store) == [b"0", b"other"]
        pages[0].weight = 60
        assert not store.reweigh(pages[0])

    def test_what_was_dropped_makes_room(self, make_pages: MakePages) -> None:
        store, limits = make_pages(1_000), Limits("/a", max_entries=2)
        for number, relation in enumerate((INVOICES, NODES)):
            reads = ReadSet(frozenset({relation}))
            store.put(Page(b"%d" % number, "/a", limits=limits, read_set=reads))
        store.drop(WriteSet(frozenset({INVOICES})))
        store.put(Page(b"2", "/a", limits=limits))
        assert [page.key for page in store] == [b"1", b"2"]


class TestPatterns:
    @pytest.fixture
    def store(self, make_pages: MakePages) -> Store[Page]:
        store = make_pages(1_000)
        for path in ("/", "/a", "/a/7", "/a/7/pdf", "/a/8/pdf", "/a/8/xml", "/b/7/pdf", "/a//9/pdf/"):
            store.put(Page(path.encode(), path))
        store.put(Page(b"/a/7/pdf?x=1", "/a/7/pdf"))
        return store

    @pytest.mark.parametrize(
        ("pattern", "found"),
        [
            ("/a", "/a"),
            ("/a/*", "/a/7"),
            ("/a/*/pdf", "/a//9/pdf/ /a/7/pdf /a/7/pdf?x=1 /a/8/pdf"),
            ("/*/7/*", "/a/7/pdf /a/7/pdf?x=1 /b/7/pdf"),
            ("/a/8/**", "/a/8/pdf /a/8/xml"),
            ("/*/7/**", "/a/7 /a/7/pdf /a/7/pdf?x=1 /b/7/pdf"),
            ("/", "/"),
            ("/c/**", ""),
        ],
    )
    def test_it_finds_what_matches(self, store: Store[Page], pattern: str, found: str) -> None:
        assert sorted(store.keys_matching(PathPattern.of(pattern))) == found.encode().split()

    def test_it_drops_what_matches_and_no_more(self, store: Store[Page]) -> None:
        pages = list(store)
        assert store.drop_matching(PathPattern.of("/a/*/pdf")) == 4
        assert sorted(page.key for page in store) == [b"/", b"/a", b"/a/7", b"/a/8/xml", b"/b/7/pdf"]
        assert sum(page.alive for page in pages) == 5
        assert store.drop_matching(PathPattern.of("/**")) == 5
        assert store.keys_matching(PathPattern.of("/**")) == []

    def test_a_very_deep_path_is_told_from_its_neighbour(self, make_pages: MakePages) -> None:
        store, deep = make_pages(1_000), "/x" * 100
        store.put(Page(b"a", deep + "/a"))
        store.put(Page(b"b", deep + "/b"))
        assert store.keys_matching(PathPattern.of(deep + "/b")) == [b"b"]
        assert sorted(store.keys_matching(PathPattern.of("/*" * 101))) == [b"a", b"b"]
        assert store.keys_matching(PathPattern.of("/*" * 100)) == []


SEGMENTS = ("a", "b", "7")
steps = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "put", "get", "reweigh", "drop", "pattern", "discard"]),
        st.integers(0, 14),
        st.integers(1, 40),
        st.integers(0, 7),
    ),
    max_size=80,
)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(steps)
def test_it_does_what_a_list_does_whatever_happens(
    todo: list[tuple[str, int, int, int]],
) -> None:
    """Against a naive model: what is alive is what is kept, indexes agree with a scan, every budget holds."""
    everything: list[Page] = []
    never_kept: set[int] = set()
    limits = (None, Limits("/a", max_entries=3), Limits("/b", budget_bytes=60), None)
    store: Store[Page] = MemoryStore[Page](150)
    patterns = [PathPattern.of(each) for each in ("/a/**", "/*/b", "/*/*/7", "/a", "/**")]
    written = [
        *(WriteSet(frozenset({relation})) for relation in (INVOICES, NODES, ELSEWHERE)),
        *(written_paths([path]) for path in ("/", "/a", "/b/7")),
        *(WriteSet(unknown=frozenset({database})) for database in (PATHS, "main")),
    ]
    for what, number, weight, choice in todo:
        path = f"/{SEGMENTS[number % 3]}/{SEGMENTS[number // 3 % 3]}/{number}"
        key = b"%d" % number
        there = store.get(key)
        if what == "put":
            # Its own path, that of another, or one that is told in another way.
            told = path_reads((path, "/b/7/4", path.replace("/", "//"), "")[choice % 4])
            reads = ReadSet(frozenset({(INVOICES, NODES, ELSEWHERE)[choice % 3]}) | told)
            page = Page(key, path, weight, cost_ns=weight * 10**choice, limits=limits[number % 4], read_set=reads)
            everything.append(page)
            if not store.put(page):
                never_kept.add(id(page))
            assert (store.get(key) is page) == (id(page) not in never_kept)
        elif what == "reweigh" and there is not None:
            there.weight = weight
            assert store.reweigh(there) == there.alive
        elif what == "drop":
            writes = written[choice]
            concerned = [page for page in store if page.read_set.concerned_by(writes)]
            assert store.drop(writes) == len(concerned)
            assert not any(page.alive for page in concerned)
        elif what == "pattern":
            pattern = patterns[choice % len(patterns)]
            matching = {page.key for page in store if pattern.matches(page.path)}
            assert set(store.keys_matching(pattern)) == matching
            assert store.drop_matching(pattern) == len(matching)
        elif what == "discard" and there is not None:
            assert store.discard(there)
        kept_now = list(store)
        refused = {id(page) for page in everything if page.alive} - {id(page) for page in kept_now}
        assert refused <= never_kept
        assert all(page.alive for page in kept_now)
        assert store.weight_bytes == sum(page.weight for page in kept_now) <= store.budget_bytes
        for limit in limits:
            if limit is not None:
                of_route = [page for page in kept_now if page.limits is limit]
                assert limit.hold(len(of_route), sum(page.weight for page in of_route))
    store.clear()
    assert {id(page) for page in everything if page.alive} == never_kept
    assert store.keys_matching(PathPattern.of("/**")) == []
