"""One event of one client, from its handler to its acknowledgement; and the line in which such calls wait.

Handlers of one client run in order. A plain function runs at once; a coroutine function runs in a task that lives
only while the client has something to do (trap T27: stepping coroutines by hand breaks timeouts). What the client
sends meanwhile waits in line, but acknowledgements, pings and the disconnect do not.
"""

from __future__ import annotations

import asyncio
import inspect
import traceback
from collections import deque
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from steinmetz.realtime.errors import EventError
from steinmetz.realtime.socketio.packet import MAIN_NAMESPACE, Packet, PacketType
from steinmetz.realtime.socketio.parser import encode

if TYPE_CHECKING:
    from steinmetz.realtime.server.client import Client
    from steinmetz.realtime.server.listening import Handler
    from steinmetz.realtime.server.socket import Socket

log = structlog.get_logger("steinmetz.realtime")


_ACK = PacketType.ACK
_VALUES = frozenset((type(None), dict, list, tuple, str, int, float, bool))
"""Answers that are certainly not awaitable; asking `inspect` costs more than the handler of many an event."""


class Call(NamedTuple):
    socket: Socket
    event: str
    handler: Handler
    is_async: bool
    args: tuple[Any, ...]
    ack_id: int | None = None
    size: int = 0

    def begin(self) -> Coroutine[Any, Any, None] | None:
        """Run the handler; what it returns if it is asynchronous must be awaited."""
        if self.is_async:
            return self._run()
        scope = self.socket.namespace.server.event_scope
        try:
            if scope is None:
                answer = self.handler(*self.args)
            else:
                with scope(self.event):
                    answer = self.handler(*self.args)
        except (Exception, asyncio.CancelledError) as error:  # such as of the result of a task that was cancelled
            self._fail(error)
            return None
        if type(answer) not in _VALUES and inspect.isawaitable(answer):
            return self._finish(answer)
        self._answer(answer)
        return None

    async def _run(self) -> None:
        scope = self.socket.namespace.server.event_scope
        try:
            if scope is None:
                answer = await self.handler(*self.args)
            else:
                with scope(self.event):
                    answer = await self.handler(*self.args)
        except (Exception, asyncio.CancelledError) as error:
            if is_own_end(error):
                raise
            self._fail(error)
        else:
            self._answer(answer)

    async def _finish(self, awaitable: Any) -> None:
        try:
            answer = await awaitable
        except (Exception, asyncio.CancelledError) as error:
            if is_own_end(error):
                raise
            self._fail(error)
        else:
            self._answer(answer)

    def _answer(self, answer: Any) -> None:
        """The return value is the acknowledgement; a tuple is several values, as in the client's callback."""
        if self.ack_id is None:
            return
        answers = [] if answer is None else list(answer) if isinstance(answer, tuple) else [answer]
        try:
            self._acknowledge(answers)
        except (TypeError, ValueError) as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        refusal = error if isinstance(error, EventError) else self._describe(error)
        if refusal is None:
            log.error(
                "Event handler failed",
                event_name=self.event,
                namespace=self.socket.namespace.name,
                error=type(error).__name__,
                at=_where(error),
            )
            refusal = EventError("internal", "The server could not handle this event")
        if self.ack_id is not None:
            self._acknowledge([refusal.as_json()])

    def _describe(self, error: BaseException) -> EventError | None:
        if not isinstance(error, Exception):
            return None
        try:
            return self.socket.namespace.server.describe_error(error)
        except Exception as second:
            log.error("describe_error failed", error=type(second).__name__, at=_where(second))
            return None

    def _acknowledge(self, answers: list[Any]) -> None:
        socket, ack_id = self.socket, self.ack_id
        if socket.connected and ack_id is not None:
            client, namespace = socket.client, socket.namespace
            if namespace.delivery.batches:
                namespace.delivery.catch_up(socket)
            if namespace.name != MAIN_NAMESPACE or not client.acknowledge(ack_id, answers):
                client.send(encode(Packet(_ACK, namespace.name, answers, ack_id)))


def is_own_end(error: BaseException) -> bool:
    """Whether ``error`` ends the task that runs; if not, what it waited for has failed, or been cancelled."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


def _where(error: BaseException) -> str:
    """The line that raised; never the message, which may quote a client's data."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown"


class Inbox:
    """The calls of one client that wait until its running handler has ended; bounded by bytes."""

    __slots__ = ("_bytes", "_client", "_waiting")

    def __init__(self, client: Client) -> None:
        self._client = client
        self._waiting: deque[Call] = deque()
        self._bytes = 0

    def put(self, call: Call, limit: int) -> bool:
        """False if there is no room for ``call``; for what weighs nothing there is: that a socket is gone, say."""
        if self._waiting and call.size and self._bytes + call.size > limit:
            return False
        self._waiting.append(call)
        self._bytes += call.size
        return True

    async def drain(self, running: Coroutine[Any, Any, None]) -> None:
        """Await ``running``, then run what waits, one after the other."""
        try:
            await running
            while self._waiting:
                call = self._waiting.popleft()
                self._bytes -= call.size
                if (coroutine := call.begin()) is not None:
                    await coroutine
        finally:
            self._client.inbox = None
