"""This process as one of several on the same database: follows the log of writes, and answers for what it keeps.

log -> applied to our own epochs, in order -> the rules within one process

`strong` asks where the log ends at every request (one question for all who wait), `session` and `bounded` rely on
what was last confirmed. Everything here runs on the event loop of the first request; the log is applied in one
place, `_ask`, of which only one runs at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any, assert_never

import structlog

from steinmetz.cache.invalidation.coherence import Coherence
from steinmetz.cache.invalidation.link import Joined, Link, Looked, Offered, UnreachableError
from steinmetz.cache.invalidation.looking import SharedLook
from steinmetz.cache.invalidation.telling import Telling
from steinmetz.cache.invalidation.writes import WriteObserver
from steinmetz.cache.policy.breaker import Breaker
from steinmetz.cache.policy.change_log import Following, LogEntry, Op, Position
from steinmetz.cache.policy.consistency import SESSION, UNTOLD, Consistency, Session, tokens_of
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.epochs import Mark
from steinmetz.cache.policy.packed import life_s, packed, unpacked
from steinmetz.clock import Clock, SystemClock
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.scope import ScopeKind, open_scope
from steinmetz.sql.transaction_observer import TransactionObserver
from steinmetz.tasks import Tasks

log = structlog.get_logger("steinmetz.cache")

RETRY_S = 0.1
MAX_OFFERS = 256
"""Answers on their way to the second store; more are not offered."""
MAX_MARKS = 4_096
LIFE_WORTH_S = 1.0
"""An answer with less life left is not offered."""


class ClusterNode:
    """Implements `steinmetz.cache.invalidation.cluster.Cluster` over a `Link`; made by `redis_cluster`."""

    def __init__(
        self,
        link: Link,
        *,
        node: str,
        lease_s: float,
        consistency: Consistency = SESSION,
        clock: Clock | None = None,
    ) -> None:
        self.following = Following()
        self.breaker = Breaker()
        self.fetched = 0
        self.offered = 0
        self.offers_dropped = 0
        self._link = link
        self._node = node
        self._lease_s = lease_s
        self._usual = consistency
        self._clock = clock or SystemClock()
        self.telling = Telling(link, self._clock)
        self._looking = SharedLook(self._ask)
        self._marks: dict[tuple[str, int], Mark] = {}
        self._offering = 0
        self._tasks: Tasks | None = None
        # Writes of others belong to no request of ours, on whose behalf ever they are noticed.
        self._context = Context()
        self.on_unknown: Callable[[], None] = lambda: None
        """Called before the bump of a write of anything by others, which may have been of the schema."""
        self._local: WriteObserver
        self._coherence: Coherence

    def attach(self, local: WriteObserver, coherence: Coherence) -> None:
        self._local = local
        self._coherence = coherence

    @property
    def observer(self) -> TransactionObserver:
        return self.telling

    def start(self) -> None:
        self._started()

    def _started(self) -> Tasks:
        if self._tasks is None:
            self._tasks = Tasks("cache cluster")
            self._tasks.spawn("follow", self._follow())
        return self._tasks

    async def aclose(self) -> None:
        tasks, self._tasks = self._tasks, None
        if tasks is not None:
            await tasks.aclose()
        await self._looking.aclose()
        await asyncio.to_thread(self.telling.close)
        try:
            await self._link.aclose()
        except UnreachableError as error:
            log.debug("Redis was gone already", error=str(error))

    # -- what may be given

    def stands(self, consistency: Consistency, token: bytes | None) -> bool:
        if isinstance(consistency, Session):
            consistency = self._usual
        return self.following.stands(consistency, tokens_of(token), self._clock.monotonic_s())

    async def caught_up(self, consistency: Consistency, token: bytes | None) -> bool:
        if self.stands(consistency, token):
            return True
        tokens = tokens_of(token)
        if UNTOLD in tokens:
            return False
        self._started()
        return await self._looking.look() and self.following.has_reached_asked(tokens)

    def token(self) -> bytes:
        if self.telling.owes:
            return bytes(UNTOLD)
        told, known = self.telling.last, self.following.position
        if known is not None and (told is None or (told.boot == known.boot and told.number < known.number)):
            return b"%b.%d" % (known.boot, known.number)
        return b"" if told is None else bytes(told)

    # -- the log

    async def _follow(self) -> None:
        """Apply what others write as it comes; between their writes, hear now and then that there is nothing."""
        while self._tasks is not None:  # the driver now and then swallows a cancellation
            await self.telling.pay()
            if not await self._looking.look():
                await asyncio.sleep(RETRY_S)
                continue
            position = self.following.position
            try:
                if position is not None:
                    await self._link.wait(position.number)
            except UnreachableError:
                await asyncio.sleep(RETRY_S)

    async def _ask(self) -> bool:
        """Be where the log ends, as of a moment after this began."""
        if not self.breaker.allows(self._clock.monotonic_s()):
            return False
        try:
            while not await self._reached():
                pass
        except UnreachableError as error:
            if self.breaker.is_closed:
                log.warning("Redis does not answer: cached answers are by-passed", error=str(error))
            self.breaker.failed(self._clock.monotonic_s())
            return False
        except BaseException:
            self.breaker.failed(self._clock.monotonic_s())
            raise
        if not self.breaker.is_closed:
            log.info("Redis answers again: answers are kept from now on")
        self.breaker.succeeded()
        return True

    async def _reached(self) -> bool:
        """Ask once; whether that was all there is."""
        sent_s = self._clock.monotonic_s()
        known = self.following.position
        looked = await self._link.look(0 if known is None else known.number)
        position = looked.position
        if (
            position is None
            or self.following.must_reset(position, sent_s)
            or not self._context.run(self._apply, looked)
        ):
            await self._begin_anew()
            return True
        return self.following.confirm(position, sent_s)

    def _apply(self, looked: Looked) -> bool:
        """Do what others did; False if something is missing between what we know and what is told."""
        for entry in looked.entries:
            is_next = self.following.takes(entry)
            if is_next is None:
                return False
            if is_next:
                if entry.node != self._node:  # our own we did ourselves, at once
                    with open_scope(ScopeKind.COMMAND, f"node {entry.node}"):
                        self._do(entry)
                self.following.took(entry)
        known = self.following.position
        return (
            bool(looked.entries)
            or known is None
            or looked.position is None
            or known.number >= looked.position.number
        )

    def _do(self, entry: LogEntry) -> None:
        local, name = self._local, (entry.node, entry.mark)
        match entry.op:
            case Op.MARK:
                self._put_up(name, entry.writes, self._lease_s)
            case Op.BUMP:
                mark = self._marks.pop(name, None)
                if entry.writes.unknown:
                    self.on_unknown()
                local.bump(local.mark(entry.writes) if mark is None else mark)
            case Op.UNMARK:
                mark = self._marks.pop(name, None)
                if mark is not None:
                    local.unmark(mark)
            case Op.MOVE:
                local.move(entry.writes)
            case Op.CLEAR:
                local.forget()
            case Op.JOIN:
                pass
            case _ as never:
                assert_never(never)

    def _put_up(self, name: tuple[str, int], writes: WriteSet, lease_s: float) -> None:
        if len(self._marks) >= MAX_MARKS:  # their writers have died: their leases end them
            now_s = self._clock.monotonic_s()
            self._marks = {each: mark for each, mark in self._marks.items() if mark.lease_ends_s > now_s}
        mark = self._local.mark(writes, lease_s)
        assert isinstance(mark, Mark)
        self._marks[name] = mark

    async def _begin_anew(self) -> None:
        """Forget everything, for nobody can say what has been written meanwhile; go on from the log's end."""
        self.following.lose()
        sent_s = self._clock.monotonic_s()
        joined = await self._link.join()
        self._context.run(self._forget, joined, sent_s)

    def _forget(self, joined: Joined, sent_s: float) -> None:
        before, self._marks = self._marks, {}
        for opened in joined.marks:
            if opened.node != self._node:
                self._put_up((opened.node, opened.mark), opened.writes, opened.lease_s)
        for mark in before.values():
            self._local.unmark(mark)
        with open_scope(ScopeKind.COMMAND, "a gap in the cluster's log"):
            self.on_unknown()
            self._local.forget()
        self.following.reset(joined.position, sent_s)

    # -- the second store

    async def fetch(self, key: bytes) -> Entry | None:
        if self.telling.owes or not self.breaker.is_closed:
            return None
        try:
            offered = await self._link.fetch(key)
        except UnreachableError:
            self.breaker.failed(self._clock.monotonic_s())
            return None
        if offered is None or (self._is_behind(offered.number) and not await self._looking.look()):
            return None
        entry = self._believed(key, offered)
        if entry is not None:
            self.fetched += 1
        return entry

    def _is_behind(self, number: int) -> bool:
        """Whether something up to ``number``, or something that we told ourselves, has not been applied yet."""
        known, told = self.following.position, self.telling.last
        if known is None or known.number < number:
            return True
        return told is not None and (told.boot != known.boot or told.number > known.number)

    def _believed(self, key: bytes, offered: Offered) -> Entry | None:
        """The answer, if nothing that it read has moved since; what moves from now on is `Coherence.keep`'s."""
        sequence = self._coherence.begin()
        known, told = self.following.position, self.telling.last
        if known is None or self.telling.owes:
            return None
        if told is not None and told.boot == known.boot and told.number > known.number:
            return None
        entry = unpacked(
            offered.packed,
            key,
            known.boot,
            left_s=offered.life_s,
            sequence=sequence,
            now_s=self._clock.monotonic_s(),
        )
        if entry is None or not self.following.is_unmoved_since(known.boot, offered.number, entry.read_set):
            return None
        return entry

    def offer(self, entry: Entry) -> None:
        known, now_s = self.following.position, self._clock.monotonic_s()
        if known is None or self.telling.owes or life_s(entry, now_s) < LIFE_WORTH_S:
            return
        if self._offering >= MAX_OFFERS or not self.breaker.is_closed:
            self.offers_dropped += 1
            return
        self._offering += 1
        # Kept just now, so all of the log up to here either does not concern it or is in it.
        self._started().spawn("offer", self._offer(entry, known))

    async def _offer(self, entry: Entry, good_at: Position) -> None:
        try:
            now_s = self._clock.monotonic_s()
            left_s = life_s(entry, now_s)
            value = packed(entry, good_at.boot, now_s) if entry.alive and left_s > 0 else None
            if value is not None:
                await self._link.offer(entry.key, good_at.boot, good_at.number, value, left_s)
                self.offered += 1
        except UnreachableError:
            self.offers_dropped += 1
        finally:
            self._offering -= 1

    # -- by hand

    def move(self, writes: WriteSet) -> None:
        self.telling.move(writes)

    async def moved(self, writes: WriteSet) -> None:
        await self.telling.moved(writes)

    def clear(self) -> None:
        self.telling.clear()

    # -- looking in

    def state(self) -> dict[str, Any]:
        now_s, telling = self._clock.monotonic_s(), self.telling
        position = self.following.position
        return {
            "node": self._node,
            "reachable": self.following.is_in_touch(now_s) and self.breaker.is_closed and not telling.owes,
            "position": None if position is None else position.number,
            "resets": self.following.resets,
            "looks": self._looking.asked,
            "requestsLooking": self._looking.shared,
            "breakerOpened": self.breaker.opened + telling.breaker.opened,
            "told": telling.told,
            "notTold": telling.failed,
            "owes": telling.owes,
            "marksOfOthers": len(self._marks),
            "fetched": self.fetched,
            "offered": self.offered,
            "offersDropped": self.offers_dropped,
        }
