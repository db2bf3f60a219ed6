"""`room:join` and `room:leave`."""

from __future__ import annotations

from typing import Any

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime import Config, Server, Socket
from steinmetz.realtime.testing import connect

pytestmark = pytest.mark.anyio

OK = {"ok": True}


def code(answer: Any) -> str:
    assert answer["ok"] is False
    assert answer["error"]["message"]
    return str(answer["error"]["code"])


async def test_by_default_a_client_joins_nothing(io: Server) -> None:
    async with connect(io) as anna:
        assert code(await anna.call("room:join", {"room": "finance"})) == "forbidden"
        assert code(await anna.call("room:leave", {"room": "finance"})) == "forbidden"
        assert io.stats()["rooms"] == []


@pytest.mark.parametrize("is_async", [False, True])
async def test_the_application_decides(io: Server, is_async: bool) -> None:
    if is_async:

        @io.on_room_join
        async def authorise(socket: Socket, room: str) -> bool:
            return room == "finance"
    else:
        io.on_room_join(lambda socket, room: room == "finance")

    async with connect(io) as anna:
        assert await anna.call("room:join", {"room": "finance"}) == OK
        assert await anna.call("room:join", "finance") == OK
        assert code(await anna.call("room:join", {"room": "hr"})) == "forbidden"
        assert io.stats()["rooms"] == ["finance"]
        assert await anna.call("room:leave", {"room": "finance"}) == OK
        assert io.stats()["rooms"] == []


async def test_only_yes_is_yes(io: Server) -> None:
    io.on_room_join(lambda socket, room: "perhaps")  # type: ignore[arg-type, return-value]
    async with connect(io) as anna:
        assert code(await anna.call("room:join", {"room": "finance"})) == "forbidden"


async def test_private_rooms_are_neither_joined_nor_left_on_request(io: Server) -> None:
    """Who could leave `user:5` would not be there when user 5 is disconnected."""
    io.on_room_join(lambda socket, room: True)
    io.on("connection", lambda socket: socket.join("user:5"))
    async with connect(io) as anna, connect(io) as ben:
        assert code(await anna.call("room:leave", {"room": "user:5"})) == "forbidden"
        assert code(await anna.call("room:join", {"room": "user:6"})) == "forbidden"
        assert code(await anna.call("room:join", {"room": ben.id})) == "forbidden"


async def test_a_room_that_was_open_may_be_left_when_it_is_open_no_more(io: Server) -> None:
    io.on_room_join(lambda socket, room: True)
    async with connect(io) as anna:
        await anna.call("room:join", {"room": "finance"})
        io.on_room_join(lambda socket, room: False)
        assert await anna.call("room:leave", {"room": "finance"}) == OK


@pytest.mark.parametrize("request_", [None, {}, {"room": 7}, {"room": ""}, {"room": "x" * 201}, ["finance"], 7])
async def test_a_request_without_a_room_says_what_is_missing(io: Server, request_: Any) -> None:
    io.on_room_join(lambda socket, room: True)
    async with connect(io) as anna:
        assert code(await anna.call("room:join", request_)) == "invalid"


async def test_a_client_joins_a_bounded_number_of_rooms(clock: FakeClock) -> None:
    io = Server(Config(require_auth=False, max_rooms_per_socket=2), clock=clock)
    io.on_room_join(lambda socket, room: True)
    async with connect(io) as anna:
        for room in ("a", "b", "b"):
            assert await anna.call("room:join", {"room": room}) == OK
        assert code(await anna.call("room:join", {"room": "c"})) == "too_many_rooms"
        await anna.call("room:leave", {"room": "a"})
        assert await anna.call("room:join", {"room": "c"}) == OK
    await io.shutdown()
