"""Tells the cluster what this process commits: a mark before COMMIT, a bump after it, before anybody is told.

From a greenlet the telling is awaited, from a thread it blocks (trap T5). A transaction that only read never comes
here. The database's word is the last one: if Redis does not answer, the commit goes on.

What could not be told is *owed*: it is told first of all when Redis is back, as "anything may have been written".
Until then its acknowledgement is held back, for `HOLD_S` from the first failure: by then no node that lost Redis
with us believes what it keeps (see `steinmetz.cache.policy.change_log`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import structlog
from sqlalchemy.util import await_only, greenlet_spawn
from sqlalchemy.util.concurrency import in_greenlet

from steinmetz.cache.invalidation.link import Link, UnreachableError
from steinmetz.cache.policy.breaker import Breaker
from steinmetz.cache.policy.change_log import HOLD_S, Op
from steinmetz.cache.policy.consistency import Token
from steinmetz.clock import Clock
from steinmetz.sql.effects import WriteSet
from steinmetz.tasks import to_the_end

log = structlog.get_logger("steinmetz.cache")

HANDS = 8
"""Commits of greenlets that can be told at the same time; each takes a fraction of a millisecond."""
RETRY_S = 0.05
_NOTHING = WriteSet()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Told:
    """The token of one mark. ``number`` is ours, and tells it apart from our others."""

    number: int
    writes: WriteSet


class Telling:
    """The `TransactionObserver` of one node; thread-safe.

    ``failpoint``, if set by a test, is called with "marked" and "bumped" once Redis has been told.
    """

    def __init__(self, link: Link, clock: Clock, *, hold_s: float = HOLD_S) -> None:
        self.breaker = Breaker()
        self.last: Token | None = None
        """Where the log stood after the last thing that we told."""
        self.told = 0
        self.failed = 0
        self.failpoint: Callable[[str], None] | None = None
        self._link = link
        self._clock = clock
        self._hold_s = hold_s
        self._hands: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._attempt: Future[None] | None = None
        self._is_paying = False
        self._numbers = 0
        self._owed = self._paid = 0
        self._failing_since_s: float | None = None
        self._closed = threading.Event()

    # -- TransactionObserver

    def mark(self, writes: WriteSet) -> Told:
        with self._lock:
            self._numbers += 1
            told = Told(self._numbers, writes)
        if self.breaker.allows(self._clock.monotonic_s()):
            self._carried(lambda: self._tell(Op.MARK, told.number, told.writes))
        if self.failpoint is not None:
            self.failpoint("marked")
        return told

    def bump(self, token: object) -> None:
        assert isinstance(token, Told)
        self._stands(Op.BUMP, token.number, token.writes)
        if self.failpoint is not None:
            self.failpoint("bumped")

    def unmark(self, token: object) -> None:
        assert isinstance(token, Told)
        # If this fails, the lease ends the mark as a bump does: too much is dropped then, never too little.
        if self.breaker.is_closed:
            self._carried(lambda: self._tell(Op.UNMARK, token.number, _NOTHING))

    # -- what no transaction shows

    def move(self, writes: WriteSet) -> None:
        self._stands(Op.MOVE, 0, writes)

    def clear(self) -> None:
        self._stands(Op.CLEAR, 0, _NOTHING)

    async def moved(self, writes: WriteSet) -> None:
        """`move` for a coroutine that is no greenlet's."""
        await greenlet_spawn(self.move, writes)

    # -- what is owed

    @property
    def owes(self) -> bool:
        """Whether something was written that the others have not been told of."""
        return self._paid < self._owed

    async def pay(self) -> None:
        """Tell what is owed, if anything is and Redis answers."""
        if self.owes and not self._closed.is_set():
            await to_the_end(self._next_attempt())

    def close(self) -> None:
        self._closed.set()
        hands, self._hands = self._hands, None
        if hands is not None:
            hands.shutdown(wait=True)
        self._link.close()

    # -- from two worlds (trap T5)

    def _carried(self, work: Callable[[], T]) -> T:
        """Do what blocks on a thread while a greenlet's event loop goes on; anywhere else, here."""
        if self._closed.is_set() or not in_greenlet():
            return work()
        return _awaited(self._hand(work))

    def _hand(self, work: Callable[[], T]) -> Future[T]:
        with self._lock:
            if self._hands is None:
                self._hands = ThreadPoolExecutor(HANDS, thread_name_prefix="cache-telling")
            return self._hands.submit(work)

    # -- telling

    def _stands(self, op: Op, number: int, writes: WriteSet) -> None:
        """Something stands. Telling is never skipped, however often Redis has failed before: whoever reached it
        after our failing attempt read the database after our COMMIT."""
        if not self.owes and self.breaker.is_closed and self._carried(lambda: self._tell(op, number, writes)):
            return
        with self._lock:
            self._owed += 1
            owed = self._owed
        while not self._closed.is_set():
            _awaited(self._next_attempt())
            since_s = self._failing_since_s
            if self._paid >= owed or since_s is None:
                return
            if self._clock.monotonic_s() >= since_s + self._hold_s:
                return

    def _next_attempt(self) -> Future[None]:
        """The end of an attempt to pay that has not begun yet; all who wait share it, and none has a thread."""
        with self._lock:
            if self._attempt is None:
                self._attempt = Future()
                begin, self._is_paying = not self._is_paying, True
            else:
                begin = False
            attempt = self._attempt
        if begin:
            self._hand(self._pay)
        return attempt

    def _pay(self) -> None:
        """One attempt after the other, as long as somebody waits for one."""
        while True:
            with self._lock:
                attempt, self._attempt = self._attempt, None
                if attempt is None:
                    self._is_paying = False
                    return
                owed = self._owed
            if self._paid >= owed or self._tell(Op.CLEAR, 0, _NOTHING):
                self._paid = owed
                attempt.set_result(None)
            else:
                attempt.set_result(None)
                self._closed.wait(RETRY_S)

    def _tell(self, op: Op, number: int, writes: WriteSet) -> bool:
        began_s = self._clock.monotonic_s()
        try:
            token = self._link.tell(op, number, writes)
        except UnreachableError as error:
            with self._lock:
                self.failed += 1
                first = self._failing_since_s is None
                if first:
                    self._failing_since_s = began_s
                self.breaker.failed(self._clock.monotonic_s())
            if first:
                log.warning("Redis cannot be told of a commit; cached answers are by-passed", error=str(error))
            return False
        with self._lock:
            self.told += 1
            self._failing_since_s = None
            self.breaker.succeeded()
            if self.last is None or self.last.boot != token.boot or self.last.number < token.number:
                self.last = token
        return True


def _awaited(work: Future[T]) -> T:
    """The result of ``work``: awaited from a greenlet, waited for from a thread."""
    if not in_greenlet():
        return work.result()
    result: T = await_only(to_the_end(work))
    return result
