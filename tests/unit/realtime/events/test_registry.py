"""Typed events in a running server: a bad payload ends in the acknowledgement, a bad emission in its caller."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, TypedDict

import pytest
from pydantic import BaseModel
from structlog.testing import capture_logs

from steinmetz.clock import FakeClock
from steinmetz.realtime import Config, Event, EventError, InvalidAckError, PayloadError, Server, Socket
from steinmetz.realtime.events import Done
from steinmetz.realtime.testing import connect

pytestmark = pytest.mark.anyio


class Said(BaseModel):
    text: str


class Heard(TypedDict):
    user: str
    text: str


SAY = Event("chat:message", Said, ack=Done)
HEARD = Event("chat:message", Heard)


@pytest.fixture
async def lenient(clock: FakeClock) -> AsyncIterator[Server]:
    server = Server(Config(require_auth=False, strict_events=False), clock=clock)
    await server.start()
    yield server
    await server.shutdown()


def says(io: Server, kind: str) -> list[Said]:
    """A handler of `SAY`, of each kind that a handler may be; the payloads that it got."""
    got: list[Said] = []

    def plain(socket: Socket, said: Said) -> Done:
        got.append(said)
        return {"ok": True}

    async def later(socket: Socket, said: Said) -> Done:
        await asyncio.sleep(0)
        return plain(socket, said)

    io.on(SAY, {"plain": plain, "async": later, "awaitable": lambda *args: later(*args)}[kind])
    return got


@pytest.mark.parametrize("kind", ["plain", "async", "awaitable"])
class TestIn:
    async def test_a_handler_gets_what_its_schema_has_read(self, io: Server, kind: str) -> None:
        got = says(io, kind)
        async with connect(io) as anna:
            assert await anna.call("chat:message", {"text": "Hallo"}) == {"ok": True}
        assert got == [Said(text="Hallo")]

    @pytest.mark.parametrize(
        ("sent", "field"), [(({"text": 5},), "text"), (({},), "text"), ((), ""), ((None,), ""), (({}, {}), "")]
    )
    async def test_what_does_not_fit_is_refused_in_the_acknowledgement(
        self, io: Server, kind: str, sent: tuple[Any, ...], field: str
    ) -> None:
        got = says(io, kind)
        with capture_logs() as logs:
            async with connect(io) as anna:
                answer = await anna.call("chat:message", *sent)
        assert answer["ok"] is False
        error = answer["error"]
        assert error["code"] == "invalid"
        assert error["message"]
        assert error["fields"][0] == {"field": field, "message": error["message"].removeprefix(f"{field}: ")}
        assert got == []
        assert io.statistics.invalid_payloads == {"chat:message": 1}
        assert not [each for each in logs if each["log_level"] == "error"]

    async def test_without_an_acknowledgement_it_is_counted(self, io: Server, kind: str) -> None:
        got = says(io, kind)
        async with connect(io) as anna:
            anna.emit("chat:message", {"text": 5})
            assert await anna.call("chat:message", {"text": "x"}) == {"ok": True}
            assert anna.disconnect_reason is None
        assert io.statistics.invalid_payloads == {"chat:message": 1}
        assert len(got) == 1


async def test_a_handler_of_one_socket_is_checked_too(io: Server) -> None:
    @io.on("connection")
    def connected(socket: Socket) -> None:
        @socket.on(SAY)
        def say(said: Said) -> Done:
            assert isinstance(said, Said)
            return {"ok": True}

    async with connect(io) as anna:
        assert await anna.call("chat:message", {"text": "x"}) == {"ok": True}
        assert (await anna.call("chat:message", {"text": 5}))["error"]["code"] == "invalid"


async def test_an_event_without_a_payload_calls_its_handler_with_nothing_more(io: Server) -> None:
    @io.on(Event("stop", ack=Done))
    def stop(socket: Socket) -> Done:
        return {"ok": True}

    async with connect(io) as anna:
        assert await anna.call("stop") == {"ok": True}
        assert (await anna.call("stop", 1))["error"]["message"] == "this event carries nothing"


async def test_a_refusal_of_the_handlers_own_is_no_broken_answer(io: Server) -> None:
    @io.on(SAY)
    def say(socket: Socket, said: Said) -> Any:
        if said.text == "raise":
            raise EventError("forbidden", "No.")
        return {"ok": False, "error": {"code": "forbidden", "message": "No."}}

    async with connect(io) as anna:
        expected = {"ok": False, "error": {"code": "forbidden", "message": "No."}}
        assert await anna.call("chat:message", {"text": "raise"}) == expected
        assert await anna.call("chat:message", {"text": "return"}) == expected
    assert io.statistics.broken_payloads == {}


async def test_an_answer_that_breaks_its_schema_is_a_failure_of_the_server(io: Server) -> None:
    io.on(SAY, lambda socket, said: {"ok": "perhaps"})
    with capture_logs() as logs:
        async with connect(io) as anna:
            assert (await anna.call("chat:message", {"text": "x"}))["error"]["code"] == "internal"
    told = [each for each in logs if each["log_level"] == "error"]
    assert [each.get("flaw") or each["error"] for each in told] == [
        "ok: one of True is asked for",
        "PayloadError",
    ]
    assert io.statistics.broken_payloads == {"chat:message": 1}


async def test_one_event_has_one_handler_typed_or_not(io: Server) -> None:
    io.on(SAY, lambda socket, said: None)
    for again in (SAY, "chat:message"):
        with pytest.raises(ValueError, match="has a handler"):
            io.on(again, lambda socket, said: None)


class TestOut:
    async def test_what_fits_is_sent(self, io: Server) -> None:
        async with connect(io) as anna:
            (socket,) = await io.fetch_sockets()
            for emit in (io.emit, io.to("x", socket.id).emit, io.of("/").emit, socket.emit, io.local.emit):
                emit(HEARD, {"user": "Ada", "text": "Hallo"})
                assert await anna.heard("chat:message") == [{"user": "Ada", "text": "Hallo"}]
            await anna.call("nothing")
            assert io.statistics.emits["chat:message"] == 5

    async def test_what_does_not_fit_raises_in_the_caller_and_nobody_hears_it(self, io: Server) -> None:
        async with connect(io) as anna:
            (socket,) = await io.fetch_sockets()
            for emit in (io.emit, io.to(socket.id).emit, socket.emit):
                with pytest.raises(
                    PayloadError, match=r'^this emission of "chat:message" breaks its schema: text: '
                ):
                    emit(HEARD, {"user": "Ada", "text": 5})
            await anna.call("nothing")
            assert anna.events == []
        assert io.statistics.broken_payloads == {"chat:message": 3}

    async def test_an_event_that_was_declared_is_checked_by_its_name(self, io: Server) -> None:
        io.declare(HEARD)
        with pytest.raises(PayloadError):
            io.emit("chat:message", "Hallo")
        async with connect(io) as anna:
            io.emit("chat:message", {"user": "Ada", "text": "Hallo"})
            assert await anna.heard("chat:message") == [{"user": "Ada", "text": "Hallo"}]
            io.emit("other", "anything")
            assert await anna.heard("other") == ["anything"]

    async def test_two_events_of_one_name_are_not_declared(self, io: Server) -> None:
        io.declare(HEARD)
        io.declare(HEARD)
        with pytest.raises(ValueError, match="declared already"):
            io.declare(Event("chat:message", str))

    async def test_a_lenient_server_counts_logs_once_and_sends_it_as_it_is(self, lenient: Server) -> None:
        lenient.on(Event("say", Said, ack=Done), lambda socket, said: "perhaps")
        with capture_logs() as logs:
            async with connect(lenient) as anna:
                for wrong in ({"user": "Ada"}, {"user": "s3cret", "text": 5}):
                    lenient.emit(HEARD, wrong)
                    assert await anna.heard("chat:message") == [wrong]
                assert await anna.call("say", {"text": "x"}) == "perhaps"
        assert lenient.statistics.broken_payloads == {"chat:message": 2, "say": 1}
        told = [each for each in logs if each["log_level"] == "error"]
        assert [(each["event_name"], each["what"], each["flaw"]) for each in told] == [
            ("chat:message", "emission", "text: it is missing"),
            ("say", "acknowledgement", "an object with the fields ok is asked for"),
        ]

    async def test_its_policy_goes_along(self, io: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        flags: list[Any] = []
        io.declare(
            Event("progress", dict[str, int], newest_by="job"), Event("typing", dict[str, int], volatile=True)
        )
        async with connect(io) as anna:
            (socket,) = await io.fetch_sockets()
            monkeypatch.setattr(
                type(socket.client), "send_flagged", lambda self, outgoing, given: flags.append(given)
            )
            io.emit("progress", {"job": 7})
            socket.emit("typing", {})
            io.to(socket.id).emit("typing", {})
            assert [(each.newest, each.volatile) for each in flags] == [
                ("/,progress 7", False),
                (None, True),
                (None, True),
            ]
            monkeypatch.undo()
            assert anna.disconnect_reason is None


class TestAcknowledgementsOfClients:
    ASK = Event("ask", str, ack=list[str])

    async def test_are_read(self, io: Server) -> None:
        async with connect(io):
            (socket,) = await io.fetch_sockets()
            # The in-process client acknowledges with the arguments.
            assert await socket.emit_with_ack(Event("ask", list[str], ack=list[str]), ["x"]) == ["x"]

    async def test_that_break_their_schema_are_told_to_who_waits(self, io: Server) -> None:
        async with connect(io):
            (socket,) = await io.fetch_sockets()
            with pytest.raises(InvalidAckError, match='"ask" breaks its schema: a list is asked for'):
                await socket.emit_with_ack(self.ASK, "x")
        assert io.statistics.invalid_payloads == {"ask": 1}

    async def test_what_is_asked_is_checked_first(self, io: Server) -> None:
        async with connect(io) as anna:
            (socket,) = await io.fetch_sockets()
            with pytest.raises(PayloadError):
                await socket.emit_with_ack(self.ASK, 5)
            assert anna.events == []
