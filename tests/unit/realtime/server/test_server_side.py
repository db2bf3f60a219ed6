"""Events between servers."""

from __future__ import annotations

import pytest

from steinmetz.realtime import Server

pytestmark = pytest.mark.anyio


async def test_a_process_alone_is_heard_by_nobody(io: Server) -> None:
    heard: list[object] = []
    io.on_server_side_emit("reload", heard.append)
    io.server_side_emit("reload", 1)
    assert await io.server_side_emit_with_ack("reload", 1) == []
    assert heard == []


async def test_what_another_server_says_is_answered(io: Server) -> None:
    @io.on_server_side_emit("add")
    async def add(a: int, b: int) -> int:
        return a + b

    io.of("/admin").on_server_side_emit("add", lambda a, b: f"{a}{b}")
    assert await io.sockets.hear("add", [1, 2]) == 3
    assert await io.of("/admin").hear("add", [1, 2]) == "12"
    assert await io.sockets.hear("unknown", []) is None


@pytest.mark.parametrize("name", ["connect", "connection", "new_namespace"])
async def test_reserved_names(io: Server, name: str) -> None:
    with pytest.raises(ValueError, match="reserved"):
        io.server_side_emit(name)
    with pytest.raises(ValueError, match="reserved"):
        await io.server_side_emit_with_ack(name)
    with pytest.raises(ValueError, match="reserved"):
        io.on_server_side_emit(name, lambda: None)


def test_one_event_one_handler() -> None:
    io = Server()
    io.on_server_side_emit("x", lambda: 1)
    with pytest.raises(ValueError, match="already"):
        io.on_server_side_emit("x", lambda: 2)
