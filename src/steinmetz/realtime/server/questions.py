"""The broadcasts of one namespace that wait for acknowledgements."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson

from steinmetz.realtime.errors import AckError, AckTimeoutError, DisconnectedError, NotRunningError
from steinmetz.realtime.socketio.gathering import Gathering

if TYPE_CHECKING:
    from steinmetz.realtime.server.server import Server

MAX_OPEN = 1_000
"""Broadcasts of one namespace that wait for acknowledgements at the same time."""
MAX_ANSWER_BYTES = 16_000_000
"""Of answers that are kept until the others have come; what a crowd answers must not fill the memory."""
TOO_BIG = "the answers are too big"
_ID_BITS = 40
"""Ids of these are drawn above the ids of single events (`Acks` counts from 0), so that no two are alike, not even
those of two servers of a cluster: the packet is encoded once for all."""


class Question:
    """One of them. ``waiter`` is done as soon as all have answered or gone, or the time is over."""

    __slots__ = ("gathering", "waiter")

    def __init__(self) -> None:
        self.gathering = Gathering((1 << _ID_BITS) + secrets.randbits(_ID_BITS), self._settle)
        self.waiter: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()

    def _settle(self) -> None:
        if self.waiter.done():
            return
        gathering = self.gathering
        if gathering.lost:
            reasons = ", ".join(sorted(set(gathering.lost.values())))
            failure = AckError if TOO_BIG in reasons else DisconnectedError
            self.waiter.set_exception(failure(reasons, gathering.answers, gathering.missing))
        else:
            self.waiter.set_result(gathering.answers)

    def time_out(self, timeout_s: float) -> None:
        if self.waiter.done():
            return
        gathering = self.gathering
        missing = len(gathering.missing)
        silent = f"{missing} of {missing + len(gathering.answers)} did not acknowledge within {timeout_s:g} s"
        if gathering.silent_nodes:
            silent += f", and {len(gathering.silent_nodes)} servers did not say whom they ask"
        self.waiter.set_exception(AckTimeoutError(silent, gathering.answers, gathering.missing))


class _Deadline:
    """Of a question, on the timer wheel; lets go of it when it is settled, however far the deadline is."""

    __slots__ = ("_due_s", "_timeout_s", "question", "wheel_slot")

    def __init__(self, question: Question, due_s: float, timeout_s: float) -> None:
        self.question: Question | None = question
        self.wheel_slot = 0
        self._due_s = due_s
        self._timeout_s = timeout_s

    def on_due(self, now_s: float) -> float | None:
        if self.question is None:
            return None
        if now_s < self._due_s:
            return self._due_s
        self.question.time_out(self._timeout_s)
        return None


class Questions:
    """Bound: `MAX_OPEN` of ours and as many of other servers (`adapters.polls`), each with one entry a socket that
    was asked, and `MAX_ANSWER_BYTES` of answers in all."""

    __slots__ = ("_own", "_server", "_size", "_sizes", "open")

    def __init__(self, server: Server) -> None:
        self._server = server
        self.open: dict[int, Gathering] = {}
        """By the id that the packet carries; those of other servers, too."""
        self._own = 0
        self._sizes: Counter[int] = Counter()
        self._size = 0

    async def ask(self, send: Callable[[Gathering], None], timeout_s: float) -> list[Any]:
        """Let ``send`` send the packet with the gathering's id, and wait for the answers.

        Raises what `BroadcastOperator.emit_with_ack` raises.
        """
        if self._server.loop is None or asyncio.get_running_loop() is not self._server.loop:
            raise NotRunningError("emit_with_ack is awaited on the loop that the server runs on")
        if self._own >= MAX_OPEN:
            self._server.statistics.refused["too many broadcasts with acknowledgement"] += 1
            raise AckError(f"{MAX_OPEN} broadcasts wait for acknowledgements already")
        due_s = self._server.clock.monotonic_s() + timeout_s
        question = Question()
        deadline = _Deadline(question, due_s, timeout_s)
        waiter = question.waiter
        self._own += 1
        try:
            send(question.gathering)
            if not waiter.done():
                self._server.wheel.schedule(deadline, due_s)
            return await waiter
        finally:
            self._own -= 1
            question.gathering.give_up()
            self.forget(question.gathering.ack_id)
            deadline.question = None
            if not waiter.cancel() and not waiter.cancelled():
                waiter.exception()  # heard, even if whoever asked has been cancelled meanwhile

    def remember(self, gathering: Gathering) -> None:
        """Tell ``gathering`` of answers from now on."""
        self.open[gathering.ack_id] = gathering

    def forget(self, ack_id: int) -> None:
        """Nobody waits for these answers any more."""
        self.open.pop(ack_id, None)
        self._size -= self._sizes.pop(ack_id, 0)

    def answered(self, sid: str, ack_id: int, answers: list[Any]) -> None:
        """An ACK packet has come from ``sid``; one that was not asked for is ignored."""
        gathering = self.open.get(ack_id)
        if gathering is None or not gathering.is_waiting_for(sid):
            return
        size = _size(answers[:1])
        if self._size + size > MAX_ANSWER_BYTES:
            self._server.statistics.refused[TOO_BIG] += 1
            gathering.lose(sid, TOO_BIG)
        else:
            self._size += size
            self._sizes[ack_id] += size
            gathering.answer(sid, answers)

    def lose(self, sid: str, reason: str) -> None:
        """``sid`` has gone away."""
        for gathering in tuple(self.open.values()):
            gathering.lose(sid, reason)


def _size(answers: list[Any]) -> int:
    """Bytes of what a client has answered, attachments included."""
    attached = 0

    def count(attachment: bytes) -> None:
        nonlocal attached
        attached += len(attachment)

    return len(orjson.dumps(answers, count)) + attached
