"""How the application's statements are carried out, and when that changes.

A plan is asked for on a connection of the monitor's own: on demand (`Plans.of`), or, while `Plans.start` is in
force, for statements that were slow, one at a time and each at most every `AGAIN_S`. For that the first run of a
statement and its slowest one are kept in memory, values included; they leave it towards the database alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from steinmetz.clock import Clock
from steinmetz.monitor.analysis.plan import PlanNode, why_not
from steinmetz.monitor.capture.kept_statements import KeptStatement, KeptStatements, PlanRecord
from steinmetz.monitor.dialects.auto_explain import ExecutedPlans
from steinmetz.monitor.dialects.base import CannotExplain, side, side_sync
from steinmetz.monitor.dialects.explain import TIMEOUT_S, explain_of
from steinmetz.sql.shape import shape_of
from steinmetz.tasks import Tasks

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from steinmetz.sql.engine import Execution, SqlHook

log = structlog.get_logger("steinmetz.monitor")

QUEUED = 50
WAITING = 8
"""Callers that wait for their turn; one more is refused."""
PACE_S = 1.0
AGAIN_S = 600.0
STEADY_S = 3_600.0
FRESH_S = 1.0
"""A plan so young is told again instead of being asked for."""


Changed = Callable[[str, str, PlanRecord, PlanRecord], None]
"""Called with fingerprint, name, the plan that was and the plan that is."""


class Plans:
    """The plans of the statements of the engines that are watched; all of it bounded.

    ``mode`` "off" explains on demand only, "slow" also what was slow, once `start` was called.
    """

    def __init__(self, clock: Clock, mode: str = "off", *, pace_s: float = PACE_S) -> None:
        self.mode = _checked(mode)
        self.left_out = 0
        """Slow statements that were not explained because too many were waiting."""
        self._clock = clock
        self._pace_s = pace_s
        self._lock = threading.Lock()
        self._hooks: weakref.WeakKeyDictionary[SqlHook, None] = weakref.WeakKeyDictionary()
        """In the order in which they were watched."""
        self._executed: weakref.WeakKeyDictionary[SqlHook, ExecutedPlans] = weakref.WeakKeyDictionary()
        self._known = KeptStatements()
        self._queue: OrderedDict[str, None] = OrderedDict()
        self._listeners: tuple[Changed, ...] = ()
        self._turn: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None
        self._waiting = 0
        self._tasks: Tasks | None = None
        self._wake: Callable[[], None] | None = None

    def configure(self, clock: Clock | None = None, mode: str | None = None) -> None:
        """Set what is given; a new clock begins anew. To be called before `start`."""
        if clock is not None:
            self._clock = clock
            self.forget()
        if mode is not None:
            self.mode = _checked(mode)

    def forget(self) -> None:
        """Forget all statements and their plans; listeners stay."""
        self._known.clear()
        with self._lock:
            self._queue.clear()
            self.left_out = 0

    # -- statements in ------------------------------------------------------------------------------------------

    def watch(self, hook: SqlHook, slow_ms: float = 100.0) -> None:
        """Explain statements of this hook's engine.

        If the mode is "slow" and PostgreSQL lets us, it tells the plans of what takes longer than ``slow_ms`` by
        itself, and they need not be asked for.
        """
        self._hooks.pop(hook, None)
        self._hooks[hook] = None
        engine = getattr(hook, "engine", None)
        if self.mode == "slow" and engine is not None and ExecutedPlans.is_possible(engine):
            self._executed[hook] = ExecutedPlans(engine, slow_ms, self._was_executed)

    def unwatch(self, hook: SqlHook) -> None:
        self._hooks.pop(hook, None)
        executed = self._executed.pop(hook, None)
        if executed is not None:
            executed.stop()

    def on_changed(self, callback: Changed) -> None:
        """Call ``callback(fingerprint, name, old, new)`` whenever a statement has another plan than before.

        It is called where the plan was found, on the event loop or a worker thread, and must be quick.
        """
        self._listeners = (*self._listeners, callback)

    def seen(self, name: str, execution: Execution) -> None:
        """A statement ran, for the first time as far as the caller knows; keeps it for `of`."""
        self._known.keep(name, 0, execution)

    def slow(self, name: str, duration_ns: int, execution: Execution) -> None:
        """A statement was slow; keeps its slowest run, and explains it soon if the mode says so."""
        fingerprint = execution.facts.fingerprint
        known = self._known.keep(name, duration_ns, execution)
        with self._lock:
            if known is None or self.mode != "slow" or self._wake is None or fingerprint in self._queue:
                return
            if known.asked_s is not None and self._clock.monotonic_s() - known.asked_s < AGAIN_S:
                return
            if len(self._queue) >= QUEUED:
                self.left_out += 1
                return
            self._queue[fingerprint] = None
            wake = self._wake
        wake()

    def _was_executed(self, statement: str, tree: PlanNode) -> None:
        """The engine has told the plan that it really used."""
        known = self._known.of_text(statement)
        if known is None:
            return
        known.asked_s = self._clock.monotonic_s()
        if known.current is not None and known.current.plan.hash == tree.hash():
            tree = known.current.tree  # which knows the sizes of its tables, too
        self._found(known, tree, executed=True)

    # -- plans out ----------------------------------------------------------------------------------------------

    def history(self, fingerprint: str) -> list[PlanRecord]:
        """The plans that a statement has had, the current one first; empty if it was never explained."""
        known = self._known.get(fingerprint)
        return known.history[::-1] if known is not None else []

    def told(self, fingerprint: str) -> dict[str, Any] | None:
        """What is known of a statement's plans, as JSON; None if the statement is not known."""
        known = self._known.get(fingerprint)
        return known.as_dict() if known is not None else None

    async def of(self, fingerprint: str) -> PlanRecord:
        """The present plan of a statement, asked for now unless that was done a moment ago.

        Raises `LookupError` for a statement that is not known, and `CannotExplain` with the reason.
        """
        fresh = self._fresh(fingerprint)
        if fresh is not None:
            return fresh
        if self._waiting >= WAITING:
            raise CannotExplain("too many plans are being asked for; ask again in a moment")
        self._waiting += 1
        try:
            async with self._my_turn():
                return self._fresh(fingerprint) or await self._ask(fingerprint)
        finally:
            self._waiting -= 1

    def of_sync(self, fingerprint: str) -> PlanRecord:
        """`of` for sync engines, in the caller's thread."""
        known = self._known[fingerprint]
        engine = self._engine_of(known)
        if engine.dialect.is_async:
            raise CannotExplain("its engine is asynchronous: await plans.of() instead")
        with self._answering(known):
            explain = explain_of(engine)
            question = known.question
            tree = side_sync(engine, lambda connection: explain(connection, question))
        return self._found(known, tree)

    def _fresh(self, fingerprint: str) -> PlanRecord | None:
        """Raises `LookupError`."""
        known = self._known[fingerprint]
        if not known.history or known.answered_s is None:
            return None
        return known.history[-1] if self._clock.monotonic_s() - known.answered_s < FRESH_S else None

    def _my_turn(self) -> asyncio.Lock:
        """One plan at a time on each event loop."""
        loop = asyncio.get_running_loop()
        if self._turn is None or self._turn[0] is not loop:
            self._turn = (loop, asyncio.Lock())
        return self._turn[1]

    async def _ask(self, fingerprint: str) -> PlanRecord:
        known = self._known[fingerprint]
        with self._answering(known):
            engine = self._engine_of(known)
            explain = explain_of(engine)
            question = known.question
            asked = AsyncEngine(engine) if engine.dialect.is_async else engine
            async with asyncio.timeout(2 * TIMEOUT_S):
                tree = await side(asked, lambda connection: explain(connection, question))
        return self._found(known, tree)

    @contextlib.contextmanager
    def _answering(self, known: KeptStatement) -> Iterator[None]:
        """Whatever goes wrong inside becomes a reason that shows no value."""
        known.asked_s = self._clock.monotonic_s()
        try:
            reason = why_not(shape_of(known.question.statement))
            if reason is not None:
                raise CannotExplain(reason)
            yield
        except CannotExplain as error:
            known.refused = f"cannot be explained: {error}"
            raise CannotExplain(known.refused) from None
        except Exception as error:  # a driver's own errors quote values
            known.refused = f"cannot be explained: the attempt failed with {type(error).__name__}"
            raise CannotExplain(known.refused) from None

    def _engine_of(self, known: KeptStatement) -> Engine:
        for hook in reversed(list(self._hooks)):  # of several engines of one database's name the newest is in use
            if hook.database == known.database:
                return hook.engine
        raise CannotExplain(f"no engine of the database {known.database!r} is watched any more")

    def _found(self, known: KeptStatement, tree: PlanNode, *, executed: bool = False) -> PlanRecord:
        now = self._clock.now()
        with self._known.lock:
            known.answered_s, known.refused = self._clock.monotonic_s(), None
            previous, seen = known.current, known.record_of(tree.hash())
            # Which plan is executed may depend on the values: two that take turns are no change each time.
            takes_turns = executed and seen is not None and (now - seen.last_seen).total_seconds() < STEADY_S
            record = known.found(tree, now)
        if previous is not None and previous is not record and not takes_turns:
            self._tell(known.question.fingerprint, known.name, previous, record)
        return record

    def _tell(self, fingerprint: str, name: str, old: PlanRecord, new: PlanRecord) -> None:
        for listener in self._listeners:
            try:
                listener(fingerprint, name, old, new)
            except Exception as error:
                log.error("A listener to changed plans failed", error=type(error).__name__)

    # -- in the background --------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Explain slow statements on the running loop until `stop`; nothing if the mode is off."""
        if self.mode == "off" or self._tasks is not None:
            return
        loop, awake = asyncio.get_running_loop(), asyncio.Event()
        self._tasks = Tasks("monitor plans")
        self._tasks.spawn("explain", self._work(awake))
        self._wake = lambda: _wake(loop, awake)

    async def stop(self) -> None:
        tasks, self._tasks, self._wake = self._tasks, None, None
        with self._lock:
            self._queue.clear()
        if tasks is not None:
            await tasks.aclose()

    async def _work(self, awake: asyncio.Event) -> None:
        while True:
            await awake.wait()
            awake.clear()
            while self._queue:
                with self._lock:
                    fingerprint, _ = self._queue.popitem(last=False)
                with contextlib.suppress(CannotExplain, LookupError):  # the reason is kept with the statement
                    async with self._my_turn():
                        await self._ask(fingerprint)
                await asyncio.sleep(self._pace_s)


def _checked(mode: str) -> str:
    if mode not in ("off", "slow"):
        raise ValueError(f"plans are taken 'off' or 'slow', not {mode!r}")
    return mode


def _wake(loop: asyncio.AbstractEventLoop, awake: asyncio.Event) -> None:
    """From any thread; a loop that has ended needs no waking."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(awake.set)
