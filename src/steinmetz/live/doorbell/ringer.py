"""The mouth of whoever writes: tells every live server on the same database of each commit, before and after it.

A `TransactionObserver` for the writer's own hook. Alone, a commit pays one look at the folder's time stamp. With
neighbours, `mark` returns when all of them have heard, so that COMMIT is sent only then; `bump` likewise, so that
nobody is told of a success that a neighbour does not know of yet.

A neighbour that does not answer within ``patience_s`` (it hangs, or its machine swaps) is told *without waiting*
from then on, until it has caught up: its messages wait in the socket, and it acts on them, in order, when it goes
on. It is named in a warning. If the socket is full, the line is cut, which counts there as "anything was written".

What is heard from a neighbour is never rung onward, so rings have no cycles.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from sqlalchemy.util import await_only
from sqlalchemy.util.concurrency import in_greenlet

from steinmetz.clock import Clock, SystemClock
from steinmetz.live.doorbell.messages import (
    Bump,
    Bye,
    Decoder,
    Elsewhere,
    Heard,
    Hello,
    Mark,
    Message,
    MessageError,
    Said,
    Unmark,
    Wrote,
    encode,
)
from steinmetz.live.doorbell.place import Listing, Place
from steinmetz.sql.effects import WriteSet

log = structlog.get_logger("steinmetz.live")

PATIENCE_S = 2.0
CHUNK_BYTES = 65_536

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class _Line:
    """The conversation with one neighbour; ``unanswered`` messages are on their way to it or back."""

    name: str
    socket: socket.socket
    decoder: Decoder = field(default_factory=Decoder)
    unanswered: int = 0
    is_late: bool = False
    is_elsewhere: bool = False
    is_cut: bool = False

    @property
    def pid(self) -> str:
        return self.name.partition("-")[0]

    def cut(self) -> None:
        """Without a Bye: the neighbour then takes anything for written."""
        self.is_cut = True
        self.socket.close()

    def send(self, message: Message, wait_s: float) -> None:
        """To a late neighbour at once or not at all."""
        try:
            self.socket.settimeout(0 if self.is_late else max(wait_s, 0.001))
            frame = encode(message)
            if self.is_late:
                if self.socket.send(frame) < len(frame):
                    self.cut()
                    return
            else:
                self.socket.sendall(frame)
            self.unanswered += 1
        except OSError as error:
            self.is_late = self.is_late or isinstance(error, TimeoutError)
            self.cut()

    def hear(self, wait_s: float) -> None:
        """Take the answers that are there, or come within ``wait_s``; `is_late` if some are still wanting."""
        try:
            while self.unanswered and not self.is_cut:
                self.socket.settimeout(max(wait_s, 0))
                received = self.socket.recv(CHUNK_BYTES)
                if not received:
                    self.cut()
                    return
                for answer in self.decoder.feed(received):
                    self._take(answer)
            self.is_late = False
        except (TimeoutError, BlockingIOError):
            self.is_late = True
        except (OSError, MessageError):
            self.cut()

    def _take(self, answer: Message) -> None:
        match answer:
            case Heard():
                self.unanswered -= 1
            case Elsewhere():
                self.is_elsewhere = True
                self.cut()
            case _:
                self.cut()


@dataclass(frozen=True, slots=True)
class _Rung:
    """The token of one mark: who was told of it."""

    number: int
    writes: WriteSet
    lines: frozenset[_Line]


class Ringer:
    """Rings at every doorbell of ``place`` but the one named ``own``; thread-safe.

    ``who`` is how neighbours name the writer, e.g. ``steinmetz seed``. ``warn`` is called with a sentence for
    people when a neighbour could not be told in time; it is logged otherwise.
    """

    def __init__(
        self,
        place: Place,
        *,
        who: str,
        own: str = "",
        patience_s: float = PATIENCE_S,
        warn: Callable[[str], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.place = place
        self.patience_s = patience_s
        self._who = who
        self._own = own
        self._warn = warn or (lambda sentence: log.warning(sentence))
        self._clock = clock or SystemClock()
        self._listing = Listing(place.folder, self._clock)
        self._lines: dict[str, _Line] = {}
        self._elsewhere: set[str] = set()
        self._numbers = 0
        self._lock = threading.Lock()
        self._hand = ThreadPoolExecutor(1, thread_name_prefix="doorbell-ringer")
        self._is_closed = False
        self._complained: set[str] = set()

    # -- TransactionObserver

    def mark(self, writes: WriteSet) -> object:
        if self._is_alone():
            return _Rung(-1, writes, frozenset())
        return self._carried(lambda: self._mark(writes))

    def bump(self, token: object) -> None:
        assert isinstance(token, _Rung)
        if token.lines or not self._is_alone():
            self._carried(lambda: self._end(token, Bump(token.number)))

    def unmark(self, token: object) -> None:
        assert isinstance(token, _Rung)
        if token.lines:
            self._carried(lambda: self._end(token, Unmark(token.number)))

    def lost(self, token: object) -> None:
        """The commit may yet come to pass: a second mark stands at the neighbours until its lease ends."""
        assert isinstance(token, _Rung)
        self.mark(token.writes)
        self.bump(token)

    # -- for writers without a hook

    @contextmanager
    def around_commit(self, writes: WriteSet) -> Iterator[None]:
        """Send the COMMIT of ``writes`` inside. However the block ends, the writes count as standing."""
        token = self.mark(writes)
        try:
            yield
        finally:
            self.bump(token)

    # -- what else neighbours are told

    def say(self, body: Any) -> None:
        """Have every neighbour say ``body`` (JSON), after all that was rung before; does not wait.

        What is no JSON or longer than a message may be is dropped with a warning.
        """
        if self._is_alone():
            return
        if self._is_closed:
            self._say(body)
        else:
            self._hand.submit(self._say, body)

    def neighbours(self) -> list[str]:
        """The process ids of the live servers on this database, a hanging one included. Blocks."""
        with self._lock:
            self._ring(lambda line: None)
            return sorted(line.pid for line in self._lines.values())

    def close(self) -> None:
        """Say what is still to be said, and Bye. Blocks for the ringer's patience at most."""
        self._is_closed = True
        self._hand.shutdown(wait=True)
        with self._lock:
            lines, self._lines = list(self._lines.values()), {}
            for line in lines:
                line.hear(0)
                if not line.is_cut and not line.unanswered:
                    line.send(Bye(), self.patience_s)
                line.socket.close()

    # -- from two worlds (trap T5)

    def _carried(self, work: Callable[[], T]) -> T:
        """Do what blocks on a thread while a greenlet's event loop goes on; anywhere else, here."""
        if self._is_closed or not in_greenlet():
            return work()
        result: T = await_only(_to_the_end(self._hand.submit(work)))
        return result

    # -- one at a time, under the lock

    def _is_alone(self) -> bool:
        """Whether nobody is there to be told; one look at a time stamp, no lock."""
        try:
            return not (self._lines or self._others())
        except OSError:
            return False  # `_ring` says what is wrong

    def _others(self) -> frozenset[str]:
        return self._listing.names() - self._elsewhere - {self._own}

    def _mark(self, writes: WriteSet) -> _Rung:
        with self._lock:
            self._numbers += 1
            mark = Mark(self._numbers, writes)
            return _Rung(mark.number, writes, frozenset(self._ring(lambda line: mark)))

    def _end(self, rung: _Rung, end: Bump | Unmark) -> None:
        """Who came up after the mark is told of the whole commit; of one rolled back it need not know."""
        news = Wrote(rung.writes) if isinstance(end, Bump) else None
        with self._lock:
            told = self._ring(lambda line: end if line in rung.lines else news)
            if news is not None and not rung.lines <= set(told):
                # A line broke, perhaps before COMMIT was sent: if its neighbour still lives, he must hear of it.
                self._ring(lambda line: None if line in told else news)

    def _say(self, body: Any) -> None:
        try:
            encode(said := Said(body))
        except MessageError as error:
            self._warn(f"An announcement could not be passed on to other servers: {error}")
            return
        with self._lock:
            self._ring(lambda line: said)

    def _ring(self, message_for: Callable[[_Line], Message | None]) -> list[_Line]:
        """Tell everybody first, then wait for all answers together; returns who has been told."""
        deadline_s = self._clock.monotonic_s() + self.patience_s
        self._visit(deadline_s)
        told: list[_Line] = []
        late: set[_Line] = set()
        for line in self._lines.values():
            if line.is_late:
                line.hear(0)
            if line.is_late:
                late.add(line)
            message = message_for(line)
            if message is not None and not line.is_cut:
                line.send(message, deadline_s - self._clock.monotonic_s())
            told.append(line)
        for line in told:
            if not line.is_cut:
                line.hear(0 if line in late else deadline_s - self._clock.monotonic_s())
            if line.is_late and line not in late:
                self._complain(line.name, "does not answer")
        for line in told:
            if line.is_cut:
                del self._lines[line.name]
            if line.is_elsewhere:
                self._elsewhere.add(line.name)
        return [line for line in told if not line.is_cut]

    def _visit(self, deadline_s: float) -> None:
        """Open a line to everybody who is new."""
        try:
            names = self._others()
        except OSError as error:
            self._complain("", f"cannot be looked for ({error.strerror or error})")
            return
        self._elsewhere &= self._listing.names()
        for name in names - self._lines.keys():
            try:
                opened = self.place.knock(name, deadline_s - self._clock.monotonic_s())
            except OSError as error:
                self._complain(name, f"cannot be reached ({error.strerror or type(error).__name__})")
                continue
            if opened is not None:
                line = self._lines[name] = _Line(name, opened)
                line.send(Hello(self.place.database, f"{self._who} ({os.getpid()})"), self.patience_s)

    def _complain(self, name: str, what: str) -> None:
        """Once for each neighbour: it may go on hanging for a thousand commits."""
        if name in self._complained:
            return
        self._complained.add(name)
        server = f"The server of process {name.partition('-')[0]}" if name else "Running servers"
        self._warn(
            f"{server} {what}: answers there may be older than this write until it has caught up; "
            "if it hangs, restart it"
        )


async def _to_the_end(work: Future[T]) -> T:
    """Wait for ``work`` even if cancelled (it is bounded), then let the cancellation go on."""
    waiting = asyncio.wrap_future(work)
    is_cancelled = False
    while not waiting.done():
        try:
            await asyncio.shield(waiting)
        except asyncio.CancelledError:
            is_cancelled = True
    task = asyncio.current_task()
    if is_cancelled and task is not None:
        # To be raised at the next await, by the one who can still do right by it, and counted once.
        task.uncancel()
        task.cancel()
    return waiting.result()
