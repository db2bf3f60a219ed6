from __future__ import annotations

import json
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
