"""One loop, two uvicorn servers: the same realtime servers through the ASGI door and through the native one."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn

from steinmetz.realtime import RealtimeApp
from steinmetz.realtime.server.uvicorn import NativeDoor, with_doors
from tests.conformance.protocol_server import engine_server, protocol_server
from tests.conformance.realtime.application import application_server

PING_TIMEOUT_S = 0.4
"""Twice what the public suites ask for: the machines that run these tests are busy."""


@dataclass(frozen=True)
class Doors:
    """The ports of the two servers."""

    asgi: int
    native: int


@pytest.fixture(scope="session")
def doors() -> Iterator[Doors]:
    application = application_server()
    protocol, engine = protocol_server("/protocol/", PING_TIMEOUT_S), engine_server("/engine/", PING_TIMEOUT_S)
    app = RealtimeApp(protocol, other=RealtimeApp(engine, other=RealtimeApp(application)))
    native = with_doors(NativeDoor(protocol), NativeDoor(engine), NativeDoor(application))
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    # Without a configuration of the log: it would be that of all tests after these.
    options = {"log_config": None, "lifespan": "off", "timeout_graceful_shutdown": 2}
    servers = [
        uvicorn.Server(uvicorn.Config(app, ws_per_message_deflate=False, **options)),  # type: ignore[arg-type]
        uvicorn.Server(uvicorn.Config(app, http=native, **options)),  # type: ignore[arg-type]
    ]

    async def serve() -> None:
        await asyncio.gather(*(server.serve([sock]) for server, sock in zip(servers, sockets, strict=True)))

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    yield Doors(*(sock.getsockname()[1] for sock in sockets))
    for server in servers:
        server.should_exit = True
    thread.join(10)
    assert not thread.is_alive(), "a server did not end"
