from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest

from steinmetz.cache import ResponseCache, cached

pytestmark = pytest.mark.anyio


async def filled(rig: Any, reply: Any, *paths: str, **tags: list[str]) -> None:
    """Public routes at ``paths``, each asked once; ``tags`` by path without its slashes."""
    for path in paths:

        @cached(public=True, tags=tags.get(path.replace("/", ""), ()))
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            rig.hook.read("invoices")
            await reply(send, b"a secret body")

        rig.app.add(path, endpoint)
    for path in paths:
        await rig.ask(path)


async def test_the_counts_are_plain_json_and_add_up(rig: Any, reply: Any) -> None:
    await filled(rig, reply, "/a", "/b")
    await rig.ask("/a")
    await rig.ask("/a", headers=[("Cache-Control", "no-store")])
    rig.hook.commit("invoices")
    stats = json.loads(json.dumps(rig.cache.stats()))
    assert (stats["hits"], stats["misses"], stats["bypasses"], stats["stored"]) == (1, 2, 1, 2)
    assert stats["missReasons"] == {"absent": 2}
    assert stats["hitRate"] == round(1 / 3, 4)
    assert (stats["entries"], stats["bytes"], stats["invalidated"], stats["commits"]) == (0, 0, 2, 1)
    route = stats["routes"][0]
    names = ("hits", "stale", "misses", "bypasses", "collapsed", "leaks", "pauses")
    counted = {name: route[name] for name in names}
    assert counted == {**dict.fromkeys(counted, 0), "hits": 1, "misses": 1, "bypasses": 1}
    assert (route["route"], route["resting"]) == ("/a", None)


async def test_entries_are_listed_without_their_bodies_most_used_first(rig: Any, reply: Any) -> None:
    await filled(rig, reply, "/a", "/b", "/c")
    await rig.ask("/b")
    rig.clock.advance(10)
    listed = rig.cache.entries(limit=2)
    assert [entry["path"] for entry in listed] == ["/b", "/a"]
    assert listed[0]["key"] == "cache:test:/b"
    assert (listed[0]["hits"], listed[0]["ageSeconds"], listed[0]["ttlSeconds"]) == (1, 10, 290)
    assert "secret" not in json.dumps(listed)


async def test_by_hand_by_path_by_tag_and_everything(rig: Any, reply: Any) -> None:
    await filled(rig, reply, "/a", "/a/b", "/c", c=["two"])
    assert rig.cache.invalidate("/a") == 2
    assert rig.cache.invalidate_tags("two") == 1
    await rig.ask("/a")
    assert rig.cache.clear() == 1
    assert rig.cache.stats()["entries"] == 0


async def test_another_version_never_sees_these_answers(rig: Any, reply: Any) -> None:
    await filled(rig, reply, "/a")
    newer = ResponseCache(clock=rig.clock, version="newer", store=rig.cache._store)
    rig.door = newer.wrap(rig.app)
    assert (await rig.ask("/a")).cache == "MISS"


async def test_without_an_authenticator_only_public_routes_hit(rig: Any, reply: Any) -> None:
    @cached()
    async def mine(scope: Any, receive: Any, send: Any) -> None:
        await reply(send, b"x")

    rig.app.add("/mine", mine)
    rig.door = ResponseCache(clock=rig.clock).wrap(rig.app)
    await filled(rig, reply, "/public")
    assert (await rig.ask("/public", headers=[("Authorization", "Bearer x")])).cache == "HIT"
    assert [(await rig.ask("/mine")).cache for _ in range(2)] == ["BYPASS", "BYPASS"]


async def test_by_pattern(rig: Any, reply: Any) -> None:
    await filled(rig, reply, "/a/7/pdf", "/a/8/pdf", "/a/8/xml", "/b/7/pdf")
    await rig.ask("/a/7/pdf?lang=de")
    assert rig.cache.invalidate_pattern("/a/*/pdf") == 3
    assert rig.cache.stats()["invalidated"] == 3
    assert rig.cache.invalidations()[0]["relations"] == ["/a/*/pdf"]
    assert (await rig.ask("/a/8/xml")).cache == "HIT"
    assert (await rig.ask("/a/7/pdf")).cache == "MISS"
    with pytest.raises(ValueError, match="starts with"):
        rig.cache.invalidate_pattern("a/*")


async def test_what_is_being_computed_below_a_pattern_is_not_kept(rig: Any, reply: Any) -> None:
    heard: list[Any] = []
    rig.cache.on_bumped(heard.append)

    @cached(public=True)
    async def endpoint(scope: Any, receive: Any, send: Any) -> None:
        rig.cache.invalidate_pattern("/a/*/pdf")
        await reply(send, b"x")

    rig.app.add("/a/7/pdf", endpoint)
    assert "stored" not in (await rig.ask("/a/7/pdf")).headers["cache-status"]
    assert (await rig.ask("/a/7/pdf")).cache == "MISS"
    assert [relation.name for writes in heard for relation in writes.relations] == ["/a", "/a"]


async def test_a_route_keeps_so_many_answers_and_bytes_as_it_said(rig: Any, reply: Any) -> None:
    limits: dict[str, dict[str, Any]] = {
        "/few": {"max_entries": 3},
        "/light": {"budget_bytes": 12_000},
        "/all": {},
    }
    for path, terms in limits.items():

        @cached(public=True, **terms)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            await reply(send, b"x" * 100)

        rig.app.add(path, endpoint)
    for path, number in product(limits, range(10)):
        await rig.ask(f"{path}?n={number}")
    kept = list(rig.cache._store)
    of_route = {path: [entry for entry in kept if entry.route == path] for path in limits}
    assert (len(of_route["/few"]), len(of_route["/all"])) == (3, 10)
    assert 1 < len(of_route["/light"]) < 10
    assert sum(entry.weight for entry in of_route["/light"]) <= 12_000
    assert (await rig.ask("/few?n=9")).cache == "HIT"
    assert (await rig.ask("/few?n=0")).cache == "MISS"
