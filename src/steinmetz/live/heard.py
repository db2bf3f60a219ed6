"""One answer that somebody listens to, and what it takes to tell of it."""

from __future__ import annotations

import asyncio
from typing import Protocol

from steinmetz.cache.asgi.within import Answered, Viewpoint
from steinmetz.live.audience import Audience
from steinmetz.live.telling import Said
from steinmetz.live.watch import Watch
from steinmetz.sql.effects import ReadSet


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

    __slots__ = ("audience", "cost_s", "expiry", "failures", "filed", "lock", "retry", "viewpoint", "watch")

    def __init__(self, viewpoint: Viewpoint) -> None:
        self.viewpoint = viewpoint
        self.watch = Watch()
        self.audience = Audience()
        self.lock = asyncio.Lock()
        self.cost_s = 0.0
        self.failures = 0
        self.filed: ReadSet | None = None
        """The read set by which a commit finds it; None: every commit looks at it."""
        self.expiry: asyncio.TimerHandle | None = None
        self.retry: asyncio.TimerHandle | None = None

    @property
    def name(self) -> str:
        return self.viewpoint.path

    @property
    def settled_reads(self) -> ReadSet | None:
        """What it depends on, if that is known and nothing else is to be waited for."""
        watch = self.watch
        if watch.is_moved or watch.is_computing or self.failures or watch.read_set is None:
            return None
        return watch.read_set if watch.read_set.is_certain else None
