"""What a namespace is told once."""

from __future__ import annotations

import pytest
import structlog

from steinmetz.realtime import ConnectError, Server
from steinmetz.realtime.testing import connect

pytestmark = pytest.mark.anyio


async def test_middlewares_run_in_order_and_the_first_refusal_is_the_last_word(io: Server) -> None:
    asked: list[str] = []

    @io.use
    async def first(socket: object) -> None:
        asked.append("first")

    @io.use
    def second(socket: object) -> None:
        asked.append("second")
        raise ConnectError("no")

    @io.use
    async def third(socket: object) -> None:
        asked.append("third")

    with pytest.raises(ConnectError, match="no"):
        async with connect(io):
            pass
    assert asked == ["first", "second"]


def test_an_event_has_one_handler_because_it_has_one_answer() -> None:
    io = Server()
    io.on("x", lambda socket: 1)
    with pytest.raises(ValueError, match="already"):
        io.on("x", lambda socket: 2)
    with pytest.raises(ValueError, match="reserved"):
        io.on("connect_error", lambda socket: 2)


async def test_connection_and_disconnect_may_have_several(io: Server) -> None:
    heard: list[str] = []
    for name in ("a", "b"):
        io.on("connection", lambda socket, name=name: heard.append(f"+{name}"))
        io.on("disconnect", lambda socket, reason, name=name: heard.append(f"-{name}"))
    async with connect(io):
        pass
    assert heard == ["+a", "+b", "-a", "-b"]


async def test_refusing_everybody_is_logged_once_with_the_remedy() -> None:
    io = Server()
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            with pytest.raises(ConnectError):
                async with connect(io):
                    pass
    [line] = logs
    assert "use()" in line["remedy"]
    await io.shutdown()


async def test_it_lists_its_sockets(io: Server) -> None:
    async with connect(io) as anna:
        assert list(io.of("/").sockets) == [anna.id]
    assert not io.of("/").sockets


async def test_an_event_nobody_handles_is_counted_and_told(io: Server) -> None:
    async with connect(io) as anna:
        anna.emit("unheard")
        assert (await anna.call("unheard"))["error"]["code"] == "unknown_event"
    assert io.statistics.refused["unknown event"] == 2


async def test_a_numbered_event_is_handled_by_its_text(io: Server) -> None:
    io.on("7", lambda socket: "seven")
    async with connect(io) as anna:
        assert await anna.call(7) == "seven"  # type: ignore[arg-type]


async def test_an_audience_that_is_no_room_is_spoken_to_in_order_and_lagging_gets_the_newest(io: Server) -> None:
    io.use(lambda socket: None)
    async with connect(io) as one, connect(io) as two, connect(io) as other:
        sockets = [io.of("/").sockets[str(client.id)] for client in (one, two)]
        two.stall()
        for number in range(3):
            io.emit("all", number)
            io.say_to(sockets, "some", {"number": number}, newest="some")
        io.say_to(sockets, "last", {})
        assert await one.heard("last") == [{}]
        assert [name for name, _ in one.events] == ["all", "some"] * 3 + ["last"]
        two.resume()
        await two.heard("last")
        assert [arguments for name, arguments in two.events if name == "some"] == [[{"number": 2}]]
        assert [name for name, _ in other.events] == ["all"] * 3
