"""Computes a bound answer by a request that never left the house, and says what changed to its room.

One task a binding: commits that come while it computes are answered by one trailing computation, so the newest
state always wins and a storm of writes costs a bounded share of one core (`CPU_SHARE`, trap T32).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import orjson
import structlog

from steinmetz.cache import Admitted
from steinmetz.clock import Clock, perf_ns
from steinmetz.live.bindings import Binding, Emission, Watch
from steinmetz.sql.effects import ReadSet, WriteSet

log = structlog.get_logger("steinmetz.live")

CPU_SHARE = 0.25
"""Of the wall time, at most this share is spent recomputing one answer."""

RETRY_AFTER_S = 1.0
"""After an answer that failed, unless a commit comes before."""

LONGEST_WAIT_S = 3600.0
"""Timers follow the monotonic clock, midnights the wall clock: look again after an hour at the latest."""

ASGIApp = Callable[[MutableMapping[str, Any], Callable[..., Any], Callable[..., Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    read_set: ReadSet
    valid_until: datetime | None
    """When it becomes untrue by the clock alone (trap T14)."""


async def compute(app: ASGIApp, binding: Binding) -> Answer:
    """The answer of ``binding.path`` for its principal, past the cache: neither looked up nor stored.

    The marks in the scope are objects of this process; no client can send them (trap T33).
    """
    path, _, query = binding.path.partition("?")
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"host", b"live.invalid")],
        "client": None,
        "server": None,
        "steinmetz.cache": "recompute",
        "steinmetz.admission": Admitted(binding.principal),
    }
    status, parts = 0, list[bytes]()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    recording = scope["steinmetz.recording"]
    return Answer(status, b"".join(parts), recording.read_set(), recording.valid_until)


class Speaker(Protocol):
    """What `Recomputer` needs of a realtime server."""

    def has_listeners(self, room: str) -> bool: ...

    def say(self, emission: Emission) -> None: ...


class Recomputer:
    """Keeps one bound answer current for its room."""

    def __init__(self, app: ASGIApp, binding: Binding, speaker: Speaker, clock: Clock) -> None:
        self.watch = Watch(binding)
        self._clock = clock
        self._expiry: asyncio.TimerHandle | None = None
        self._app = app
        self._speaker = speaker
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._missed: list[WriteSet] | None = None
        self._last_cost_s = 0.0
        self._cost_s = 0.0

    def committed(self, writes: WriteSet) -> None:
        """Called on the event loop after each commit, once the cache has dropped what it concerned.

        A commit that nobody listens to is not news to those who join later: they fetch when they have connected.
        """
        if self._missed is not None:
            self._missed.append(writes)
        elif not self._speaker.has_listeners(self.watch.binding.room):
            self.watch.forget()
        elif self.watch.note(writes) or self.watch.is_moved or self.watch.body is None:
            self._ask()

    def listened(self) -> None:
        """Somebody joined the room: have the answer at hand, to compare the next one with."""
        if self.watch.body is None:
            self._ask()

    async def settled(self) -> None:
        """Wait until all that was committed by now has been said."""
        await self._idle.wait()

    def _ask(self) -> None:
        self._idle.clear()
        self._wake.set()

    async def run(self) -> None:
        try:
            await self._keep_current()
        finally:
            self._await_expiry(None)

    async def _keep_current(self) -> None:
        while True:
            if not self._wake.is_set():
                self._idle.set()
            await self._wake.wait()
            self._wake.clear()
            if not self._speaker.has_listeners(self.watch.binding.room):
                self.watch.forget()
                continue
            if await self._recompute():
                await asyncio.sleep(self._rest_s())
            else:
                await self._commit_or_retry()
            if self.watch.is_moved:
                self._ask()

    def _rest_s(self) -> float:
        """So long that the share is kept by the lesser of the last two costs: once may be a cold start."""
        return min(self._last_cost_s, self._cost_s) * (1 / CPU_SHARE - 1)

    async def _commit_or_retry(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RETRY_AFTER_S):
                await self._wake.wait()

    async def _recompute(self) -> bool:
        """Compute once and speak if the bytes differ; whether there was an answer."""
        watch, started_ns = self.watch, perf_ns()
        watch.begin()
        self._missed = []
        try:
            answer = await compute(self._app, watch.binding)
        except Exception as error:
            log.error("Recomputation failed", path=watch.binding.path, error=type(error).__name__, exc_info=error)
            answer = None
        missed, self._missed = self._missed, None
        if answer is None or answer.status != 200:
            if answer is not None:
                log.error("Recomputation refused", path=watch.binding.path, status=answer.status)
            watch.is_moved = True
            return False
        watch.finish(answer.read_set, missed)
        self._speak(answer.body)
        self._await_expiry(answer.valid_until)
        self._last_cost_s, self._cost_s = self._cost_s, (perf_ns() - started_ns) / 1e9
        return True

    def _await_expiry(self, valid_until: datetime | None) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        if valid_until is not None:
            delay_s = max(0.0, (valid_until - self._clock.now()).total_seconds())
            self._expiry = asyncio.get_running_loop().call_later(min(delay_s, LONGEST_WAIT_S), self.expired)

    def expired(self) -> None:
        """The answer has become untrue though nobody wrote: compute it again for those who look at it."""
        self._expiry = None
        if self._speaker.has_listeners(self.watch.binding.room):
            self.watch.is_moved = True
            self._ask()
        else:
            self.watch.forget()

    def _speak(self, body: bytes) -> None:
        for emission in self.watch.take(body, orjson.loads(body)):
            self.watch.emissions += 1
            self._speaker.say(emission)
