"""python-socketio's client, unchanged, over every transport and through both doors.

Scenarios of the same table as those in `scenarios`; a docstring that says more than the name names the source.
"""

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


async def test_it_is_refused_with_the_data_of_the_refusal(connect: Connect) -> None:
    with pytest.raises(socketio.exceptions.ConnectionError):
        async with connect("expired"):
            pass


async def test_it_uses_two_namespaces_over_one_connection(connect: Connect) -> None:
    async with connect("anna", namespaces=["/", "/chat"]) as client:
        assert await client.call("echo", "chat", namespace="/chat") == "chat"
        assert await client.call("echo", "main") == "main"
        assert client.get_sid("/chat") != client.get_sid("/")


async def test_it_gets_several_answers_at_once(connect: Connect) -> None:
    async with connect("anna") as client:
        assert await asyncio.gather(*(client.call("echo", number) for number in range(9))) == list(range(9))


async def test_it_gives_up_on_an_answer_that_takes_too_long(connect: Connect) -> None:
    async with connect("anna") as client:
        with pytest.raises(socketio.exceptions.TimeoutError):
            await client.call("think", 0.2, timeout=0.02)
        assert await client.call("echo", "goes on") == "goes on"


async def test_it_hears_errors_with_their_codes(connect: Connect) -> None:
    async with connect("anna") as client:
        assert (await client.call("refuse"))["error"]["code"] == "too_late"
        assert (await client.call("unheard of"))["error"]["code"] == "unknown_event"


async def test_it_hears_many_events_in_order(connect: Connect) -> None:
    async with connect("anna") as client:
        await client.heard.get()
        await client.emit("many", 7)
        heard = [await client.heard.get() for _ in range(7)]
        assert [number for _, number, _ in heard] == list(range(7))
        assert {data for _, _, data in heard} == {"text", b"binary"}


async def test_it_does_not_hear_what_excepts_it(connect: Connect) -> None:
    async with connect("anna") as anna, connect("ben") as ben:
        for client in (anna, ben):
            await client.heard.get()
            assert await client.call("room:join", {"room": "open:except"}) == {"ok": True}
        await ben.call("say except", ("open:except", "user:anna", "not to anna"))
        await ben.call("say all", ("open:except", "to both"))
        assert await ben.heard.get() == ("said", "not to anna")
        assert await anna.heard.get() == ("said", "to both")


async def test_it_is_revoked(connect: Connect) -> None:
    async with connect("revoked by python") as phone, connect("ben") as ben:
        gone = asyncio.Event()
        phone.on("disconnect", lambda _reason: gone.set())
        await ben.call("revoke", "revoked by python")
        await asyncio.wait_for(gone.wait(), 5)
        await asyncio.wait_for(phone.eio.wait(), 5)


async def test_text_of_all_kinds_is_its_own(connect: Connect) -> None:
    async with connect("anna") as client:
        for text in ("", "ümläut €", "\U0001f600", "\x1e", '"\\', "x" * 50_000):
            assert await client.call("echo", text) == text


async def test_it_watches_as_the_admin_ui_does(url: str) -> None:
    """socket.io-admin-ui's protocol: who is there, who comes, and nothing that may be changed."""
    watcher, guest = socketio.AsyncClient(), socketio.AsyncClient()
    heard: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
    watcher.on("*", lambda event, *args: heard.put_nowait((event, *args)), namespace="/admin")

    async def next_of(wanted: str) -> list[Any]:
        while (event := await asyncio.wait_for(heard.get(), 20))[0] != wanted:
            pass
        return list(event[1:])

    shown = {"username": "operator", "password": "right"}
    await watcher.connect(url, auth=shown, namespaces=["/admin"], wait_timeout=20)
    try:
        assert await next_of("config") == [{"supportedFeatures": ["AGGREGATED_EVENTS", "ALL_EVENTS"]}]
        assert await next_of("session") == ["kept-by-the-ui"]
        assert watcher.get_sid("/admin") in [each["id"] for each in (await next_of("all_sockets"))[0]]
        await guest.connect(url, auth={"token": "zoe"}, wait_timeout=20)
        while (told := (await next_of("socket_connected"))[0])["id"] != guest.get_sid():
            pass
        assert told["data"] == {"user": "zoe"}
        answer = await watcher.call("join", ("/", "open:all"), namespace="/admin")
        assert answer["error"]["code"] == "unknown_event"
    finally:
        await guest.disconnect()
        await watcher.disconnect()
