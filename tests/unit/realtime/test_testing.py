"""The client for users' tests is a real one."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime import AckTimeoutError, Config, ConnectError, DisconnectedError, Server, Socket
from steinmetz.realtime.testing import connect, silent
from tests.unit.realtime.server.asgi_driver import turns

pytestmark = pytest.mark.anyio


async def test_it_hears_each_event_once_and_keeps_them_all(io: Server) -> None:
    async with connect(io) as client:
        io.emit("x", 1)
        io.emit("y")
        io.emit("x", 2)
        assert [await client.heard("x"), await client.heard("x")] == [[1], [2]]
        assert client.events == [("x", [1]), ("y", []), ("x", [2])]
        with pytest.raises(TimeoutError, match='"x" did not come'):
            await client.heard("x", timeout_s=0.01)


async def test_it_answers_pings(io: Server) -> None:
    assert isinstance(io.clock, FakeClock)
    async with connect(io) as client:
        for _ in range(10):
            io.clock.advance(20)
            io.wheel.run_due()
            await asyncio.sleep(0)
        assert client.disconnect_reason is None


async def test_after_the_end_it_says_so(io: Server) -> None:
    async with connect(io) as client:
        await client.disconnect()
        with pytest.raises(DisconnectedError):
            client.emit("x")


async def test_a_namespace_that_does_not_exist(io: Server) -> None:
    with pytest.raises(ConnectError, match="Invalid namespace"):
        async with connect(io, namespace="/nowhere"):
            pass


class TestNamespaces:
    async def test_several_share_one_connection(self, io: Server) -> None:
        io.of("/hr").on("who", lambda socket: "hr")
        io.on("who", lambda socket: "main")
        async with connect(io, auth={"a": 1}) as client:
            hr = await client.of("/hr", auth={"b": 2})
            assert len(io.clients) == 1
            assert (await client.call("who"), await hr.call("who")) == ("main", "hr")
            assert io.of("/hr").sockets[hr.id or ""].handshake.auth == {"b": 2}
            io.of("/hr").emit("x", 1)
            assert await hr.heard("x") == [1]
            assert client.events == []
            with pytest.raises(ValueError, match="already"):
                await client.of("/hr")

    async def test_leaving_one_leaves_the_others(self, io: Server) -> None:
        io.on("who", lambda socket: "main")
        io.of("/hr")
        async with connect(io) as client:
            hr = await client.of("/hr")
            await hr.disconnect()
            assert hr.disconnect_reason == "io client disconnect"
            assert await client.call("who") == "main"
            again = io.of("/hr").sockets
            assert not again

    async def test_a_refusal_of_one_leaves_the_others(self, io: Server) -> None:
        io.on("who", lambda socket: "main")

        @io.of("/admin").use
        def refuse(socket: Socket) -> None:
            raise ConnectError("Admins only", {"role": "admin"})

        async with connect(io) as client:
            with pytest.raises(ConnectError, match="Admins only") as refusal:
                await client.of("/admin")
            assert refusal.value.data == {"role": "admin"}
            assert await client.call("who") == "main"

    async def test_the_end_of_the_connection_is_the_end_of_all(self, io: Server) -> None:
        io.of("/hr")
        async with connect(io) as client:
            hr = await client.of("/hr")
            client.drop()
            assert (client.disconnect_reason, hr.disconnect_reason) == ("transport close", "transport close")
            assert not io.clients


class TestAnswering:
    async def test_with_the_arguments_unless_told_otherwise(self, io: Server) -> None:
        async with connect(io) as client:
            [socket] = io.sockets.sockets.values()
            assert await socket.emit_with_ack("question", 1, 2) == 1

            @client.on("question")
            def answer(*numbers: int) -> int:
                return sum(numbers)

            assert await socket.emit_with_ack("question", 1, 2) == 3
            client.on("question", lambda *numbers: ("first", "second"))
            assert await socket.emit_with_ack("question") == "first"
            client.on("question", lambda *numbers: None)
            assert await socket.emit_with_ack("question") is None

    async def test_not_at_all(self, io: Server, clock: FakeClock) -> None:
        async with connect(io) as client:
            [socket] = io.sockets.sockets.values()
            client.on("question", silent)
            asking = asyncio.create_task(socket.emit_with_ack("question", timeout_s=1))
            await client.heard("question")
            clock.advance(1.5)
            io.wheel.run_due()
            with pytest.raises(AckTimeoutError):
                await asking

    async def test_a_server_that_does_not_answer_is_told_apart_from_one_that_is_gone(self, io: Server) -> None:
        gate = asyncio.Event()

        @io.on("slow")
        async def slow(socket: Socket) -> None:
            await gate.wait()

        async with connect(io) as client:
            with pytest.raises(AckTimeoutError, match=r"within 0\.01 s"):
                await client.call("slow", timeout_s=0.01)
            asking = asyncio.create_task(client.call("slow"))
            await asyncio.sleep(0)
            client.drop()
            with pytest.raises(DisconnectedError):
                await asking
            assert client._answers == {}
            gate.set()


class TestComingBack:
    async def test_with_the_same_auth_and_a_new_id(self, io: Server) -> None:
        came: list[object] = []
        io.on("connection", lambda socket: came.append(socket.handshake.auth))
        io.of("/hr").on("connection", lambda socket: came.append(("hr", socket.handshake.auth)))
        async with connect(io, auth={"token": 1}) as client:
            hr = await client.of("/hr", auth={"token": 2})
            before = client.id
            client.drop()
            await client.reconnect()
            assert client.id != before
            assert (client.disconnect_reason, client.recovered) == (None, False)
            assert came == [{"token": 1}, ("hr", {"token": 2})] * 2
            io.emit("x")
            io.of("/hr").emit("y")
            await client.heard("x")
            await hr.heard("y")

    async def test_or_with_another_one(self, io: Server) -> None:
        @io.use
        def guard(socket: Socket) -> None:
            if socket.handshake.auth["token"] == "expired":
                raise ConnectError("Token expired")

        async with connect(io, auth={"token": "fresh"}) as client:
            with pytest.raises(ConnectError, match="Token expired"):
                await client.reconnect(auth={"token": "expired"})
            await client.reconnect(auth={"token": "renewed"})
            [socket] = io.sockets.sockets.values()
            assert socket.handshake.auth == {"token": "renewed"}

    async def test_it_shows_what_a_server_with_recovery_wants_to_see(self, io: Server) -> None:
        from steinmetz.realtime.socketio.packet import Packet, PacketType

        async with connect(io, auth={"token": 1}) as client:
            client._take(Packet(PacketType.CONNECT, "/", {"sid": client.id, "pid": "private"}))
            client._take(Packet(PacketType.EVENT, "/", ["x", 1, "~7"]))
            client._take(Packet(PacketType.EVENT, "/", ["y", 1]))
            assert client.events == [("x", [1]), ("y", [1])]
            assert client.state == {"pid": "private", "offset": "~7"}
            await client.reconnect()
            [socket] = io.sockets.sockets.values()
            assert socket.handshake.auth == {"pid": "private", "offset": "~7", "token": 1}
            assert not client.recovered
            client._take(Packet(PacketType.CONNECT, "/", {"sid": client.id, "pid": "second"}))
            client._take(Packet(PacketType.CONNECT, "/", {"sid": client.id, "pid": "second"}))
            assert client.recovered


class TestStalling:
    async def test_what_is_sent_waits_and_volatile_messages_do_not(self, io: Server) -> None:
        async with connect(io) as client:
            client.stall()
            io.emit("x", 1)
            io.volatile.emit("x", 2)
            io.emit("x", 3)
            await turns()
            assert client.events == []
            client.resume()
            assert [await client.heard("x"), await client.heard("x")] == [[1], [3]]

    async def test_who_stalls_for_too_long_is_given_up_so_that_he_comes_back(self, clock: FakeClock) -> None:
        io = Server(Config(require_auth=False, client_queue_bytes=1_000), clock=clock)
        async with connect(io) as client:
            client.stall()
            for _ in range(5):
                io.emit("x", "y" * 400)
            assert await client.disconnected() == "transport close"
            assert io.statistics.slow_clients == 1
            await client.reconnect()
        await io.shutdown()


def test_realtime_needs_no_web_framework() -> None:
    probe = (
        "import sys; import steinmetz.realtime, steinmetz.realtime.testing;"
        "print(sorted({'fastapi','starlette','redis','uvicorn','pydantic','websockets'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
