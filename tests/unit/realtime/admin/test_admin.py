"""The Admin UI's protocol as its screen hears it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime import Config, ConnectError, ConnectionStateRecovery, EventError, Server, Socket
from steinmetz.realtime.adapters.bus import MemoryBus, MemoryExchange
from steinmetz.realtime.adapters.cluster import Cluster
from steinmetz.realtime.adapters.node import Node
from steinmetz.realtime.admin import admin, feed
from steinmetz.realtime.testing import InProcessClient, connect

pytestmark = pytest.mark.anyio

Until = Callable[[Callable[[], bool]], Awaitable[None]]
GOOD = {"username": "root", "password": "right"}


async def authenticate(socket: Socket) -> str | None:
    shown = socket.handshake.auth
    if shown == {"sessionId": "kept"}:
        return None
    if shown != GOOD:
        raise ConnectError("invalid credentials")
    return "kept"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "BATCH_S", 0)


@pytest.fixture
def shown(io: Server) -> Server:
    io.instrument(authenticate, describe=lambda socket: {"mark": socket.data.get("mark")})
    return io


@asynccontextmanager
async def screen(io: Server, **options: Any) -> AsyncIterator[InProcessClient]:
    """Somebody watches, and has seen everybody who is there."""
    async with connect(io, namespace="/admin", auth=GOOD, **options) as client:
        await client.heard("all_sockets")
        assert (await client.heard("socket_connected"))[0]["id"] == client.id
        yield client


class TestGettingIn:
    async def test_with_credentials_and_then_with_the_session(self, shown: Server) -> None:
        async with connect(shown, namespace="/admin", auth=GOOD) as client:
            assert await client.heard("config") == [{"supportedFeatures": ["AGGREGATED_EVENTS", "ALL_EVENTS"]}]
            assert await client.heard("session") == ["kept"]
        async with connect(shown, namespace="/admin", auth={"sessionId": "kept"}) as client:
            await client.heard("config")
            await client.heard("all_sockets")
            assert "session" not in [name for name, _ in client.events]

    @pytest.mark.parametrize("auth", [None, {}, {**GOOD, "password": "wrong"}, {"sessionId": "forged"}])
    async def test_and_with_nothing_else(self, shown: Server, auth: dict[str, Any] | None) -> None:
        with pytest.raises(ConnectError, match="invalid credentials"):
            async with connect(shown, namespace="/admin", auth=auth):
                pass

    async def test_who_answers_that_somebody_may_not_does_not_let_him_in(self, io: Server) -> None:
        io.instrument(lambda socket: False)  # type: ignore[arg-type, return-value]
        with pytest.raises(ConnectError, match="invalid credentials"):
            async with connect(io, namespace="/admin", auth=GOOD):
                pass

    async def test_what_describes_sockets_may_fail_and_keeps_nobody_out(self, io: Server) -> None:
        def fail(socket: Socket) -> dict[str, Any]:
            raise KeyError("a secret")

        io.instrument(authenticate, describe=fail)
        async with screen(io) as watching, connect(io) as anna:
            [told, _] = await watching.heard("socket_connected")
            assert (told["id"], told["data"]) == (anna.id, {})

    async def test_nobody_is_shown_anything_unasked(self, io: Server) -> None:
        assert io.admin is None
        with pytest.raises(ConnectError, match="Invalid namespace"):
            async with connect(io, namespace="/admin", auth=GOOD):
                pass

    async def test_twice_is_once_too_often(self, shown: Server) -> None:
        with pytest.raises(ValueError, match="already"):
            shown.instrument(authenticate)


class TestSockets:
    async def test_those_who_are_there_without_what_lets_them_in(self, shown: Server) -> None:
        shown.on("connection", lambda socket: socket.data.update(mark=5, token="secret"))
        headers = {"Cookie": "secret=1", "Authorization": "secret", "User-Agent": "A" * 300, "X-Mine": "secret"}
        async with connect(
            shown, auth={"token": "secret"}, headers=headers, query="token=secret", address="192.0.2.7"
        ) as anna:
            shown.sockets_join("b", "a")
            async with connect(shown, namespace="/admin", auth=GOOD) as client:
                [sockets] = await client.heard("all_sockets")
        [told] = [each for each in sockets if each["nsp"] == "/"]
        assert told == {
            "id": anna.id,
            "clientId": told["clientId"],
            "transport": "websocket",
            "nsp": "/",
            "data": {"mark": 5},
            "handshake": {
                "address": "192.0.2.7",
                "headers": {"user-agent": "A" * 200},
                "query": {},
                "issued": 1772442000000,
                "secure": False,
                "time": "2026-03-02T09:00:00+00:00",
                "url": "/socket.io/",
                "xdomain": False,
            },
            "rooms": sorted([str(anna.id), "a", "b"]),
        }
        assert "secret" not in json.dumps(sockets)

    async def test_rooms_that_are_nobodys_business_are_not_told(self, clock: FakeClock) -> None:
        io = Server(Config(require_auth=False, unlisted_room=lambda room: room.endswith("~")), clock=clock)
        io.instrument(authenticate)
        async with screen(io) as client, connect(io) as anna:
            io.of("/").sockets_join("open", "hidden~")
            assert (await client.heard("room_joined"))[:3] == ["/", "open", anna.id]
            io.of("/").sockets_leave("hidden~", "open")
            assert (await client.heard("room_left"))[:3] == ["/", "open", anna.id]
            await client.heard("socket_connected")
        assert "hidden~" not in json.dumps(client.events)
        await io.shutdown()

    async def test_who_comes_moves_and_goes(self, shown: Server, clock: FakeClock) -> None:
        now = clock.now().isoformat()
        async with screen(shown) as client:
            async with connect(shown) as anna:
                told, at = await client.heard("socket_connected")
                assert (told["id"], told["nsp"], told["rooms"], at) == (anna.id, "/", [anna.id], now)
                shown.sockets_join("a")
                assert await client.heard("room_joined") == ["/", "a", anna.id, now]
                shown.sockets_leave("a")
                assert await client.heard("room_left") == ["/", "a", anna.id, now]
            assert await client.heard("room_left") == ["/", anna.id, anna.id, now]
            gone = await client.heard("socket_disconnected")
            assert gone == ["/", anna.id, "client namespace disconnect", now]

    async def test_in_namespaces_that_come_later_too(self, shown: Server) -> None:
        shown.of(lambda name, _auth: name.startswith("/team"))
        async with screen(shown) as client, connect(shown, namespace="/team-1") as anna:
            assert (await client.heard("socket_connected"))[0]["nsp"] == "/team-1"
            shown.of("/team-1").sockets_join("a")
            assert (await client.heard("room_joined"))[:3] == ["/team-1", "a", anna.id]

    async def test_a_storm_ends_in_a_new_picture(self, shown: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(feed, "MAX_BATCH", 3)
        async with screen(shown) as client, connect(shown) as anna:
            await client.heard("socket_connected")
            shown.sockets_join(*map(str, range(10)))
            [sockets] = await client.heard("all_sockets")
            assert [len(each["rooms"]) for each in sockets if each["id"] == anna.id] == [11]
            assert "room_joined" not in [name for name, _ in client.events]

    async def test_a_picture_has_an_end(self, shown: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(admin, "MAX_SHOWN", 2)
        async with connect(shown), connect(shown), connect(shown, namespace="/admin", auth=GOOD) as client:
            assert len((await client.heard("all_sockets"))[0]) == 2

    async def test_nothing_is_gathered_while_nobody_watches(self, shown: Server) -> None:
        assert shown.admin is not None
        async with connect(shown):
            shown.sockets_join("a")
            assert not shown.admin.is_watched
            assert shown.admin._feed._batch == []

    async def test_nothing_is_kept_for_those_who_come_back(self, clock: FakeClock) -> None:
        io = Server(Config(require_auth=False, connection_state_recovery=ConnectionStateRecovery()), clock=clock)
        io.instrument(authenticate)
        async with screen(io) as client, connect(io):
            told = await client.heard("socket_connected")
        assert told[2:] == [None], "what keeps a text at the end from being taken for an offset"
        assert "offset" not in client.state
        await io.shutdown()


class TestStats:
    async def test_every_two_seconds(self, shown: Server, pass_time: Callable[[float], None]) -> None:
        shown.on("ask", lambda socket: None)
        async with screen(shown) as client, connect(shown) as anna:
            first = (await client.heard("server_stats"))[0]
            assert first["aggregatedEvents"] == []
            pass_time(2.5)
            await anna.call("ask")
            shown.emit("x")
            pass_time(2.5)
            for _ in range(2):
                [stats] = await client.heard("server_stats")
        assert stats["serverId"].startswith(stats["hostname"])
        assert (stats["clientsCount"], stats["pollingClientsCount"], stats["uptime"]) == (2, 0, 5)
        counts = {each["name"]: each["socketsCount"] for each in stats["namespaces"]}
        assert counts == {"/": 1, "/admin": 1}
        events = {each["type"]: each["count"] for each in stats["aggregatedEvents"]}
        assert events["packetsIn"] == 1
        assert events["packetsOut"] >= 1
        assert {each["timestamp"] % 1000 for each in stats["aggregatedEvents"]} == {0}


class TestCommands:
    async def test_are_refused_by_default(self, shown: Server) -> None:
        async with screen(shown) as client, connect(shown) as anna:
            for command in (["emit", "/", None, "x"], ["join", "/", "a"], ["_disconnect", "/", True]):
                answer = await client.call(*command)
                assert answer["error"]["code"] == "unknown_event"
            assert anna.disconnect_reason is None

    async def test_do_what_they_say_if_allowed(self, io: Server) -> None:
        io.instrument(authenticate, read_only=False)
        async with connect(io) as anna, connect(io) as ben, screen(io) as client:
            [config] = await client.heard("config")
            assert set(config["supportedFeatures"]) >= {"EMIT", "JOIN", "MLEAVE", "MDISCONNECT"}
            client.emit("join", "/", "a", anna.id)
            client.emit("emit", "/", "a", "x", 1, {"b": 2})
            assert await anna.heard("x") == [1, {"b": 2}]
            client.emit("leave", "/", "a")
            client.emit("emit", "/", None, "all")
            await ben.heard("all")
            assert not io.has_members("a", here=True)
            assert ("x", [1, {"b": 2}]) not in ben.events
            client.emit("_disconnect", "/", False, ben.id)
            assert await ben.disconnected() == "io server disconnect"
            assert anna.disconnect_reason is None

    @pytest.mark.parametrize(
        "command",
        [
            ["emit", "/no", None, "x"],
            ["emit", "/", 5, "x"],
            ["join", "/", ""],
            ["join", [], "a"],
            ["leave", "/", {}],
        ],
    )
    async def test_that_make_no_sense_do_nothing(self, io: Server, command: list[Any]) -> None:
        io.instrument(authenticate, read_only=False)
        async with screen(io) as client, connect(io):
            answer = await client.call(*command)
            assert answer["ok"] is False
            assert {namespace.name for namespace in io.namespaces()} == {"/", "/admin"}

    async def test_a_mistake_is_said_to_whoever_made_it(self) -> None:
        from steinmetz.realtime.admin.commands import Commands

        with pytest.raises(EventError, match="no such namespace"):
            Commands(Server()).join(None, "/no", "a")  # type: ignore[arg-type]


async def test_over_several_servers(clock: FakeClock, until: Until) -> None:
    exchange, loop = MemoryExchange(), asyncio.get_running_loop()

    def arrive_soon() -> None:
        loop.call_soon(exchange.run)

    exchange.on_publish = arrive_soon
    one, two = servers = [
        Server(
            Config(require_auth=False),
            clock=clock,
            cluster=Cluster(Node(MemoryBus(exchange), "a secret of both of them", clock=clock)),
        )
        for _ in range(2)
    ]
    for server in servers:
        server.instrument(authenticate)
        await server.start()
    await until(lambda: all(server.stats()["nodes"]["others"] for server in servers))
    async with connect(two) as anna, connect(one, namespace="/admin", auth=GOOD) as client:
        [sockets] = await client.heard("all_sockets")
        assert anna.id in [each["id"] for each in sockets]
        await client.heard("socket_connected")
        async with connect(two) as ben:
            assert (await client.heard("socket_connected"))[0]["id"] == ben.id
        assert two.admin is not None
        assert two.admin.is_watched
        clock.advance(2.5)
        two.wheel.run_due()
        hosts = {(await client.heard("server_stats"))[0]["serverId"] for _ in range(2)}
        assert len(hosts) == 2
    clock.advance(admin.WATCHED_S)
    assert not two.admin.is_watched
    for server in servers:
        await server.shutdown()
