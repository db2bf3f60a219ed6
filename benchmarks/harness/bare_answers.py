"""The floor of every answer over HTTP: a loop that sends the same bytes for each request and looks at nothing.

``python -m benchmarks.harness.bare_answers PORT BYTES``
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast


class Answering(asyncio.Protocol):
    """One connection; a request is whatever comes at once."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(self._answer)


async def serve(port: int, size: int) -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size
    server = await asyncio.get_running_loop().create_server(lambda: Answering(answer), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
