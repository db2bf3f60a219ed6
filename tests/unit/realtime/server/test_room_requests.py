"""`room:join` and `room:leave`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime import Config, Server, Socket
from steinmetz.realtime.adapters.base import Selection
from steinmetz.realtime.server.room_requests import MAX_REASKED, is_socket_id
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


async def test_the_room_of_a_socket_is_nobodys_on_whatever_node_it_lives(io: Server) -> None:
    """Who could join it would read along what is meant for that socket alone."""
    io.on_room_join(lambda socket, room: True)
    elsewhere = Server(Config()).new_id()
    async with connect(io) as anna:
        assert code(await anna.call("room:join", {"room": elsewhere})) == "forbidden"
        assert await anna.call("room:join", {"room": "a-room-of-20-letters"}) == OK
    assert len("a-room-of-20-letters") == len(elsewhere) == 20
    assert is_socket_id(elsewhere)
    assert len({Server(Config()).new_id() for _ in range(99)}) == 99


async def test_one_function_decides_for_joins_and_for_recovery(io: Server) -> None:
    io.on_room_join(lambda socket, room: room == "finance")
    async with connect(io):
        [socket] = await io.fetch_sockets()
        assert [await io.may_join(socket, room) for room in ("finance", "hr", "user:5", socket.id)] == [
            True,
            False,
            False,
            False,
        ]


@pytest.mark.parametrize("by", ["this node", "another node"])
async def test_who_is_taken_out_of_a_room_while_he_is_asked_about_does_not_get_in(io: Server, by: str) -> None:
    members, verdicts = {"anna"}, list[bool]()
    reading, goes_on = asyncio.Event(), asyncio.Event()

    @io.on_room_join
    async def authorise(socket: Socket, room: str) -> bool:
        verdicts.append("anna" in members)
        is_member = verdicts[-1]
        reading.set()
        await goes_on.wait()
        return is_member

    async with connect(io) as anna:
        attempt = asyncio.ensure_future(anna.call("room:join", {"room": "finance"}))
        await reading.wait()
        members.clear()
        if by == "this node":
            io.in_("user:anna").sockets_leave("finance")
        else:
            io.of("/").adapter.leave_all(Selection(frozenset({"user:anna"})), ["finance"])
        goes_on.set()
        assert code(await attempt) == "forbidden"
    assert verdicts == [True, False]


async def test_removals_without_end_end_in_no(io: Server) -> None:
    asked: list[str] = []

    @io.on_room_join
    def authorise(socket: Socket, room: str) -> bool:
        asked.append(room)
        io.in_("user:5").sockets_leave("finance")
        return True

    async with connect(io) as anna:
        assert code(await anna.call("room:join", {"room": "finance"})) == "forbidden"
    assert len(asked) == MAX_REASKED
    assert io.statistics.refused["room"] == 1


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
