"""A socket of another server: what is known of it, and how it is spoken to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import orjson
import pytest

from steinmetz.realtime import DisconnectedError, RemoteSocket, Selection, Server, Socket, SocketDetails
from steinmetz.realtime.adapters.memory import MemoryAdapter
from steinmetz.realtime.server.remote import details
from steinmetz.realtime.testing import connect

pytestmark = pytest.mark.anyio


class OtherServer(MemoryAdapter[Socket]):
    """An adapter that knows one socket elsewhere, and notes what is done to it."""

    def __init__(self, details: SocketDetails) -> None:
        self.details = details
        self.done: list[tuple[Any, ...]] = []

    async def fetch(self, selection: Selection) -> Sequence[Any]:
        return [self.details]

    def broadcast(self, selection: Selection, outgoing: Any, flags: Any) -> None:
        self.done.append(("emit", selection.rooms, outgoing.packets[0].data))

    def broadcast_with_ack(self, selection: Selection, outgoing: Any, flags: Any, gathering: Any) -> None:
        gathering.await_nodes(["b"])
        gathering.expect(selection.rooms, node="b")
        [sid] = selection.rooms
        gathering.answer(sid, ["answer", "from afar"])

    def join_all(self, selection: Selection, rooms: Collection[str]) -> None:
        self.done.append(("join", selection.rooms, *rooms))

    def leave_all(self, selection: Selection, rooms: Collection[str]) -> None:
        self.done.append(("leave", selection.rooms, *rooms))

    def disconnect_all(self, selection: Selection, *, close: bool) -> None:
        self.done.append(("disconnect", selection.rooms, close))


async def details_of(io: Server) -> SocketDetails:
    async with connect(
        io,
        auth={"token": "secret"},
        headers={"User-Agent": "Test", "Cookie": "session=secret", "Authorization": "Bearer secret"},
        query="token=secret",
        address="10.0.0.9",
    ) as client:
        socket = io.sockets.sockets[client.id or ""]
        socket.join("room")
        socket.data.update(name="Anna", lock=object())
        told = details(socket)
        travelled = orjson.loads(orjson.dumps([told.handshake, told.data]))
        return SocketDetails(told.id, travelled[0], told.rooms, travelled[1])


async def test_it_is_known_without_its_credentials(io: Server) -> None:
    details = await details_of(io)
    assert "secret" not in repr(details)
    io.sockets.adapter = OtherServer(details)
    [far] = await io.fetch_sockets()
    assert (far.id, far.rooms, far.data) == (details.id, {details.id, "room"}, {"name": "Anna"})
    assert far.handshake.headers == {"user-agent": "Test"}
    assert (far.handshake.address, far.handshake.auth, far.handshake.time) == ("10.0.0.9", {}, io.clock.now())


async def test_it_is_spoken_to_like_one_that_is_here(io: Server) -> None:
    adapter = OtherServer(await details_of(io))
    io.sockets.adapter = adapter
    far: Any
    [far] = await io.fetch_sockets()
    far.emit("x", 1)
    far.join("a", "b")
    far.leave("a")
    far.disconnect(close=True)
    alone = {far.id}
    assert adapter.done == [
        ("emit", alone, '2["x",1]'),
        ("join", alone, "a", "b"),
        ("leave", alone, "a"),
        ("disconnect", alone, True),
    ]
    assert await far.emit_with_ack("question") == "answer"
    assert await far.timeout(3).emit_with_ack("question") == "answer"


async def test_one_that_has_gone_meanwhile_answers_nothing(io: Server) -> None:
    details = await details_of(io)
    here = io.sockets.adapter
    io.sockets.adapter = OtherServer(details)
    [far] = await io.fetch_sockets()
    io.sockets.adapter = here
    with pytest.raises(DisconnectedError):
        await far.timeout(1).emit_with_ack("question")


async def test_a_socket_of_this_process_is_one_too(io: Server) -> None:
    async with connect(io) as client:
        near: RemoteSocket
        [near] = await io.fetch_sockets()
        near.join("room")
        assert near.rooms == {client.id, "room"}
        near.emit("x", 1)
        assert await client.heard("x") == [1]
        near.disconnect()
        assert await client.disconnected() == "io server disconnect"
