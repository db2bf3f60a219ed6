"""python-socketio's client, unchanged, over every transport and through both doors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import socketio

from tests.conformance.realtime.conftest import Doors

pytestmark = pytest.mark.anyio

Connect = Callable[..., Any]


@pytest.fixture(params=["asgi", "native"])
def url(doors: Doors, request: pytest.FixtureRequest) -> str:
    return f"http://127.0.0.1:{getattr(doors, request.param)}"


@pytest.fixture(params=[["websocket"], ["polling"], None], ids=["websocket", "polling", "upgrade"])
def connect(url: str, request: pytest.FixtureRequest) -> Connect:
    @asynccontextmanager
    async def connected(user: str, **options: Any) -> AsyncIterator[socketio.AsyncClient]:
        client = socketio.AsyncClient(reconnection_delay=0.02, randomization_factor=0)
        heard: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
        client.heard = heard
        client.on("*", lambda event, *args: heard.put_nowait((event, *args)))
        options = {"wait_timeout": 20, **options}  # one second by default: less than a busy machine may take
        await client.connect(url, auth={"token": user} if user else None, transports=request.param, **options)
        try:
            yield client
        finally:
            await client.disconnect()

    return connected


async def test_it_connects_with_auth_and_is_welcomed(connect: Connect) -> None:
    async with connect("anna") as client:
        assert await client.heard.get() == ("welcome", {"user": "anna", "address": "127.0.0.1"})


async def test_it_is_refused_without_a_token(connect: Connect) -> None:
    with pytest.raises(socketio.exceptions.ConnectionError, match=r"Authentication required|failed to connect"):
        async with connect(""):
            pass


async def test_it_gets_an_answer_to_an_event(connect: Connect) -> None:
    async with connect("anna") as client:
        assert await client.call("echo", ("ä", 2, {"drei": [None]})) == ("ä", 2, {"drei": [None]})


async def test_it_answers_a_question_of_the_server(connect: Connect) -> None:
    async with connect("anna") as client:
        client.on("question", lambda question: f"{question}? ja")
        assert await client.call("ask me", "fertig") == {"you said": "fertig? ja"}


async def test_it_sends_and_receives_binary(connect: Connect) -> None:
    async with connect("anna") as client:
        assert await client.call("echo", {"inside": [b"\x00\x01", b""], "text": "t"}) == {
            "inside": [b"\x00\x01", b""],
            "text": "t",
        }


async def test_it_hears_a_room_that_it_joined(connect: Connect) -> None:
    async with connect("anna") as anna, connect("ben") as ben:
        await anna.heard.get()
        assert await anna.call("room:join", {"room": "open:python"}) == {"ok": True}
        await ben.emit("say all", ("open:python", b"bytes for everybody"))
        assert await anna.heard.get() == ("said", b"bytes for everybody")


async def test_it_stays_away_when_the_server_disconnects_it(connect: Connect) -> None:
    async with connect("anna") as client:
        gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        client.on("disconnect", lambda reason: gone.done() or gone.set_result(reason))
        await client.emit("kick me")
        assert await asyncio.wait_for(gone, 5) in ("server disconnect", "transport close")
        # Their client must have read its last poll before it is told to leave: else it closes what it still reads.
        await asyncio.wait_for(client.eio.wait(), 5)


async def test_it_comes_back_when_its_credential_has_expired(connect: Connect) -> None:
    async with connect("anna") as client:
        first = client.get_sid()
        await client.heard.get()
        await client.emit("cut me off")
        assert await asyncio.wait_for(client.heard.get(), 5) == (
            "welcome",
            {"user": "anna", "address": "127.0.0.1"},
        )
        assert client.get_sid() != first
