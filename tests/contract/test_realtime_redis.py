"""A cluster over a real Redis that is killed, stopped and starved: nothing is lost or doubled, all is noticed.

With ``LONG_TESTS=1`` Redis is away for five seconds.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from steinmetz.realtime.adapters import redis as over_redis
from steinmetz.realtime.adapters.base import RELIABLE
from steinmetz.realtime.adapters.redis import RedisBus
from tests.contract.realtime_world import World, cluster, said, to
from tests.servers import Server, redis_server

pytestmark = pytest.mark.anyio

OUTAGE_EVENTS = 2_500 if os.environ.get("LONG_TESTS") == "1" else 150
"""What each server says while Redis is away; 500 take a second."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with redis_server() as server:
        yield server


@pytest.fixture
async def world(server: Server) -> AsyncIterator[World]:
    async with cluster(redis_url=server.url) as world:
        yield world


def heard(world: World, sid: str) -> list[str]:
    return [text for place in world.places for who, text in place.heard if who == sid and text[0] != "~"]


def say(world: World, texts: list[str]) -> None:
    """Each text at each place, to the same room."""
    for text in texts:
        for at, place in enumerate(world.places):
            place.adapter.broadcast(to("finance"), said(f"{text} at {at}"), RELIABLE)


async def test_t29_a_restart_of_redis_loses_and_doubles_nothing(world: World, server: Server) -> None:
    members = [world.add(name, at, "finance") for at, name in enumerate(("anna", "carl"))]
    await world.settle()
    batches = [[f"{phase} {number}" for number in range(50)] for phase in ("before", "during", "after")]
    say(world, batches[0])
    server.kill()
    await world.until(lambda: not any(node.is_reachable for node in world.nodes))
    say(world, batches[1])
    for at, sid in enumerate(members):
        assert heard(world, sid)[-1] == f"during 49 at {at}", "its own clients wait for nothing"
    await asyncio.to_thread(server.start)
    await world.until(lambda: all(node.is_reachable for node in world.nodes))
    say(world, batches[2])
    await world.until(lambda: all(len(heard(world, sid)) >= 300 for sid in members))
    expected = [text for batch in batches for text in batch]
    for sid in members:
        for at in range(2):
            assert [text for text in heard(world, sid) if text.endswith(str(at))] == [
                f"{text} at {at}" for text in expected
            ]
    assert [place.losses for place in world.places] == [0, 0]
    assert all(sum(node.traffic.outages.values()) == 1 for node in world.nodes)


async def test_t29_an_outage_under_load_loses_and_doubles_nothing(world: World, server: Server) -> None:
    """500 events a second at each of two servers, Redis away for `OUTAGE_EVENTS` of them."""
    members = [world.add(name, at, "finance") for at, name in enumerate(("anna", "carl"))]
    await world.settle()
    spoken: list[str] = []
    is_over = asyncio.Event()

    async def speak() -> None:
        while not is_over.is_set():
            batch = [str(len(spoken) + number) for number in range(5)]
            spoken.extend(batch)
            say(world, batch)
            await asyncio.sleep(0.01)

    speaking = asyncio.create_task(speak())
    await world.until(lambda: len(spoken) >= 50)
    server.kill()
    await world.until(lambda: len(spoken) >= 50 + OUTAGE_EVENTS)
    await asyncio.to_thread(server.start)
    await world.until(lambda: all(node.is_reachable for node in world.nodes))
    spoken_then = len(spoken)
    await world.until(lambda: len(spoken) >= spoken_then + 50)
    is_over.set()
    await speaking
    await world.until(lambda: all(len(heard(world, sid)) >= 2 * len(spoken) for sid in members))
    for sid in members:
        for at in range(2):
            assert [text for text in heard(world, sid) if text.endswith(f"at {at}")] == [
                f"{text} at {at}" for text in spoken
            ]
    assert [place.losses for place in world.places] == [0, 0]


async def test_a_listener_that_is_cut_off_asks_for_what_it_has_missed(world: World, server: Server) -> None:
    """As Redis does with one whose output buffer is full."""
    anna = world.add("anna", 1, "finance")
    await world.settle()
    client = Redis.from_url(server.url)
    for number in range(5):
        await client.client_kill_filter(_type="pubsub")
        world.places[0].adapter.broadcast(to("finance"), said(f"{number}"), RELIABLE)
        await world.until(lambda count=number + 1: len(heard(world, anna)) >= count)  # type: ignore[misc]
    await client.aclose()
    await world.until(lambda: all(node.is_reachable for node in world.nodes))
    await world.settle()
    assert heard(world, anna) == ["0", "1", "2", "3", "4"]


async def test_a_deaf_listener_is_noticed(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert over_redis.ECHO_S * (over_redis.DEAF_AFTER + 1) < 5, "in less than five seconds"
    monkeypatch.setattr(over_redis, "ECHO_S", 0.1)
    async with cluster(redis_url=server.url) as world:
        anna = world.add("anna", 1, "finance")
        await world.settle()
        server.signal(signal.SIGSTOP)
        try:
            await world.until(lambda: all(node.traffic.outages["deaf"] == 1 for node in world.nodes))
            assert world.nodes[0].health().startswith("warning: out of reach")
            world.places[0].adapter.broadcast(to("finance"), said("while it slept"), RELIABLE)
        finally:
            server.signal(signal.SIGCONT)
        await world.until(lambda: "while it slept" in heard(world, anna))
        assert world.nodes[0].health() == "ok"
    assert capsys.readouterr().out.count("out of reach") == 2, "each says it once, however often it tries"


async def test_it_has_a_channel_for_each_room_and_none_for_a_socket(world: World, server: Server) -> None:
    for number in range(5):
        world.add(f"m{number}", 1, "finance", f"room {number}")
    await world.settle()
    client = Redis.from_url(server.url)
    channels = [name.decode() for name in await client.execute_command("PUBSUB", "SHARDCHANNELS")]
    rooms = {name.partition(":r:/,")[2] for name in channels if ":r:" in name}
    assert rooms == {"finance", *(f"room {number}" for number in range(5))}
    for number in range(5):
        world.places[1].adapter.remove(world.sid(f"m{number}", 1))
    await world.settle()
    await asyncio.sleep(0)
    await world.until(lambda: not world.nodes[1]._bus._subscriptions._changes)  # type: ignore[attr-defined]
    channels = [name.decode() for name in await client.execute_command("PUBSUB", "SHARDCHANNELS")]
    assert not [name for name in channels if ":r:" in name]
    await client.aclose()


async def test_before_version_7_it_publishes_without_shards(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(over_redis, "SHARDED_FROM", 1_000)
    async with cluster(redis_url=server.url) as world:
        anna = world.add("anna", 1, "finance")
        await world.settle()
        client = Redis.from_url(server.url)
        assert await client.execute_command("PUBSUB", "CHANNELS")
        await client.aclose()
        world.places[0].adapter.broadcast(to("finance"), said("plain"), RELIABLE)
        assert await world.heard(anna) == ["plain"]


async def test_a_redis_that_never_was_there_stops_nobody() -> None:
    bus = RedisBus("redis://127.0.0.1:1/0")
    told: list[str] = []

    class Silent:
        def receive(self, channel: str, message: bytes) -> None:
            raise AssertionError

        def lost(self, reason: str) -> None:
            raise AssertionError

        def restored(self) -> None:
            raise AssertionError

    bus.start(Silent())
    bus.publish("a", b"message")
    bus.subscribe("b")
    await asyncio.sleep(0)
    await bus.aclose()
    await bus.aclose()
    assert told == []


async def test_too_much_for_a_slow_redis_is_asked_for_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(over_redis, "MAX_OUTBOX", 10_000)
    anna = world.add("anna", 1, "finance")
    await world.settle()
    texts = [f"{number} {'x' * 500}" for number in range(40)]
    for text in texts:
        world.places[0].adapter.broadcast(to("finance"), said(text), RELIABLE)
    await world.until(lambda: len(heard(world, anna)) >= 40)
    assert heard(world, anna) == texts
    assert world.nodes[0].traffic.outages["full"] >= 1
    assert set(world.nodes[0].traffic.outages) == {"full"}
