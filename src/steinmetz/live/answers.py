"""The answers that somebody listens to: computed once a commit, however many listen, and said if they differ.

commit -> every `Watch` that it concerns asks for its turn -> `Turns` -> computed within the process -> said

Private answers (trap T32) are not computed again: their listeners hear that they are stale.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection
from typing import Protocol

import structlog

from steinmetz.cache.asgi.within import Answered, Place, Within
from steinmetz.clock import Clock, perf_ns
from steinmetz.gcra import Rate
from steinmetz.live.audience import Audience
from steinmetz.live.bindings import Binding
from steinmetz.live.measured import Measured
from steinmetz.live.telling import Said
from steinmetz.live.turns import Turns
from steinmetz.live.watch import Watch
from steinmetz.sql.effects import WriteSet

log = structlog.get_logger("steinmetz.live")

RATE = Rate(5, 0.04)
"""Of one answer: five computations at once, then 25 a second; the newest state wins."""
PRIVATE_RATE = Rate(2, 0.5)
"""How often somebody hears that his own answer is stale who does not fetch it."""
MAX_ANSWERS = 10_000
MAX_BODY_BYTES = 262_144
"""Above it an answer is for fetching, not for sending with every change: a client's queue holds 1 MB."""
RETRY_S = 1.0
LONGEST_RETRY_S = 30.0
"""After an answer that failed: doubled each time, unless a commit comes before."""
LONGEST_WAIT_S = 3_600.0
"""Timers follow the monotonic clock, midnights the wall clock: look again after an hour at the latest."""


class UnfitAnswerError(Exception):
    """``answered`` is none that can be listened to; ``answered`` None: there is none, computing it has failed."""

    def __init__(self, answered: Answered | None, why: str) -> None:
        super().__init__(why)
        self.answered = answered


class CrowdedError(Exception):
    """As many answers are listened to as there may be."""


class Speaker(Protocol):
    """Says things to the audience of an answer."""

    def is_heard(self, audience: Audience) -> bool:
        """Whether anybody listens, or waits to."""

    def tell(self, answer: Heard, before: Said | None, now: Said, *, is_news: bool) -> None:
        """The answer is another now; ``is_news``: also for rooms, which compare with what they had before."""

    def tell_stale(self, answer: Heard) -> None: ...

    def tell_end(self, answer: Heard, error: UnfitAnswerError) -> None:
        """It is no answer any more that its clients can listen to."""


class Heard:
    """One answer and those who hear of it."""

    __slots__ = ("audience", "cost_s", "expiry", "failures", "lock", "place", "retry", "watch")

    def __init__(self, place: Place) -> None:
        self.place = place
        self.watch = Watch()
        self.audience = Audience()
        self.lock = asyncio.Lock()
        self.cost_s = 0.0
        self.failures = 0
        self.expiry: asyncio.TimerHandle | None = None
        self.retry: asyncio.TimerHandle | None = None

    @property
    def name(self) -> str:
        return self.place.path


class Answers:
    """Bound: `MAX_ANSWERS`, and those that the application has bound itself. Used on the event loop only."""

    def __init__(self, within: Within, speaker: Speaker, clock: Clock) -> None:
        self.within = within
        self._speaker = speaker
        self._clock = clock
        self._heard: dict[bytes, Heard] = {}
        self._bound: list[Heard] = []
        self._turns: Turns[bytes] = Turns()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.computations = 0

    def __len__(self) -> int:
        return len(self._heard)

    def __contains__(self, place: Place) -> bool:
        return place.key in self._heard

    # -- who listens

    def at(self, place: Place) -> Heard:
        """The answer at ``place``, listened to from now on; `release` it when its audience has changed.

        Raises `CrowdedError`.
        """
        heard = self._heard.get(place.key)
        if heard is None:
            if len(self._heard) >= MAX_ANSWERS:
                raise CrowdedError
            heard = self._heard[place.key] = Heard(place)
        return heard

    def bind(self, binding: Binding) -> None:
        """Let the room of ``binding`` hear of its answer, whenever anybody is in it."""
        heard = self.at(self.within.bound(binding.path, binding.principal))
        heard.audience.bindings.append(binding)
        if heard not in self._bound:
            self._bound.append(heard)

    def release(self, heard: Heard) -> None:
        """Somebody has gone: an answer that nobody listens to is forgotten."""
        if self._speaker.is_heard(heard.audience):
            return
        if not heard.watch.is_computing:
            heard.watch.forget()
        self._stop(heard)
        if not heard.audience.bindings and self._heard.get(heard.place.key) is heard:
            del self._heard[heard.place.key]
            self._turns.forget(heard.place.key)

    async def fresh(self, heard: Heard) -> None:
        """Have the answer known, of a state that is no older than this call.

        Raises `UnfitAnswerError`.
        """
        watch, begun = heard.watch, heard.watch.computations
        async with heard.lock:
            if not watch.is_moved and watch.said is not None:
                return
            if watch.computations == begun or not watch.said:
                await self._compute(heard)

    # -- commits and time

    def committed(self, writes: WriteSet) -> None:
        """A commit stands, and the cache has dropped what it concerned."""
        for heard in list(self._heard.values()):
            watch = heard.watch
            if watch.is_computing:
                watch.note(writes)
            elif not self._speaker.is_heard(heard.audience):
                # No news to those who join later: they fetch when they have come.
                self.release(heard)
            else:
                is_new = watch.note(writes)
                if is_new or (watch.is_moved if heard.place.is_private else watch.said is None or heard.failures):
                    self._ask(heard)

    def entered(self, rooms: Collection[str]) -> None:
        """Somebody came who is in ``rooms``: have their answers at hand, to compare the next ones with."""
        for heard in self._bound:
            if heard.watch.said is None and any(binding.room in rooms for binding in heard.audience.bindings):
                self._ask(heard)

    def expired(self, heard: Heard) -> None:
        """The answer has become untrue though nobody wrote: compute it again for those who look at it."""
        heard.expiry = None
        if not self._speaker.is_heard(heard.audience):
            self.release(heard)
            return
        heard.watch.expire()
        self._ask(heard)

    async def settled(self) -> None:
        """Wait until all that was committed by now has been said."""
        await self._idle.wait()

    def _ask(self, heard: Heard) -> None:
        rate = PRIVATE_RATE if heard.place.is_private else RATE
        self._turns.ask(heard.place.key, rate, heard.cost_s * max(1, len(heard.audience)))
        self._idle.clear()
        self._wake.set()

    # -- computing

    async def run(self) -> None:
        """Give every answer its turn, one after the other."""
        try:
            while True:
                self._wake.clear()
                key, wait_s = self._turns.next(_now_s())
                if key is not None:
                    await self._take_turn(key)
                    continue
                if wait_s is None:
                    self._idle.set()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._wake.wait()
        finally:
            for heard in self._heard.values():
                self._stop(heard)

    async def _take_turn(self, key: bytes) -> None:
        heard = self._heard.get(key)
        if heard is None:
            return
        if not self._speaker.is_heard(heard.audience):
            self.release(heard)
            return
        async with heard.lock:
            if heard.place.is_private:
                self._stale(heard)
            elif heard.watch.is_moved or heard.watch.said is None:
                with contextlib.suppress(UnfitAnswerError):
                    await self._compute(heard)

    def _stale(self, heard: Heard) -> None:
        """Say so, unless it was fetched again meanwhile, and nothing that it read has been written since."""
        if not heard.watch.is_moved:
            return
        kept = self.within.kept(heard.place)
        if kept is not None:
            heard.watch.adopt(kept.read_set)
            self._await_expiry(heard, kept.valid_until_s)
        else:
            self._speaker.tell_stale(heard)

    async def _compute(self, heard: Heard) -> None:
        """Compute once and say it if it differs. With the lock held. Raises `UnfitAnswerError`, which is told,
        too."""
        watch = heard.watch
        watch.begin()
        self.computations += 1
        measured = Measured(self._answer(heard))
        try:
            answered, now = await measured
        except BaseException as error:
            watch.fail()
            if isinstance(error, UnfitAnswerError):
                self._unfit(heard, error)
            raise
        finally:
            heard.cost_s = measured.spent_ns / 1e9
            self._turns.spent(heard.cost_s, _now_s())
        heard.failures = 0
        before = watch.finish(answered.read_set, now)
        is_news, watch.is_unsaid = before is not None or watch.is_unsaid, False
        self._await_expiry(heard, answered.valid_until_s)
        if watch.is_moved:
            self._ask(heard)
        if not heard.place.is_private and (before is None or before.etag != now.etag):
            self._tell(heard, before, now, is_news=is_news)

    def _tell(self, heard: Heard, before: Said | None, now: Said, *, is_news: bool) -> None:
        try:
            self._speaker.tell(heard, before, now, is_news=is_news)
        except Exception as error:
            # What the application makes of it may be wrong, or be nothing that can be sent: others still hear.
            log.error("An answer could not be told", path=heard.name, error=type(error).__name__, exc_info=error)

    async def _answer(self, heard: Heard) -> tuple[Answered, Said]:
        try:
            answered = await self.within.answer(heard.place)
        except Exception as error:
            log.error("Recomputation failed", path=heard.name, error=type(error).__name__, exc_info=error)
            raise UnfitAnswerError(None, "the answer could not be computed") from error
        if answered.status != 200:
            raise UnfitAnswerError(answered, f"the answer is {answered.status}")
        if heard.audience.bindings:
            return answered, Said.of(answered.etag, answered.body)
        if answered.varies:
            raise UnfitAnswerError(answered, "a field of the request selects this answer")
        if len(answered.body) > MAX_BODY_BYTES:
            raise UnfitAnswerError(answered, f"the answer has more than {MAX_BODY_BYTES} bytes")
        try:
            return answered, Said.of(answered.etag, answered.body)
        except ValueError:
            raise UnfitAnswerError(answered, "the answer is no JSON") from None

    def _unfit(self, heard: Heard, error: UnfitAnswerError) -> None:
        """For good: say so to clients. For now, or where the application wants to hear of it: try again."""
        is_passing = error.answered is None or error.answered.status >= 500
        if not is_passing:
            self._speaker.tell_end(heard, error)
        if error.answered is not None and heard.audience.bindings:
            log.error("Recomputation refused", path=heard.name, status=error.answered.status)
        if (is_passing or heard.audience.bindings) and self._speaker.is_heard(heard.audience):
            heard.failures += 1
            delay_s = min(LONGEST_RETRY_S, RETRY_S * 2 ** min(heard.failures - 1, 10))
            if heard.retry is not None:
                heard.retry.cancel()
            heard.retry = asyncio.get_running_loop().call_later(delay_s, self._ask, heard)

    def _await_expiry(self, heard: Heard, valid_until_s: float | None) -> None:
        if heard.expiry is not None:
            heard.expiry.cancel()
            heard.expiry = None
        if valid_until_s is not None:
            delay_s = max(0.0, valid_until_s - self._clock.now().timestamp())
            loop = asyncio.get_running_loop()
            if delay_s > LONGEST_WAIT_S:
                heard.expiry = loop.call_later(LONGEST_WAIT_S, self._await_expiry, heard, valid_until_s)
            else:
                heard.expiry = loop.call_later(delay_s, self.expired, heard)

    def _stop(self, heard: Heard) -> None:
        for timer in (heard.expiry, heard.retry):
            if timer is not None:
                timer.cancel()
        heard.expiry = heard.retry = None


def _now_s() -> float:
    return perf_ns() / 1e9
