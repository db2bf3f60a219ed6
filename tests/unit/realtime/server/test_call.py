"""Handlers: their order, their answers, their failures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog

from steinmetz.clock import FakeClock
from steinmetz.realtime import Config, EventError, Server, Socket
from steinmetz.realtime.testing import connect
from tests.unit.realtime.server.asgi_driver import turns

pytestmark = pytest.mark.anyio


class TestAnswers:
    @pytest.mark.parametrize("answer", [None, 0, "ok", {"ok": True}, [1, 2], b"\x00"])
    async def test_the_return_value_is_the_acknowledgement(self, io: Server, answer: Any) -> None:
        io.on("ask", lambda socket: answer)
        async with connect(io) as anna:
            assert await anna.call("ask") == answer

    async def test_an_async_handler_answers_when_it_has_ended(self, io: Server) -> None:
        @io.on("ask")
        async def ask(socket: Socket, number: int) -> int:
            await asyncio.sleep(0)
            return number + 1

        async with connect(io) as anna:
            assert await anna.call("ask", 1) == 2

    async def test_a_plain_function_may_return_an_awaitable(self, io: Server) -> None:
        async def later() -> str:
            return "later"

        io.on("ask", lambda socket: later())
        async with connect(io) as anna:
            assert await anna.call("ask") == "later"

    async def test_an_answer_that_cannot_be_sent_is_an_internal_error(self, io: Server) -> None:
        io.on("ask", lambda socket: object())
        async with connect(io) as anna:
            assert (await anna.call("ask"))["error"]["code"] == "internal"


class TestFailures:
    async def test_an_event_error_reaches_the_client(self, io: Server) -> None:
        @io.on("pay")
        async def pay(socket: Socket) -> None:
            raise EventError("conflict", "The invoice has been paid")

        async with connect(io) as anna:
            assert await anna.call("pay") == {
                "ok": False,
                "error": {"code": "conflict", "message": "The invoice has been paid"},
            }

    async def test_an_event_error_says_when_the_same_may_be_sent_again(self, io: Server) -> None:
        @io.on("pay")
        def pay(socket: Socket) -> None:
            raise EventError("busy", "The till is in use", retry_after_s=0.25)

        async with connect(io) as anna:
            error = (await anna.call("pay"))["error"]
            assert error == {"code": "busy", "message": "The till is in use", "retryAfterMs": 250}

    async def test_any_other_is_told_without_details_and_logged_without_secrets(self, io: Server) -> None:
        @io.on("fail")
        def fail(socket: Socket, password: str) -> None:
            raise KeyError(password)

        with structlog.testing.capture_logs() as logs:
            async with connect(io) as anna:
                answer = await anna.call("fail", "hunter2")
        assert answer["error"] == {"code": "internal", "message": "The server could not handle this event"}
        [line] = [line for line in logs if line["event"] == "Event handler failed"]
        assert line["error"] == "KeyError"
        assert line["at"].startswith(__file__)
        assert "hunter2" not in repr(logs)

    async def test_the_application_may_describe_its_own_errors(self, clock: FakeClock) -> None:
        def describe(error: Exception) -> EventError | None:
            return EventError("not_found", "No such invoice") if isinstance(error, LookupError) else None

        io = Server(Config(require_auth=False), clock=clock, describe_error=describe)

        @io.on("open")
        async def open_invoice(socket: Socket) -> None:
            raise LookupError

        async with connect(io) as anna:
            assert (await anna.call("open"))["error"]["code"] == "not_found"
        await io.shutdown()

    async def test_a_failed_handler_ends_neither_the_connection_nor_the_line(self, io: Server) -> None:
        @io.on("fail")
        async def fail(socket: Socket) -> None:
            raise RuntimeError

        io.on("ask", lambda socket: "still here")
        async with connect(io) as anna:
            anna.emit("fail")
            assert await anna.call("ask") == "still here"

    @pytest.mark.parametrize("kind", ["async", "plain that awaits", "plain"])
    async def test_what_a_handler_awaited_and_somebody_cancelled_is_its_failure_alone(
        self, io: Server, kind: str
    ) -> None:
        lookup = asyncio.get_running_loop().create_future()
        lookup.cancel()

        async def look_up(socket: Socket) -> None:
            await lookup

        def look_up_later(socket: Socket) -> Any:
            return look_up(socket)

        handlers: dict[str, Callable[[Socket], Any]]
        handlers = {"async": look_up, "plain that awaits": look_up_later, "plain": lambda socket: lookup.result()}
        io.on("look up", handlers[kind])
        io.on("ask", lambda socket: "still here")
        async with connect(io) as anna:
            failed = asyncio.create_task(anna.call("look up"))
            await asyncio.sleep(0)
            assert await anna.call("ask") == "still here"
            assert (await failed)["error"]["code"] == "internal"

    async def test_wrong_arguments_are_an_error_of_the_handler(self, io: Server) -> None:
        io.on("two", lambda socket, a, b: None)
        async with connect(io) as anna:
            assert (await anna.call("two", 1))["error"]["code"] == "internal"


class TestOrder:
    async def test_handlers_of_one_client_run_one_after_the_other(self, io: Server) -> None:
        heard: list[str] = []
        gate = asyncio.Event()

        @io.on("slow")
        async def slow(socket: Socket) -> None:
            heard.append("slow begins")
            await gate.wait()
            heard.append("slow ends")

        io.on("fast", lambda socket: heard.append("fast"))
        async with connect(io) as anna:
            anna.emit("slow")
            anna.emit("fast")
            answer = asyncio.create_task(anna.call("slow"))
            await turns()
            assert heard == ["slow begins"]
            gate.set()
            await answer
        assert heard == ["slow begins", "slow ends", "fast", "slow begins", "slow ends"]

    async def test_a_slow_handler_delays_neither_other_clients_nor_acknowledgements(self, io: Server) -> None:
        @io.on("ask back")
        async def ask_back(socket: Socket) -> Any:
            return await socket.emit_with_ack("question", 7)

        io.on("fast", lambda socket: "fast")
        async with connect(io) as anna, connect(io) as ben:
            asking = asyncio.create_task(anna.call("ask back"))
            assert await ben.call("fast") == "fast"
            assert await asking == 7

    async def test_a_slow_handler_delays_neither_pings_nor_the_disconnect(
        self, io: Server, pass_time: Callable[[float], None]
    ) -> None:
        gate = asyncio.Event()

        @io.on("slow")
        async def slow(socket: Socket) -> None:
            await gate.wait()

        async with connect(io) as anna:
            [socket] = io.sockets.sockets.values()
            anna.emit("slow")
            for _ in range(6):
                pass_time(20)
                await asyncio.sleep(0)
            assert anna.disconnect_reason is None
            anna.drop()
            assert not socket.connected
            assert not io.sockets.sockets
            gate.set()

    async def test_what_waits_in_line_is_handled_even_if_its_client_has_gone(self, io: Server) -> None:
        gate, heard = asyncio.Event(), list[int]()

        @io.on("slow")
        async def slow(socket: Socket, number: int) -> None:
            await gate.wait()
            heard.append(number)

        async with connect(io) as anna:
            anna.emit("slow", 1)
            anna.emit("slow", 2)
            anna.drop()
        gate.set()
        while len(heard) < 2:
            await asyncio.sleep(0)
        assert heard == [1, 2]

    async def test_t27_timeouts_work_inside_handlers(self, io: Server) -> None:
        @io.on("patience")
        async def patience(socket: Socket) -> str:
            try:
                async with asyncio.timeout(0.01):
                    await asyncio.Event().wait()
            except TimeoutError:
                return "timed out"
            return "never"

        async with connect(io) as anna:
            assert await anna.call("patience") == "timed out"

    async def test_the_disconnect_handler_runs_last(self, io: Server) -> None:
        heard: list[str] = []

        @io.on("work")
        async def work(socket: Socket) -> None:
            await asyncio.sleep(0)
            heard.append("work")

        io.on("disconnect", lambda socket, reason: heard.append(reason))
        async with connect(io) as anna:
            anna.emit("work")
            anna.emit("work")
            anna.drop()
            await turns()
        assert heard == ["work", "work", "transport close"]

    async def test_a_task_lives_only_while_a_client_is_busy(self, io: Server) -> None:
        @io.on("work")
        async def work(socket: Socket) -> None:
            await asyncio.sleep(0)

        async with connect(io) as anna:
            await anna.call("work")
            await asyncio.sleep(0)
            assert len(io.tasks) == 0


async def test_each_handler_runs_once_inside_the_scope_that_was_asked_for(io: Server) -> None:
    opened: list[str] = []

    @contextmanager
    def scope(event: str) -> Iterator[None]:
        opened.append(f"+{event}")
        yield
        opened.append(f"-{event}")

    @io.on("async")
    async def handler(socket: Socket) -> None:
        await asyncio.sleep(0)
        opened.append("in async")

    io.on("plain", lambda socket: opened.append("in plain"))
    io.around_events(scope)
    async with connect(io) as anna:
        await anna.call("async")
        await anna.call("plain")
    assert opened == ["+async", "in async", "-async", "+plain", "in plain", "-plain"]


async def test_that_a_socket_is_gone_is_told_however_much_waits_before_it(clock: FakeClock) -> None:
    io = Server(Config(require_auth=False, client_inbox_bytes=10), clock=clock)
    gate, told = asyncio.Event(), list[str]()

    @io.on("slow")
    async def slow(socket: Socket, _text: str = "") -> None:
        await gate.wait()

    io.on("disconnect", lambda socket, reason: told.append(reason))
    async with connect(io) as anna:
        anna.emit("slow")
        anna.emit("slow", "longer than all that may wait")
        anna.drop()
        gate.set()
        async with asyncio.timeout(5):
            while not told:
                await asyncio.sleep(0)
    assert told == ["transport close"]
    await io.shutdown()
