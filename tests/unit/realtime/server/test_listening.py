"""What may be listened to, by how many, and for how long."""

from __future__ import annotations

from typing import Any

import pytest
import structlog

from steinmetz.realtime import ConnectError, Server, Socket
from steinmetz.realtime.testing import connect

pytestmark = pytest.mark.anyio


async def only(io: Server) -> Socket:
    [socket] = io.sockets.sockets.values()
    return socket


class TestHandlers:
    async def test_connect_is_another_word_for_connection(self, io: Server) -> None:
        heard: list[str] = []
        io.on("connect", lambda socket: heard.append("connect"))
        io.on("connection", lambda socket: heard.append("connection"))
        async with connect(io):
            pass
        assert heard == ["connect", "connection"]

    def test_an_event_has_one_handler_until_it_is_taken_off(self) -> None:
        io = Server()
        first = io.on("x", lambda socket: 1)
        with pytest.raises(ValueError, match=r"x.*already.*off\(\)"):
            io.on("x", lambda socket: 2)
        io.off("x", first)
        io.on("x", lambda socket: 2)
        io.off("x", first)
        assert io.event_names()[-1] == "x"
        io.off("x")
        assert "x" not in io.event_names()

    @pytest.mark.parametrize("name", ["connect_error", "newListener", "removeListener"])
    def test_reserved_names_have_none(self, name: str) -> None:
        with pytest.raises(ValueError, match="reserved"):
            Server().on(name, lambda socket: None)

    def test_new_namespaces_are_told_by_the_server_alone(self) -> None:
        with pytest.raises(ValueError, match="reserved"):
            Server().of("/x").on("new_namespace", lambda namespace: None)
        with pytest.raises(ValueError, match="reserved"):
            Server().once("new_namespace", lambda namespace: None)

    async def test_a_socket_has_no_connection_to_hear_of(self, io: Server) -> None:
        async with connect(io):
            for name in ("connection", "connect"):
                with pytest.raises(ValueError, match="reserved"):
                    (await only(io)).on(name, lambda: None)

    async def test_once_is_once(self, io: Server) -> None:
        io.once("x", lambda socket: "once")
        async with connect(io) as anna:
            assert await anna.call("x") == "once"
            assert (await anna.call("x"))["error"]["code"] == "unknown_event"
            (await only(io)).once("y", lambda: "once")
            assert await anna.call("y") == "once"
            assert (await anna.call("y"))["error"]["code"] == "unknown_event"

    async def test_once_is_for_two_events_in_one_breath_the_first(self, io: Server) -> None:
        @io.once("x")
        async def handler(socket: Socket, number: int) -> int:
            return number

        async with connect(io) as anna:
            anna.emit("x", 1)
            assert (await anna.call("x", 2))["error"]["code"] == "unknown_event"

    async def test_once_is_for_what_happens_to_sockets_too(self, io: Server) -> None:
        heard: list[str] = []
        io.once("connection", lambda socket: heard.append("first"))
        io.on("connection", lambda socket: heard.append("each"))
        for _ in range(2):
            async with connect(io):
                pass
        assert heard == ["first", "each", "each"]

    async def test_off_without_a_name_takes_all(self, io: Server) -> None:
        heard: list[Any] = []
        handler = io.on("connection", heard.append)
        io.on("connection", lambda socket: heard.append("second"))
        io.off("connection", handler)
        async with connect(io):
            pass
        assert heard == ["second"]
        io.off()
        assert io.event_names() == []
        async with connect(io):
            pass
        assert heard == ["second"]

    async def test_a_star_handles_what_has_no_handler(self, io: Server) -> None:
        io.on("*", lambda socket, event, *args: [event, *args])
        io.on("x", lambda socket: "x")
        async with connect(io) as anna:
            assert await anna.call("x") == "x"
            assert await anna.call("y", 1, 2) == ["y", 1, 2]
            (await only(io)).on("*", lambda event, *args: f"own {event}")
            assert await anna.call("y") == "own y"
            assert await anna.call("x") == "x"


class TestDisconnecting:
    async def test_the_rooms_are_still_there(self, io: Server) -> None:
        heard: list[Any] = []
        io.on("connection", lambda socket: socket.join("room"))
        io.on("disconnecting", lambda socket, reason: heard.append((socket.rooms - {socket.id}, str(reason))))
        io.on("disconnect", lambda socket, reason: heard.append((socket.rooms, str(reason))))
        async with connect(io) as anna:
            (await only(io)).on("disconnecting", lambda reason: heard.append("own"))
            anna.drop()
        assert heard == [
            (frozenset({"room"}), "transport close"),
            "own",
            (frozenset(), "transport close"),
        ]

    async def test_even_while_a_handler_of_the_client_is_busy(self, io: Server) -> None:
        import asyncio

        gate, rooms = asyncio.Event(), []
        io.on("connection", lambda socket: socket.join("room"))
        io.on("disconnecting", lambda socket, reason: rooms.append("room" in socket.rooms))

        @io.on("slow")
        async def slow(socket: Socket) -> None:
            await gate.wait()

        async with connect(io) as anna:
            anna.emit("slow")
            anna.drop()
            assert rooms == [True]
            gate.set()

    async def test_it_may_say_goodbye_to_the_room(self, io: Server) -> None:
        io.on("connection", lambda socket: socket.join("room"))
        io.on("disconnecting", lambda socket, reason: socket.to(*socket.rooms).emit("left", socket.id))
        async with connect(io) as anna, connect(io) as ben:
            ben_id = ben.id
            await ben.disconnect()
            assert await anna.heard("left") == [ben_id]

    async def test_a_coroutine_function_would_come_too_late(self, io: Server) -> None:
        async def late(socket: Socket, reason: str) -> None:
            return None

        with pytest.raises(TypeError, match='await in "disconnect"'):
            io.on("disconnecting", late)

    async def test_what_it_raises_does_not_keep_the_socket(self, io: Server) -> None:
        def fail(socket: Socket, reason: str) -> None:
            raise KeyError("a secret")

        io.on("disconnecting", fail)
        with structlog.testing.capture_logs() as logs:
            async with connect(io):
                pass
        assert not io.sockets.sockets
        assert [line["error"] for line in logs] == ["KeyError"]
        assert "a secret" not in repr(logs)


class TestAny:
    async def test_listeners_watch_every_event_in_their_order(self, io: Server) -> None:
        seen: list[Any] = []
        io.on("x", lambda socket, *args: seen.append(("handler", *args)))
        io.on_any(lambda socket, event, *args: seen.append(("second", event, *args)))
        io.prepend_any(lambda socket, event, *args: seen.append(("first", event, *args)))
        async with connect(io) as anna:
            (await only(io)).on_any(lambda event, *args: seen.append(("own", event, *args)))
            await anna.call("x", 1)
            await anna.call("unheard")
        assert seen == [
            ("first", "x", 1),
            ("second", "x", 1),
            ("own", "x", 1),
            ("handler", 1),
            ("first", "unheard"),
            ("second", "unheard"),
            ("own", "unheard"),
        ]

    async def test_they_can_be_taken_off_one_by_one_and_all(self, io: Server) -> None:
        seen: list[str] = []
        first = io.on_any(lambda socket, event: seen.append("first"))
        second = io.on_any(lambda socket, event: seen.append("second"))
        assert io.listeners_any() == [first, second]
        io.off_any(first)
        async with connect(io) as anna:
            await anna.call("x")
            io.off_any()
            await anna.call("x")
        assert (seen, io.listeners_any()) == (["second"], [])

    async def test_what_one_raises_changes_nothing(self, io: Server) -> None:
        def fail(socket: Socket, event: str) -> None:
            raise ValueError("a secret")

        io.on_any(fail)
        io.on("x", lambda socket: "fine")
        with structlog.testing.capture_logs() as logs:
            async with connect(io) as anna:
                assert await anna.call("x") == "fine"
        assert [line["error"] for line in logs] == ["ValueError"]
        assert "a secret" not in repr(logs)

    def test_a_coroutine_function_is_no_listener(self) -> None:
        async def listener(socket: Socket, event: str) -> None:
            return None

        with pytest.raises(TypeError, match="plain function"):
            Server().on_any(listener)


class TestAnyOutgoing:
    async def test_all_that_is_sent_to_the_socket_and_nothing_else(self, io: Server) -> None:
        seen: list[Any] = []
        async with connect(io) as anna, connect(io) as ben:
            socket = io.sockets.sockets[anna.id or ""]
            socket.on_any_outgoing(lambda event, *args: seen.append((event, *args)))
            socket.emit("alone", 1)
            io.emit("all", b"\x00", {"inside": b"\x01"})
            io.to(ben.id or "").emit("other")
            await socket.emit_with_ack("question")
            io.on("x", lambda socket: "an answer is no event")
            await anna.call("x")
        assert seen == [("alone", 1), ("all", b"\x00", {"inside": b"\x01"}), ("question",)]

    async def test_they_can_be_taken_off(self, io: Server) -> None:
        seen: list[str] = []
        async with connect(io):
            socket = await only(io)
            second = socket.on_any_outgoing(lambda event: seen.append("second"))
            first = socket.prepend_any_outgoing(lambda event: seen.append("first"))
            assert socket.listeners_any_outgoing() == [first, second]
            socket.emit("x")
            socket.off_any_outgoing(second)
            socket.emit("x")
            socket.off_any_outgoing()
            socket.emit("x")
            assert not io.sockets.watched
        assert seen == ["first", "second", "first"]

    async def test_a_middleware_may_add_one_and_who_is_refused_is_not_kept(self, io: Server) -> None:
        seen: list[str] = []

        @io.use
        def watch(socket: Socket) -> None:
            socket.on_any_outgoing(lambda event: seen.append(event))
            if socket.handshake.auth.get("stranger"):
                raise ConnectError("No")

        with pytest.raises(ConnectError):
            async with connect(io, auth={"stranger": True}):
                pass
        assert not io.sockets.watched
        async with connect(io):
            io.emit("x")
            gone = await only(io)
        gone.on_any_outgoing(lambda event: None)
        assert (seen, len(io.sockets.watched)) == (["x"], 0)

    async def test_a_socket_that_is_gone_is_watched_no_more(self, io: Server) -> None:
        async with connect(io):
            (await only(io)).on_any_outgoing(lambda event: None)
        assert not io.sockets.watched
