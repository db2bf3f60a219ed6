"""What every memory of connection states does, whatever it keeps them in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime.adapters.base import RELIABLE, Selection
from steinmetz.realtime.adapters.bus import MemoryBus, MemoryExchange
from steinmetz.realtime.adapters.framing import LANE_LENGTH, append_command
from steinmetz.realtime.adapters.messages import Emission, Order, pack_emission, pack_order
from steinmetz.realtime.adapters.node import Node
from steinmetz.realtime.adapters.seal import Kind as Word
from steinmetz.realtime.config import ConnectionStateRecovery
from steinmetz.realtime.engineio.packet import Outgoing, Packet, PacketType
from steinmetz.realtime.recovery.base import Log, Sessions
from steinmetz.realtime.recovery.memory import MemoryLog, MemoryStore
from steinmetz.realtime.recovery.record import Keys
from steinmetz.realtime.recovery.redis import APPEND, RedisLog, RedisStore
from steinmetz.realtime.socketio.recovery import Entry, History, Kind, Lane, Session, stamp
from tests.servers import redis_server

pytestmark = pytest.mark.anyio
CONFIG = ConnectionStateRecovery(max_log_bytes=1_000_000)
PACKETS = (Packet(PacketType.MESSAGE, '2["n",1]'), Packet(PacketType.MESSAGE, b"\x00\xff"))
Store = MemoryStore | RedisStore


@pytest.fixture
async def store(
    request: pytest.FixtureRequest, redis_url: str, worker_prefix: str
) -> AsyncIterator[MemoryStore | RedisStore]:
    if request.param == "memory":
        yield MemoryStore(CONFIG, FakeClock(), heartbeat_s=65)
        return
    redis = RedisStore(redis_url, CONFIG, secret=b"s" * 16, prefix=worker_prefix)
    yield redis
    await redis.aclose()


@pytest.fixture
def worker_prefix(request: pytest.FixtureRequest) -> str:
    return f"recovery-test-{id(request.node)}"


both = pytest.mark.parametrize("store", ["memory", "redis"], indirect=True)


async def say(
    log: Log,
    *rooms: str,
    except_rooms: tuple[str, ...] = (),
    kind: Kind = Kind.EMIT,
    targets: tuple[str, ...] = (),
) -> int:
    packets = PACKETS if kind is Kind.EMIT else ()
    if isinstance(log, MemoryLog):
        return log.append(kind, rooms, except_rooms, packets, targets).position
    assert isinstance(log, RedisLog)
    await record(log, node_of(log), kind, rooms, except_rooms, targets)
    return await log.position()


def node_of(log: RedisLog) -> Node:
    """One that says nothing on a bus, and knows how to make a record."""
    prefix = log._keys.base.removeprefix("{").partition(":realtime}")[0]
    return Node(MemoryBus(MemoryExchange()), b"s" * 16, prefix=prefix)


async def record(
    log: RedisLog,
    node: Node,
    kind: Kind = Kind.EMIT,
    rooms: tuple[str, ...] = (),
    except_rooms: tuple[str, ...] = (),
    targets: tuple[str, ...] = (),
) -> Any:
    """What a bus does with a record; returns it, so that it can be done again."""
    selection = Selection(frozenset(rooms), frozenset(except_rooms))
    if kind is Kind.EMIT:
        body = pack_emission(Emission(log._namespace, selection, RELIABLE, Outgoing(*PACKETS)))
    else:
        body = pack_order(Order(log._namespace, selection, targets))
    word = Word.BROADCAST if kind is Kind.EMIT else Word[kind.name]
    made = node.recording.record(word, log._namespace, rooms or (None,), (), body, 60.0)
    assert made is not None
    await append(log, made)
    return made


async def append(log: RedisLog, made: Any) -> None:
    prefix = log._keys.base.removeprefix("{").partition(":realtime}")[0]
    _, _, *arguments = append_command(made, Keys(prefix, log._namespace), b"", b"SPUBLISH")
    await log._door.ask("EVAL", APPEND.text, *arguments)


async def positions(log: Log, lanes: dict[Lane, int]) -> dict[Lane, list[int]] | None:
    reading = await log.read(lanes)
    if reading is None:
        return None
    return {lane: [entry.position for entry in entries] for lane, entries in reading.lanes.items()}


def session(sid: str = "anna", **fields: Any) -> Session:
    known: dict[str, Any] = {"epoch_id": "e", "subject": "7", "since": 3, "as_of": 9, "history": History({"a": 4})}
    return Session(sid, **{**known, **fields})


@both
class TestALog:
    async def test_gives_one_order_to_all_rooms(self, store: Store) -> None:
        log, _ = store.open("/")
        start = await log.position()
        given = [await say(log), await say(log, "a"), await say(log, "a", "b"), await say(log, "b")]
        assert given == sorted(set(given))
        assert start < given[0]
        assert await log.position() == given[-1]
        assert await positions(log, {None: start, "a": start, "b": given[2], "c": start}) == {
            None: given[:1],
            "a": given[1:3],
            "b": given[3:],
            "c": [],
        }

    async def test_keeps_what_was_said_as_it_was(self, store: Store) -> None:
        log, _ = store.open("/")
        start = await log.position()
        position = await say(log, "a", except_rooms=("x", "y"))
        changed = await say(log, "a", kind=Kind.JOIN, targets=("b",))
        reading = await log.read({"a": start})
        assert reading is not None
        assert reading.position == changed
        told = [entry._replace(except_rooms=tuple(sorted(entry.except_rooms))) for entry in reading.lanes["a"]]
        assert told == [
            Entry(position, Kind.EMIT, ("a",), ("x", "y"), stamp(PACKETS, log.epoch.offset(position)).packets),
            Entry(changed, Kind.JOIN, ("a",), (), (), ("b",)),
        ]

    async def test_knows_when_something_is_not_there_any_more(self, store: Store) -> None:
        log, _ = store.open("/")
        first = await say(log, "quiet")
        flood = [await say(log, "loud") for _ in range(3_000 if store.is_shared is False else LANE_LENGTH + 2)]
        assert await positions(log, {"loud": flood[0]}) is None
        assert await positions(log, {"loud": flood[-3]}) == {"loud": flood[-2:]}
        assert await positions(log, {"quiet": first, "nobody": 0}) == {"quiet": [], "nobody": []}

    async def test_namespaces_are_apart(self, store: Store) -> None:
        (log, _), (other, _) = store.open("/"), store.open("/other")
        start = await other.position()
        await say(log, "a")
        assert await positions(other, {"a": 0, None: 0}) == {"a": [], None: []}
        assert await other.position() == start
        assert other.epoch.position(log.epoch.offset(1)) is None


@both
class TestABoxOfSessions:
    async def test_gives_a_session_to_one_who_asks(self, store: Store) -> None:
        _, sessions = store.open("/")
        kept = session(
            history=History({"a": 4, "b": 5}, [("c", 4, 6)], 2),
            granted=("a",),
            requested=("b",),
            data={"cart": [1, {"x": "ü"}]},
        )
        sessions.save(session(is_connected=True), "o1")
        sessions.save(kept, "o1")
        assert await self.taken(sessions) == kept
        sessions.give_back(kept)
        assert await self.taken(sessions) == kept
        assert await self.taken(sessions) is None
        assert await self.taken(sessions, "ben") is None

    async def test_the_newest_one_is_kept(self, store: Store) -> None:
        _, sessions = store.open("/")
        sessions.save(session(is_connected=True), "o1")
        sessions.save(session(as_of=12), "o1")
        taken = await self.taken(sessions)
        assert taken is not None
        assert (taken.as_of, taken.is_connected) == (12, False)

    async def test_forgets_who_has_left_for_good(self, store: Store) -> None:
        _, sessions = store.open("/")
        sessions.save(session(is_connected=True), "o1")
        sessions.forget("anna")
        assert await self.taken(sessions) is None

    @staticmethod
    async def taken(sessions: Sessions, sid: str = "anna") -> Session | None:
        await sessions.saved()
        taken = await sessions.take(sid)
        if taken is not None:
            assert isinstance(taken.history.left, (list, tuple))
        return taken


class TestRedisAlone:
    """What only processes that share a memory can see."""

    async def test_a_node_that_is_dead_leaves_its_sessions_to_others(
        self, redis_url: str, worker_prefix: str
    ) -> None:
        dead, alive = (RedisStore(redis_url, CONFIG, secret=b"s" * 16, prefix=worker_prefix) for _ in range(2))
        (log, sessions), (other_log, others) = dead.open("/"), alive.open("/")
        await log.position()
        await other_log.position()
        assert log.epoch.id == other_log.epoch.id
        sessions.save(session(epoch_id=log.epoch.id, is_connected=True), "o1")
        await sessions.saved()
        position = await say(log, "a")
        taken = await others.take("anna")
        assert taken is not None
        assert taken.is_connected
        assert await positions(other_log, {"a": position - 1}) == {"a": [position]}
        # It was not dead, only slow: what it says of its client now is old.
        sessions.save(session(as_of=99), "o1")
        await sessions.saved()
        assert await others.take("anna") is None
        await dead.aclose()
        await alive.aclose()

    async def test_t29_a_retry_gets_the_same_position(self, redis_url: str, worker_prefix: str) -> None:
        store = RedisStore(redis_url, CONFIG, secret=b"s" * 16, prefix=worker_prefix)
        log, _ = store.open("/")
        node = node_of(log)
        first = await record(log, node, rooms=("a",))
        position = await log.position()
        await append(log, first)
        assert await log.position() == position
        assert await positions(log, {"a": 0}) == {"a": [position]}
        await record(log, node, rooms=("a",))
        await append(log, first)
        assert await positions(log, {"a": 0}) == {"a": [position, position + 1]}
        await store.aclose()

    async def test_data_that_json_cannot_say_are_left_out(self, redis_url: str, worker_prefix: str) -> None:
        store = RedisStore(redis_url, CONFIG, secret=b"s" * 16, prefix=worker_prefix)
        _, sessions = store.open("/")
        sessions.save(session(data={"user": object(), "cart": [1], "bytes": b"x"}), "o1")
        sessions.give_back(session(data={"user": object(), "cart": [1], "bytes": b"x"}))
        await sessions.saved()
        taken = await sessions.take("anna")
        assert taken is not None
        assert taken.data == {"cart": [1]}
        await store.aclose()

    async def test_redis_begins_another_epoch_when_it_has_lost_its_data(self) -> None:
        with redis_server() as server:
            store = RedisStore(server.url, CONFIG, secret=b"s" * 16)
            log, sessions = store.open("/")
            before = await say(log, "a")
            epoch = log.epoch
            server.kill()
            with pytest.raises(OSError, match="Redis cannot be asked"):
                await log.position()
            sessions.save(session(is_connected=True), "o1")
            await sessions.saved()
            assert sessions.lost == 1
            server.start()
            assert await log.position() > before
            assert log.epoch.id != epoch.id
            assert log.epoch.position(epoch.offset(before)) is None
            assert log.epoch.sid(epoch.pid("anna")) is None
            await store.aclose()

    async def test_another_secret_is_another_epoch(self, redis_url: str, worker_prefix: str) -> None:
        stores = [
            RedisStore(redis_url, CONFIG, secret=secret * 16, prefix=worker_prefix) for secret in (b"s", b"t")
        ]
        logs = [store.open("/")[0] for store in stores]
        for log in logs:
            await log.position()
        assert logs[0].epoch.id != logs[1].epoch.id
        with pytest.raises(ValueError, match="at least 16 bytes"):
            RedisStore(redis_url, CONFIG, secret=b"short")
        for store in stores:
            await store.aclose()


async def test_a_namespace_that_has_ended_leaves_no_task_and_no_memory_behind(
    redis_url: str, worker_prefix: str
) -> None:
    store = RedisStore(redis_url, CONFIG, secret=b"s" * 16, prefix=worker_prefix, heartbeat_s=0.01)
    for number in range(3):
        _, sessions = store.open(f"/document-{number}")
        sessions.save(session("s", is_connected=True), "owner")
        await sessions.saved()
        assert len(store._tasks) == 1
        sessions.forget("s")
        await sessions.saved()
        async with asyncio.timeout(5):
            while len(store._tasks):
                await asyncio.sleep(0.001)
        del sessions
    assert len(store._sessions) == 0
    await store.aclose()
