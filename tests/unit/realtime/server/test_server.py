"""The server as an application sees it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime import Config, ConnectError, HandshakeError, Namespace, NotRunningError, Server, Socket
from steinmetz.realtime.adapters.memory import MemoryAdapter
from steinmetz.realtime.server.sessions import MAX_REFUSED
from steinmetz.realtime.server.statistics import MAX_COUNTED_EVENTS
from steinmetz.realtime.testing import connect

pytestmark = pytest.mark.anyio

Until = Callable[[Callable[[], bool]], Awaitable[None]]


class TestEmitting:
    async def test_to_everybody(self, io: Server) -> None:
        async with connect(io) as anna, connect(io) as ben:
            io.emit("system:notification", {"title": "Hallo"})
            assert await anna.heard("system:notification") == [{"title": "Hallo"}]
            assert await ben.heard("system:notification") == [{"title": "Hallo"}]

    async def test_to_rooms_and_not_to_others(self, io: Server) -> None:
        io.on("connection", lambda socket: socket.join(socket.handshake.auth["room"]))
        async with (
            connect(io, auth={"room": "a"}) as anna,
            connect(io, auth={"room": "b"}) as ben,
            connect(io, auth={"room": "c"}) as carl,
        ):
            io.to("a", "b").except_("b").emit("x", 1)
            io.in_("b").to("c").emit("x", 2)
            io.except_("a", "b").emit("x", 3)
            io.emit("end")
            for client in (anna, ben, carl):
                await client.heard("end")
            assert [args for name, args in anna.events if name == "x"] == [[1]]
            assert [args for name, args in ben.events if name == "x"] == [[2]]
            assert [args for name, args in carl.events if name == "x"] == [[2], [3]]

    async def test_binary(self, io: Server) -> None:
        async with connect(io) as anna:
            io.emit("file", {"name": "a.pdf", "bytes": b"%PDF"})
            assert await anna.heard("file") == [{"name": "a.pdf", "bytes": b"%PDF"}]

    async def test_t30_from_another_thread(self, io: Server) -> None:
        async with connect(io) as anna:
            thread = threading.Thread(target=io.emit, args=("from a thread", 1))
            thread.start()
            assert await anna.heard("from a thread") == [1]
            thread.join()

    async def test_each_of_many_threads_is_heard_in_its_own_order(self, io: Server) -> None:
        io.on("connection", lambda socket: socket.join("room"))

        def speak(name: str) -> None:
            for number in range(50):
                io.to("room").volatile.emit("x", name, number)

        async with connect(io) as anna:
            threads = [threading.Thread(target=speak, args=(name,)) for name in "abcd"]
            for thread in threads:
                thread.start()
            heard: dict[str, list[int]] = {name: [] for name in "abcd"}
            for _ in range(200):
                name, number = await anna.heard("x")
                heard[name].append(number)
            for thread in threads:
                thread.join()
        assert all(numbers == list(range(50)) for numbers in heard.values())

    async def test_a_thread_may_move_and_send_away_sockets_too(self, io: Server) -> None:
        async with connect(io) as anna:

            def work() -> None:
                io.sockets_join("a", "b")
                io.in_("a").sockets_leave("b")
                io.to("a").emit("x", 1)
                io.to("b").emit("never")
                io.of("/").disconnect_sockets()

            thread = threading.Thread(target=work)
            thread.start()
            assert await anna.heard("x") == [1]
            assert await anna.disconnected() == "io server disconnect"
            assert [name for name, _ in anna.events] == ["x"]
            thread.join()

    async def test_what_cannot_be_sent_is_told_to_whoever_emits(self, io: Server) -> None:
        with pytest.raises(TypeError, match="JSON"):
            io.emit("x", object())
        with pytest.raises(ValueError, match="reserved"):
            io.emit("disconnect")

    def test_before_anybody_is_there_it_goes_nowhere(self) -> None:
        Server().to("room").emit("x", 1)


class TestRooms:
    async def test_sockets_can_be_fetched_moved_and_sent_away(self, io: Server) -> None:
        async with connect(io) as anna, connect(io) as ben:
            io.in_(anna.id or "").sockets_join("finance")
            [socket] = await io.in_("finance").fetch_sockets()
            assert socket.id == anna.id
            assert socket.rooms == {anna.id, "finance"}
            io.sockets_leave("finance")
            assert not io.has_members("finance")
            assert {socket.id for socket in await io.fetch_sockets()} == {anna.id, ben.id}

    async def test_all_sockets_of_a_user_can_be_told_to_stay_away(self, io: Server) -> None:
        io.on("connection", lambda socket: socket.join(f"user:{socket.handshake.auth['user']}"))
        async with (
            connect(io, auth={"user": 5}) as phone,
            connect(io, auth={"user": 5}) as laptop,
            connect(io, auth={"user": 6}) as other,
        ):
            io.in_("user:5").disconnect_sockets()
            assert await phone.disconnected() == "io server disconnect"
            assert await laptop.disconnected() == "io server disconnect"
            io.emit("still here")
            await other.heard("still here")

    async def test_a_middleware_may_put_a_socket_into_rooms(self, io: Server) -> None:
        @io.use
        async def authenticate(socket: Socket) -> None:
            socket.join("dashboard-room", "left again")
            socket.leave("left again")

        async with connect(io) as anna:
            io.to("dashboard-room").emit("dashboard:update", 1)
            assert await anna.heard("dashboard:update") == [1]
            assert io.stats()["rooms"] == ["dashboard-room"]


class TestStats:
    async def test_as_contracted(self, io: Server, clock: FakeClock) -> None:
        io.on("connection", lambda socket: socket.join("dashboard-room", "user:5"))
        async with connect(io), connect(io):
            io.emit("a")
            io.emit("a")
            io.to("nobody").emit("b")
            clock.advance(61.5)
            assert (
                io.stats().items()
                >= {
                    "activeConnections": 2,
                    "rooms": ["dashboard-room"],
                    "events": {"a": 2, "b": 1},
                    "uptime": 61,
                }.items()
            )

    async def test_rooms_that_shall_not_be_listed_are_not(self, clock: FakeClock) -> None:
        io = Server(Config(require_auth=False, unlisted_room=lambda room: room.endswith("~")), clock=clock)
        async with connect(io):
            io.sockets_join("open", "hidden~", "user:5")
            assert io.stats()["rooms"] == ["open"]

    async def test_event_names_are_counted_within_bounds(self, io: Server) -> None:
        for number in range(MAX_COUNTED_EVENTS + 5):
            io.emit(f"event {number}")
        events = io.stats()["events"]
        assert len(events) == MAX_COUNTED_EVENTS + 1
        assert events["(other)"] == 5


class TestAdmission:
    async def test_a_namespace_without_a_middleware_refuses_everybody_unless_asked(self) -> None:
        io = Server()
        with pytest.raises(ConnectError, match="Authentication required"):
            async with connect(io):
                pass
        assert io.statistics.refused["Authentication required"] == 1
        await io.shutdown()

    async def test_one_connection_too_many_is_told_so(self) -> None:
        io = Server(Config(require_auth=False, max_connections=1))
        async with connect(io):
            with pytest.raises(ConnectError, match="Too many connections"):
                async with connect(io):
                    pass
        await io.shutdown()

    async def test_and_very_many_too_many_are_not_even_that(self) -> None:
        from steinmetz.realtime.server.handshake import Request
        from steinmetz.realtime.server.memory_transport import MemoryTransport

        io = Server(Config(require_auth=False, max_connections=1))
        await io.start()
        request = Request([], b"", "", secure=False, time=io.clock.now())
        for _ in range(MAX_REFUSED + 1):
            io.open(MemoryTransport(lambda _outgoing: None, lambda: None), request)
        with pytest.raises(HandshakeError, match="Too many") as refusal:
            io.open(MemoryTransport(lambda _outgoing: None, lambda: None), request)
        assert refusal.value.status == 503
        await io.shutdown()


class TestNamespaces:
    async def test_each_has_its_own_sockets_and_handlers(self, io: Server) -> None:
        io.of("/hr").on("who", lambda socket: "hr")
        io.on("who", lambda socket: "main")
        async with connect(io) as main, connect(io, namespace="/hr") as hr:
            assert (await main.call("who"), await hr.call("who")) == ("main", "hr")
            io.of("/hr").emit("x")
            await hr.heard("x")
            assert main.events == []

    @pytest.mark.parametrize("name", ["hr", "", "/a,b"])
    def test_a_name_that_the_protocol_cannot_carry_is_refused(self, name: str) -> None:
        with pytest.raises(ValueError, match="slash"):
            Server().of(name)

    async def test_its_adapter_is_made_when_it_is(self, clock: FakeClock) -> None:
        made: list[str] = []

        def make(namespace: Namespace) -> MemoryAdapter[Socket]:
            made.append(namespace.name)
            return MemoryAdapter(namespace)

        io = Server(Config(require_auth=False), clock=clock, make_adapter=make)
        assert io.of("/hr") is io.of("/hr")
        assert made == ["/", "/hr"]
        async with connect(io, namespace="/hr") as hr:
            io.of("/hr").emit("x")
            await hr.heard("x")
        await io.shutdown()

    def test_the_main_namespace_has_two_names(self) -> None:
        io = Server()
        assert io.sockets is io.of("/")


class TestLife:
    async def test_shutdown_ends_connections_so_that_clients_come_back(self, clock: FakeClock) -> None:
        io = Server(Config(require_auth=False), clock=clock)
        reasons: list[str] = []
        io.on("disconnect", lambda socket, reason: reasons.append(reason))
        async with connect(io) as anna:
            await io.shutdown()
            assert await anna.disconnected() == "transport close"
        assert reasons == ["server shutting down"]
        await io.shutdown()

    async def test_after_a_shutdown_only_start_opens_again(self, io: Server) -> None:
        await io.shutdown()
        with pytest.raises(NotRunningError, match="shut down"):
            io.begin()
        await io.start()
        async with connect(io):
            pass

    async def test_t28_very_many_shutdown_calls_close_in_slices(self, io: Server, until: Until) -> None:
        async with connect(io) as anna:
            for _ in range(2_000):
                io.begin_shutdown()
            assert anna.disconnect_reason is None
            await until(lambda: anna.disconnect_reason is not None)

    async def test_t28_draining_waits_for_all_and_nobody_gets_in_meanwhile(
        self, clock: FakeClock, until: Until
    ) -> None:
        io = Server(Config(require_auth=False, drain_per_s=1, drain_timeout_s=100), clock=clock)
        async with connect(io) as anna, connect(io) as ben:
            assert io.health() == "ok"
            leaving = asyncio.ensure_future(io.drain())
            await until(lambda: len(io.clients) == 1)
            assert io.health() == "draining: 1 connections are left"
            with pytest.raises(HandshakeError, match="shutting down"):
                async with connect(io):
                    pass
            assert not leaving.done()
            clock.advance(2)
            await leaving
            assert {await anna.disconnected(), await ben.disconnected()} == {"transport close"}
        await io.shutdown()

    async def test_while_it_gives_notice_it_still_admits(self, io: Server, until: Until) -> None:
        async with connect(io):
            leaving = asyncio.ensure_future(io.drain(notice_s=600))
            await until(lambda: io.health() != "ok")
            async with connect(io):
                pass
            assert not leaving.done()
            leaving.cancel()

    async def test_nobody_there_is_no_reason_to_wait(self) -> None:
        io = Server()
        await io.drain(notice_s=600)
        assert io.health().startswith("draining")
        await io.start()
        await io.drain(notice_s=600)
        await io.shutdown()
        await io.start()
        assert io.health() == "ok"
        await io.shutdown()

    def test_it_runs_on_one_loop(self) -> None:
        io = Server()
        first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
        first.run_until_complete(io.start())
        with pytest.raises(NotRunningError, match="another event loop"):
            second.run_until_complete(io.start())
        first.run_until_complete(io.shutdown())
        second.close()
        first.close()
