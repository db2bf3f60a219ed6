"""A small application whose alerts are raised on demand; ``uvicorn benchmarks.harness.alarm:app``.

``GET /raise`` raises one and answers the nanosecond at which it did so, on the machine's own clock.
"""

from __future__ import annotations

import time
from itertools import count
from typing import Any

from sqlalchemy.ext.asyncio import create_async_engine

from steinmetz.live import install
from steinmetz.monitor import QueryMonitor
from steinmetz.realtime import Config, Server

io, monitor = Server(Config(require_auth=False)), QueryMonitor()
io.on("connection", lambda socket: socket.join("ops"))
numbers = count(1)


async def api(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    subject = f"query {next(numbers)}"
    raised_ns = time.time_ns()
    monitor.alerts.plan_regressed(subject, 1.0, 2.0)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": f"{subject}={raised_ns}".encode()})


app = install(api, engine=create_async_engine("sqlite+aiosqlite://"), io=io, monitor=monitor)
