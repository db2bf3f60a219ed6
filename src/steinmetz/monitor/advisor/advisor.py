"""The advisor at work: runs beside the application on a database's own connection, and keeps its last advice.

sqlglot is needed (``pip install steinmetz[advisor]``); it is imported when advice is asked for, not before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from steinmetz.clock import Clock
from steinmetz.monitor.advisor.advice import Advice
from steinmetz.monitor.advisor.workload import Workload
from steinmetz.monitor.dialects.base import CannotExplain
from steinmetz.tasks import Tasks

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from steinmetz.monitor.dialects.consult import Terms

log = structlog.get_logger("steinmetz.monitor")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Step:
    """What a running advisor is doing."""

    what: str
    done: int
    total: int


class Stopped(Exception):  # noqa: N818  it is what was wanted, not an error
    """The run was given up because its owner closes."""


async def advise_on(
    engine: Engine | AsyncEngine,
    workload: Workload,
    *,
    verify: bool = False,
    terms: Terms | None = None,
    told: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Advice:
    """Advice for ``workload`` on the database behind ``engine``; it is asked on connections of its own, uncounted.

    ``verify``: statements are run with and without the indexes, on a copy or where ``terms`` allow it, never on
    the production tables otherwise. Raises `CannotExplain` for a database that cannot be asked.
    """
    from steinmetz.monitor.advisor.advise import advise
    from steinmetz.monitor.dialects.base import Proof, WhatIf
    from steinmetz.monitor.dialects.consult import consult

    def question(what_if: WhatIf, proof: Proof | None) -> Advice:
        advice = advise(
            workload,
            what_if,
            engine.dialect.name,
            proof=proof if verify else None,
            told=told,
        )
        if not verify:
            advice.not_verified_because = "It was not asked for."
        elif proof is None:
            advice.not_verified_because = "Statements are run on a copy only: name one (--database-url)."
        return advice

    return await consult(engine, question, terms)


async def _aside(engine: Engine | AsyncEngine, work: Callable[[Engine | AsyncEngine], Awaitable[T]]) -> T:
    """Keep the work off the running loop: PostgreSQL's async driver would do all of it there.

    It gets a thread, a loop and an engine of its own; SQLite's copy is worked on in a thread anyway.
    """
    if not isinstance(engine, AsyncEngine) or engine.dialect.name == "sqlite":
        return await work(engine)
    url = engine.url

    async def alone() -> T:
        own = create_async_engine(url, poolclass=NullPool, hide_parameters=True)
        try:
            return await work(own)
        finally:
            await own.dispose()

    return await asyncio.to_thread(lambda: asyncio.run(alone()))


class IndexAdvisor:
    """Gives advice in the background, one run at a time, and keeps the last.

    ``workload`` is asked when a run starts. ``error`` is why the last run came to nothing, empty if it did not.
    """

    def __init__(self, workload: Callable[[], Workload], clock: Callable[[], Clock]) -> None:
        self.workload = workload
        self.advice: Advice | None = None
        self.step: Step | None = None
        self.error = ""
        self._clock = clock
        self._tasks: Tasks | None = None
        self._run: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def is_running(self) -> bool:
        return self.step is not None

    def start(self, engine: Engine | AsyncEngine, *, verify: bool = False, terms: Terms | None = None) -> bool:
        """Begin a run on the running loop; False if one is under way."""
        if self.is_running:
            return False
        self.step = Step("Beginning", 0, 1)
        self._stopping = False
        self._tasks = self._tasks or Tasks("advisor")
        self._run = self._tasks.spawn("run", self._advise(engine, verify, terms))
        return True

    async def _advise(self, engine: Engine | AsyncEngine, verify: bool, terms: Terms | None) -> None:
        try:
            self.error = ""
            workload = self.workload()
            advice = await _aside(
                engine, lambda own: advise_on(own, workload, verify=verify, terms=terms, told=self._told)
            )
            advice.made_at = self._clock().now().isoformat(timespec="seconds").replace("+00:00", "Z")
            self.advice = advice
            log.info("Index advice", create=len(advice.create), drop=len(advice.drop), verified=advice.is_verified)
        except CannotExplain as reason:
            self.error = str(reason)
        except ModuleNotFoundError as error:
            self.error = f"{error.name} is not installed: pip install 'steinmetz[advisor]'"
        except Stopped:
            self.error = "The run was given up because the server stopped."
        finally:
            self.step = None

    def _told(self, what: str, done: int, total: int) -> None:
        """Called in the thread that works."""
        if self._stopping:
            raise Stopped
        self.step = Step(what, done, total)

    async def aclose(self) -> None:
        """Give up a run under way, and wait until it has ended; another may be started afterwards."""
        self._stopping = True
        if self._run is not None:
            await asyncio.wait([self._run])
        tasks, self._tasks, self._run = self._tasks, None, None
        if tasks is not None:
            await tasks.aclose()

    def document(self) -> dict[str, Any]:
        """The last advice and how a run under way stands, as JSON."""
        step = self.step
        return {
            "advice": self.advice.document() if self.advice is not None else None,
            "running": {"step": step.what, "done": step.done, "total": step.total} if step is not None else None,
            "error": self.error or None,
        }
