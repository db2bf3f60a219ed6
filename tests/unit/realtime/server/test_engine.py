"""Watching connections below the namespaces."""

from __future__ import annotations

import pytest
import structlog

from steinmetz.realtime import EngineError, RealtimeApp, Server
from steinmetz.realtime.testing import connect
from tests.unit.realtime.server.asgi_driver import OPEN, WS, Exchange, WebSocket

pytestmark = pytest.mark.anyio


@pytest.fixture
def errors(io: Server) -> list[EngineError]:
    found: list[EngineError] = []
    io.engine.on("connection_error", found.append)
    return found


async def test_it_counts_its_sessions(io: Server) -> None:
    assert io.engine.clients_count == 0
    async with connect(io), connect(io):
        assert io.engine.clients_count == 2
    assert io.engine.clients_count == 0


@pytest.mark.parametrize(
    ("method", "query", "code", "message"),
    [
        ("GET", b"EIO=4&transport=carrier-pigeon", 0, "Transport unknown"),
        ("GET", OPEN + b"&sid=unknown", 1, "Session ID unknown"),
        ("POST", OPEN, 2, "Bad handshake method"),
        ("GET", WS, 3, "Bad request"),
        ("GET", b"EIO=3&transport=polling", 5, "Unsupported protocol version"),
    ],
)
async def test_a_connection_error_has_a_code_a_message_and_the_request(
    app: RealtimeApp, errors: list[EngineError], method: str, query: bytes, code: int, message: str
) -> None:
    await Exchange(app, method, query, user_agent="Test").run()
    [error] = errors
    assert (error.code, error.message) == (code, message)
    asked = error.request.query
    assert error.context == {"status": 400, "transport": asked["transport"], "protocol": asked["EIO"]}
    assert error.request.headers["user-agent"] == "Test"
    assert error.request.address == "10.0.0.1"


async def test_a_foreign_page_is_one(app: RealtimeApp, errors: list[EngineError]) -> None:
    await Exchange(app, origin="https://evil.example").run()
    [error] = errors
    assert (error.code, error.message, error.context["status"]) == (4, "Origin not allowed", 403)


async def test_a_refused_websocket_is_one(app: RealtimeApp, errors: list[EngineError]) -> None:
    await WebSocket(app, b"EIO=3&transport=websocket").run()
    assert [error.code for error in errors] == [5]


@pytest.mark.parametrize("over_websocket", [False, True])
async def test_one_with_too_much_in_its_head_is_one(
    app: RealtimeApp, io: Server, errors: list[EngineError], over_websocket: bool
) -> None:
    if over_websocket:
        await WebSocket(app, WS, cookie="x" * 20_000).run()
    else:
        assert (await Exchange(app, cookie="x" * 20_000).run()).status == 431
    assert [error.context["status"] for error in errors] == [431]
    assert io.statistics.refused["header fields"] == 1


async def test_handlers_can_be_taken_off_and_what_one_raises_changes_no_answer(
    app: RealtimeApp, io: Server, errors: list[EngineError]
) -> None:
    def fail(error: EngineError) -> None:
        raise KeyError("a secret")

    io.engine.on("connection_error", fail)
    with structlog.testing.capture_logs() as logs:
        refused = await Exchange(app, query=b"EIO=3&transport=polling").run()
    assert (refused.status, len(errors)) == (400, 1)
    assert [line["error"] for line in logs] == ["KeyError"]
    io.engine.off("connection_error", fail)
    io.engine.off("connection_error")
    await Exchange(app, query=b"EIO=3&transport=polling").run()
    assert len(errors) == 1


def test_other_events_it_does_not_tell() -> None:
    with pytest.raises(ValueError, match="connection_error"):
        Server().engine.on("headers", lambda headers: None)


def test_a_handler_is_a_plain_function() -> None:
    async def handler(error: EngineError) -> None:
        return None

    with pytest.raises(TypeError, match="plain function"):
        Server().engine.on("connection_error", handler)
