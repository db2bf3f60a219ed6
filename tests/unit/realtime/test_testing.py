"""The client for users' tests is a real one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from steinmetz.realtime import ConnectError, DisconnectedError, Server
from steinmetz.realtime.testing import connect

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
    from steinmetz.clock import FakeClock

    assert isinstance(io.clock, FakeClock)
    import asyncio

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


def test_realtime_needs_no_web_framework() -> None:
    probe = (
        "import sys; import steinmetz.realtime, steinmetz.realtime.testing;"
        "print(sorted({'fastapi','starlette','redis','uvicorn','pydantic','websockets'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
