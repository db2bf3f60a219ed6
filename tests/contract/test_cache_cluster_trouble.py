"""Redis emptied, killed, stalled, restarted or cut short under load, writers that die: never stale, no 5xx."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import pytest
from redis.asyncio import Redis

from steinmetz.cache.policy.consistency import SESSION
from tests.contract.cluster_world import Judge, Node, World
from tests.servers import Server, redis_server

pytestmark = pytest.mark.anyio

Make = Callable[..., Node]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.002)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def prefix() -> str:
    return secrets.token_hex(6)


@pytest.fixture
def server() -> Iterator[Server]:
    """A Redis of this test's own, to be stopped, killed and started again."""
    with redis_server() as server:
        yield server


@pytest.fixture
async def make(server: Server, world: World, prefix: str) -> AsyncIterator[Make]:
    nodes = list[Node]()

    def make(url: str = server.url, **options: object) -> Node:
        nodes.append(Node(url, world, prefix, **options))
        return nodes[-1]

    yield make
    for node in nodes:
        await node.aclose()


class StallingProxy:
    """A TCP proxy that lets nothing pass while it is stalled."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._open = asyncio.Event()
        self._open.set()
        self._server: asyncio.Server | None = None
        self._pumps: set[asyncio.Task[None]] = set()

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/0"

    def stall(self) -> None:
        self._open.clear()

    def go_on(self) -> None:
        self._open.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.close()
            return
        for source, sink in ((reader, back), (there, writer)):
            task = asyncio.create_task(self._pump(source, sink))
            self._pumps.add(task)
            task.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await source.read(65_536):
                await self._open.wait()
                sink.write(chunk)
                await sink.drain()
        sink.close()

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._pumps):
            task.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)


Trouble = Callable[[Server, Sequence[Node]], Awaitable[None]]


async def flush(server: Server, _nodes: Sequence[Node] = ()) -> None:
    async with Redis.from_url(server.url) as redis:
        await redis.flushall()


async def kill_clients(server: Server, _nodes: Sequence[Node] = ()) -> None:
    async with Redis.from_url(server.url) as redis:
        await redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


async def restart(server: Server, _nodes: Sequence[Node] = ()) -> None:
    server.kill()
    await asyncio.sleep(0.05)
    await asyncio.to_thread(server.start)


async def restart_from_snapshot(server: Server, _nodes: Sequence[Node] = ()) -> None:
    """With the same boot id, and without what was written since."""
    async with Redis.from_url(server.url) as redis:
        await redis.save()
    await asyncio.sleep(0.05)
    await restart(server)


async def squeeze(server: Server, _nodes: Sequence[Node] = ()) -> None:
    """H20: Redis has no room and evicts whatever it likes."""
    async with Redis.from_url(server.url) as redis:
        await redis.config_set("maxmemory-policy", "allkeys-random")
        await redis.config_set("maxmemory", "3mb")
        for number in range(200):
            await redis.set(f"ballast {number}", b"x" * 20_000)
        await redis.flushdb()
        await redis.config_set("maxmemory", "0")


async def refuse(server: Server, _nodes: Sequence[Node] = ()) -> None:
    """Redis has no room and takes nothing more."""
    async with Redis.from_url(server.url) as redis:
        await redis.config_resetstat()
        await redis.config_set("maxmemory", "1")
        async with asyncio.timeout(10):
            while "errorstat_OOM" not in await redis.info("errorstats"):
                await asyncio.sleep(0.005)
        await redis.config_set("maxmemory", "0")


async def cut_log(server: Server, _nodes: Sequence[Node] = ()) -> None:
    async with Redis.from_url(server.url) as redis:
        for key in await redis.keys("*log"):
            await redis.delete(key)


async def evict_state(server: Server, _nodes: Sequence[Node] = ()) -> None:
    async with Redis.from_url(server.url) as redis:
        for key in await redis.keys("*state"):
            await redis.delete(key)


async def suspend(server: Server, nodes: Sequence[Node]) -> None:
    """Longer than a question may take: until each node has given up waiting for an answer."""
    before = [node.cluster.state()["breakerOpened"] for node in nodes]
    server.signal(signal.SIGSTOP)
    opened = zip(nodes, before, strict=True)
    for node, known in opened:
        await until(lambda node=node, known=known: node.cluster.state()["breakerOpened"] > known)  # type: ignore[misc]
    server.signal(signal.SIGCONT)


TROUBLES = (kill_clients, cut_log, evict_state, suspend, restart_from_snapshot, squeeze, refuse)


@pytest.mark.parametrize(
    ("route", "trouble"),
    [(route, each) for route in ("/strong", "/session") for each in (flush, restart)]
    + [("/strong", each) for each in TROUBLES],
)
async def test_h15_h20_trouble_under_load_is_never_stale_and_never_an_error(
    make: Make, world: World, server: Server, route: str, trouble: Trouble
) -> None:
    nodes = [make(), make()]
    judge = Judge(world, nodes, route, route == "/strong", random.Random(11))
    clients = [asyncio.create_task(judge.client(10_000, write_every=25)) for _ in range(6)]
    for _ in range(2 if trouble is flush else 1):
        before = sum(judge.outcomes.values())
        await until(lambda: sum(judge.outcomes.values()) > before + 200)  # noqa: B023
        await trouble(server, nodes)
    hits = judge.outcomes.get("HIT", 0)
    await until(lambda: judge.outcomes.get("HIT", 0) > hits + 100)
    judge.over = True
    await asyncio.gather(*clients)
    assert judge.faults == []
    assert judge.refused == 0


async def test_a_write_that_nobody_could_be_told_of_is_held_until_nobody_believes_what_he_keeps(
    make: Make, world: World, server: Server
) -> None:
    one, two = make(), make()
    await one.get("/session/a")
    assert (await one.get("/session/a")).cache == "HIT"
    server.signal(signal.SIGSTOP)
    began = time.monotonic()
    written = await two.post("a")
    assert written.token == "untold.0"
    assert time.monotonic() - began >= 1.0
    answer = await one.get("/session/a")
    assert (answer.cache, answer.value) == ("BYPASS", 1)
    server.signal(signal.SIGCONT)
    await until(lambda: two.cluster.state()["reachable"] and one.cluster.state()["reachable"])
    assert (await one.get("/session/a", "untold.0")).cache == "BYPASS"
    answer = await one.get("/session/a")
    assert (answer.cache, answer.value) == ("MISS", 1)
    assert (await two.post("a")).token != "untold.0"


async def test_only_the_writer_has_lost_redis_what_he_owes_is_told_when_it_is_back(
    make: Make, world: World, server: Server
) -> None:
    proxy = StallingProxy(server.port)
    one, two = make(), make(await proxy.start())
    await one.get("/strong/a")
    await two.get("/strong/a")
    proxy.stall()
    written = await two.post("a")
    assert written.token == "untold.0"
    assert (await one.get("/strong/a", written.token)).value == 1  # his own writes he reads everywhere
    assert (await two.get("/strong/a")).value == 1
    proxy.go_on()
    await until(lambda: not two.cluster.telling.owes)
    assert (await one.get("/strong/a")).value == 1
    await two.aclose()
    await proxy.stop()


async def test_a_slow_redis_costs_hits_and_not_answers(make: Make, world: World, server: Server) -> None:
    proxy = StallingProxy(server.port)
    one = make(await proxy.start())
    await one.get("/strong/a")
    assert (await one.get("/strong/a")).cache == "HIT"
    proxy.stall()
    for outcome in ("BYPASS", "BYPASS"):
        assert (await one.get("/strong/a")).cache == outcome
    assert one.cluster.breaker.opened == 1
    assert one.cache.stats()["cluster"]["reachable"] is False
    proxy.go_on()
    await until(lambda: one.cluster.state()["reachable"])
    await one.get("/strong/a")
    assert (await one.get("/strong/a")).cache == "HIT"
    await one.aclose()
    await proxy.stop()


async def test_without_redis_from_the_start_everything_is_computed(world: World, prefix: str) -> None:
    node = Node("redis://127.0.0.1:1/0", world, prefix)
    assert (await node.get("/session/a")).cache == "BYPASS"
    assert (await node.post("a")).value == 1
    assert (await node.get("/session/a")).value == 1
    await node.aclose()


WRITER = """
import asyncio, os, sys
from steinmetz.cache import ResponseCache
from steinmetz.cache.stores.redis import redis_cluster
from steinmetz.cache.testing import FakeHook
cache = ResponseCache(cluster=redis_cluster(sys.argv[1], prefix=sys.argv[2], lease_s=1.0))
transaction = FakeHook(cache.observer).transaction()
transaction.write("a")
transaction.mark()
print("committed", flush=True)
sys.stdin.read()
"""


async def test_h4_a_writer_killed_between_commit_and_bump_costs_the_lease_and_no_stale_answer(
    make: Make, world: World, server: Server, prefix: str, tmp_path: Path
) -> None:
    one = make(lease_s=1.0)
    await one.get("/strong/a")
    assert (await one.get("/strong/a")).cache == "HIT"
    program = tmp_path / "writer.py"
    program.write_text(WRITER)
    command = [sys.executable, str(program), server.url, prefix]
    pipe = asyncio.subprocess.PIPE
    writer = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert writer.stdout is not None
    assert await writer.stdout.readline() == b"committed\n"
    world.committed["a"] = 1
    writer.kill()
    await writer.wait()
    outcomes = []
    async with asyncio.timeout(5):
        while "HIT" not in outcomes:
            answer = await one.get("/strong/a")
            assert answer.value == 1
            outcomes.append(answer.cache)
    late = make(lease_s=1.0)  # who joins sweeps the mark away
    await late.get("/strong/a")
    assert (await late.get("/strong/a")).cache == "HIT"
    async with Redis.from_url(server.url) as redis:
        assert [field for field in await redis.hkeys(f"{{{prefix}}}state") if field.startswith(b"m:")] == []


async def test_a_log_cut_short_behind_a_node_makes_it_forget(make: Make, server: Server) -> None:
    proxy = StallingProxy(server.port)
    one, two = make(await proxy.start()), make()
    await one.get("/strong/b")
    resets = one.cluster.following.resets
    proxy.stall()
    await two.post("a")
    await cut_log(server)
    await two.post("a")
    proxy.go_on()
    assert (await one.get("/strong/b")).cache == "MISS"
    assert one.cluster.following.resets == resets + 1
    await one.aclose()
    await proxy.stop()


async def test_entries_in_redis_stay_within_their_bytes(make: Make, server: Server, prefix: str) -> None:
    one = make(shared_bytes=2_000)
    for cell in ("a", "b"):
        for place in ("/strong", "/session", "/bounded"):
            await one.get(f"{place}/{cell}")
    await until(lambda: one.cluster.offered == 6)
    async with Redis.from_url(server.url) as redis:
        entries = await redis.keys("*e:*")
        lengths = [await redis.strlen(key) for key in entries]
        assert 0 < sum(lengths) <= 2_000
        assert int(await redis.get(f"{{{prefix}}}total")) == sum(lengths)
        assert await redis.zcard(f"{{{prefix}}}index") == len(entries)


async def test_what_a_memo_keeps_is_not_given_while_redis_is_gone(
    make: Make, server: Server, world: World
) -> None:
    one, two = make(), make()
    asked = 0

    @one.cache.memo()
    async def cell() -> int:
        nonlocal asked
        asked += 1
        one.hook.read("a")
        return world.committed["a"]

    await one.get("/session/a")
    await until(lambda: one.cluster.stands(SESSION, None))
    assert [await cell(), await cell(), asked] == [0, 0, 1]
    await two.post("a")
    async with asyncio.timeout(10):
        while await cell() == 0:
            await asyncio.sleep(0.002)
    server.kill()
    await until(lambda: not one.cluster.stands(SESSION, None))
    world.committed["a"] = 7  # somebody wrote, and nobody can tell
    asked = 0
    assert [await cell(), await cell(), asked] == [7, 7, 2]
