"""What the cache tells of itself, asked through its front door."""

from __future__ import annotations

from typing import Any

import pytest

from steinmetz.cache import CacheConfig, cached
from steinmetz.cache.response_cache import Order
from steinmetz.cache.statistics import FIRST
from steinmetz.cache.stores.base import Gone
from steinmetz.sql.scope import ScopeKind, open_scope

pytestmark = pytest.mark.anyio


def a_route(
    rig: Any, reply: Any, path: str, *tables: str, body: bytes = b"0123456789", **terms: Any
) -> list[bytes]:
    """A public route that reads ``tables``; what it answers next stands in the list returned."""
    bodies = [body]

    @cached(public=True, **terms)
    async def endpoint(scope: Any, receive: Any, send: Any) -> None:
        rig.hook.read(*tables)
        await reply(send, bodies[0])

    rig.app.add(path, endpoint)
    return bodies


def of_route(rig: Any, path: str) -> dict[str, Any]:
    found: dict[str, Any] = next(route for route in rig.cache.stats()["routes"] if route["route"] == path)
    return found


async def test_bytes_served_count_for_answers_that_are_there_and_for_those_that_are_gone(
    rig: Any, reply: Any
) -> None:
    a_route(rig, reply, "/a", "invoices")
    for _ in range(4):
        await rig.ask("/a")
    assert of_route(rig, "/a")["bytesServed"] == 30
    rig.hook.commit("invoices")
    await rig.ask("/a")
    await rig.ask("/a")
    assert of_route(rig, "/a")["bytesServed"] == 40
    assert of_route(rig, "/a")["savedMs"] > 0
    assert rig.cache.stats()["bytesServed"] == 40


async def test_a_miss_says_how_the_answer_before_it_had_gone(rig: Any, reply: Any) -> None:
    a_route(rig, reply, "/a", "invoices", ttl=60)
    await rig.ask("/a")
    rig.hook.commit("invoices")
    await rig.ask("/a")
    rig.cache.clear()
    await rig.ask("/a")
    rig.clock.advance(61)
    await rig.ask("/a")
    assert of_route(rig, "/a")["missedBecause"] == {FIRST: 1, Gone.DROPPED: 1, Gone.CLEARED: 1, "expired": 1}


async def test_a_drop_whose_answer_came_back_unchanged_was_needless(rig: Any, reply: Any) -> None:
    bodies = a_route(rig, reply, "/a", "invoices")
    await rig.ask("/a")
    rig.hook.commit("invoices")
    await rig.ask("/a")
    bodies[0] = b"another"
    rig.hook.commit("invoices")
    await rig.ask("/a")
    assert (of_route(rig, "/a")["needless"], of_route(rig, "/a")["dropped"]) == (1, 2)
    newest, oldest = rig.cache.invalidations()
    assert (newest["needless"], oldest["needless"]) == (0, 1)


async def test_an_answer_that_was_cleared_and_came_back_was_nobodys_needless_drop(rig: Any, reply: Any) -> None:
    a_route(rig, reply, "/a", "invoices")
    await rig.ask("/a")
    rig.cache.clear()
    await rig.ask("/a")
    assert rig.cache.stats()["needless"] == 0


async def test_answers_that_nobody_asked_for_again_are_counted_as_unused(rig: Any, reply: Any) -> None:
    a_route(rig, reply, "/a", "invoices")
    await rig.ask("/a")
    rig.hook.commit("invoices")
    await rig.ask("/a")
    await rig.ask("/a")
    rig.hook.commit("invoices")
    assert rig.cache.stats()["unused"] == 1
    assert rig.cache.stats()["letGo"] == {Gone.DROPPED: 2}


async def test_evictions_are_told_from_drops(make_rig: Any, reply: Any) -> None:
    rig = make_rig(CacheConfig(budget_bytes=6_000))
    for number in range(6):
        a_route(rig, reply, f"/{number}", "invoices")
    for number in (*range(6), 0):
        await rig.ask(f"/{number}")
    assert of_route(rig, "/0")["missedBecause"] == {FIRST: 1, Gone.EVICTED: 1}


async def test_an_invalidation_names_endpoint_user_statement_and_routes(rig: Any, reply: Any) -> None:
    a_route(rig, reply, "/a", "invoices")
    a_route(rig, reply, "/b", "invoices")

    async def pay(scope: Any, receive: Any, send: Any) -> None:
        rig.hook.commit("invoices")
        await reply(send, b"", status=204)

    rig.app.add("/pay", pay, "POST")
    await rig.ask("/a")
    await rig.ask("/b")
    await rig.ask("/pay", method="POST", user="carl")
    (told,) = rig.cache.invalidations()
    assert (told["cause"], told["user"], told["dropped"]) == ("POST /pay", "carl", 2)
    assert told["routes"] == {"/a": 1, "/b": 1}


async def test_outside_a_request_there_is_no_user(rig: Any) -> None:
    with open_scope(ScopeKind.JOB, "nightly"):
        rig.hook.commit("invoices")
    (told,) = rig.cache.invalidations()
    assert (told["cause"], told["user"]) == ("nightly", None)


async def test_entries_are_listed_by_what_is_asked_for(rig: Any, reply: Any) -> None:
    a_route(rig, reply, "/small", "invoices", body=b"1")
    rig.clock.advance(1)
    a_route(rig, reply, "/large", "invoices", body=b"1" * 500)
    await rig.ask("/small")
    await rig.ask("/small")
    rig.clock.advance(1)
    await rig.ask("/large")
    assert [entry["path"] for entry in rig.cache.entries(order=Order.HITS)] == ["/small", "/large"]
    assert [entry["path"] for entry in rig.cache.entries(order=Order.SAVED)] == ["/small", "/large"]
    assert [entry["path"] for entry in rig.cache.entries(order=Order.BYTES)] == ["/large", "/small"]
    assert [entry["path"] for entry in rig.cache.entries(order=Order.NEWEST)] == ["/large", "/small"]
