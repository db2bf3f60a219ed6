"""After a time in which a revocation may have been missed, everybody is asked about."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence

import pytest

from steinmetz.realtime import Server, Socket
from steinmetz.realtime.server.standing import SLICE
from steinmetz.realtime.testing import connect
from tests.unit.realtime.server.test_admission import arrive

pytestmark = pytest.mark.anyio

Until = Callable[[Callable[[], bool]], Awaitable[None]]


async def test_who_may_not_stay_is_told_so_and_nobody_else(io: Server) -> None:
    io.of("/hr").use(lambda socket: None)

    @io.on_review
    async def examine(sockets: Sequence[Socket]) -> Collection[Socket]:
        return [socket for socket in sockets if socket.handshake.auth.get("user") == 5]

    async with (
        connect(io, auth={"user": 5}) as anna,
        connect(io, auth={"user": 5}, namespace="/hr") as hr,
        connect(io, auth={"user": 6}) as ben,
    ):
        assert await io.review() == 2
        assert await anna.disconnected() == "io server disconnect"
        assert await hr.disconnected() == "io server disconnect"
        io.emit("still here")
        await ben.heard("still here")
    assert io.statistics.refused["revoked at review"] == 2


@pytest.mark.parametrize("trouble", [None, OSError("the database is away"), asyncio.CancelledError()])
async def test_where_nobody_can_be_asked_all_come_back_to_be_asked_anew(
    io: Server, trouble: BaseException | None
) -> None:
    if trouble is not None:

        @io.on_review
        async def examine(sockets: Sequence[Socket]) -> Collection[Socket]:
            raise trouble

    reasons: list[str] = []
    io.on("disconnect", lambda socket, reason: reasons.append(reason))
    async with connect(io) as anna, connect(io) as ben:
        assert await io.review() == 0
        assert await anna.disconnected() == "transport close"
        assert await ben.disconnected() == "transport close"
    assert reasons == ["transport close"] * 2


async def test_very_many_are_asked_about_in_slices(io: Server, until: Until) -> None:
    sizes: list[int] = []

    @io.on_review
    async def examine(sockets: Sequence[Socket]) -> Collection[Socket]:
        sizes.append(len(sockets))
        return []

    for _ in range(SLICE + 3):
        arrive(io, "40", address="127.0.0.1")
    await until(lambda: len(io.of("/").sockets) == SLICE + 3)
    assert await io.review() == 0
    assert sizes == [SLICE, 3]
