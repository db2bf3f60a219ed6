"""Watching connections below the namespaces."""

from __future__ import annotations

import pytest
import structlog

from steinmetz.realtime import Config, EngineError, RealtimeApp, Server
from steinmetz.realtime.testing import connect
from tests.unit.realtime.server.asgi_driver import Polling, WebSocket, request

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
