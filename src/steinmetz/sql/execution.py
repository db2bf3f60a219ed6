"""One run of one statement as it is told, and the ports of those who listen to runs.

Two ways to listen. A `RunObserver` is asked once for each statement what it keeps of it, a `Meter`; from then on a
run costs it one call with one number, and the full story (`Execution`) is told only of runs that are slow or fail.
An `ExecutionObserver` is told the full story of every run, which costs microseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from steinmetz.sql.facts import StatementFacts
from steinmetz.sql.scope import Current, Ledger, Scope

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import ExecutionContext

NEVER_NS = 1 << 62
"""A floor above every duration: 146 years."""


@dataclass(slots=True)
class Execution:
    """One run of one statement, as its driver saw it; times in ns of ``perf_counter_ns``, as ``started_ns``.

    ``execute_ns`` is the time of the driver's execute, ``fetch_ns`` that of its fetches; their sum is how long the
    query took. Not in it: ``lag_ns``, for which the statement waited for its event loop or for the driver's thread
    to take it up, and ``pool_wait_ns``, for which its connection had waited in the pool. ``driver_ns`` is the part
    of execute and fetch that was measured within the driver's own thread (aiosqlite); 0 where it has none.

    ``parameters`` is a sequence of sets if ``many``; ``rows`` is the driver's row count, None where it has none.
    ``context`` is SQLAlchemy's, valid during the call only, and None if a result was dropped unread. ``watch`` is
    what was current in `watching` when the statement ran. Its representation shows no value.
    """

    facts: StatementFacts
    statement: str = field(repr=False)
    parameters: Any = field(repr=False)
    many: bool
    started_ns: int
    execute_ns: int
    error: BaseException | None = field(repr=False)
    scope: Scope | None
    rows: int | None
    database: str
    context: ExecutionContext | None = field(repr=False)
    fetch_ns: int = 0
    lag_ns: int = 0
    pool_wait_ns: int = 0
    driver_ns: int = 0
    watch: Watch | None = field(default=None, repr=False)

    @property
    def duration_ns(self) -> int:
        """How long the query took: execute and fetch."""
        return self.execute_ns + self.fetch_ns


class ExecutionObserver(Protocol):
    """Who is told every run in full. An exception is logged and does not reach the statement's caller."""

    def __call__(self, execution: Execution) -> None: ...


class Meter(Protocol):
    """What a `RunObserver` keeps of one statement.

    ``add`` counts one run that ended well, ``inside`` one that a watch took for itself. Called on any thread.
    """

    @property
    def add(self) -> Callable[[int], object]: ...
    @property
    def inside(self) -> Callable[[int], object]: ...


class Turning(Protocol):
    """Where meters belong to a stretch of time: `turn` is called before a run is counted, if it is due."""

    turn_at_ns: int
    """When `turn` is due, in ``perf_counter_ns``; 0: before each."""

    def turn(self) -> None: ...


class RunObserver(Protocol):
    """Who measures statements at next to no cost. An exception of `ran` is logged and reaches nobody."""

    @property
    def turning(self) -> Turning | None: ...

    def meter(self, facts: StatementFacts) -> Meter | None:
        """What is kept of a statement, asked once and remembered with its facts; None if nothing is."""

    def slow_ns(self, facts: StatementFacts) -> int:
        """Longer runs of a statement are told to `ran`; asked with `meter`, and again after each that was told."""

    def ran(self, execution: Execution) -> None:
        """A run that failed or was slow; its meter has not been told of it."""

    @property
    def look_ns(self) -> int:
        """Of longer runs `looks` is asked if they are not told to `ran`; `NEVER_NS` for none."""

    def looks(self, facts: StatementFacts, duration_ns: int, rows: int | None) -> bool:
        """Whether `looked` is to be told of such a run; ``rows`` as in `Execution`."""

    def looked(self, execution: Execution) -> None:
        """A run that ended well and was not slow, but long enough for a second look; its meter knows of it."""

    def ledger(self, scope: Scope) -> Ledger | None:
        """What is to be written down for a scope, asked at its first statement; None if nothing is."""


class Watch(Protocol):
    """Who follows a piece of work and wants to know of each statement in it.

    ``is_sample`` says that the watch takes the time of its statements for itself, so that they are no samples.
    """

    @property
    def is_sample(self) -> bool: ...

    def saw(
        self, facts: StatementFacts, duration_ns: int, parameters: Any, context: ExecutionContext | None
    ) -> None:
        """A statement has been executed; told once, whoever else measures. ``context`` is None if it failed."""

    def fetched(self, facts: StatementFacts, fetch_ns: int) -> None:
        """The rows of a statement that was seen before took so long to step through."""


watching: Current[Watch] = Current(1)
"""The innermost watch; tasks and ``asyncio.to_thread`` started inside belong to it."""


class LagSource(Protocol):
    """Who knows when the event loop was blocked."""

    def within(self, start_ns: int, end_ns: int) -> int:
        """For how much of the interval the loop was blocked, in ns."""


class PoolObserver(Protocol):
    """Who counts how long connections were waited for."""

    def waited(self, wait_ns: int) -> None:
        """A connection was taken from the pool, which took so long (waiting, connecting, pre-ping)."""

    def exhausted(self, wait_ns: int) -> None:
        """No connection was to be had within the pool's timeout."""


def _nothing(duration_ns: int) -> None:
    pass


class NoMeter:
    """Nobody keeps anything."""

    __slots__ = ()
    add = staticmethod(_nothing)
    inside = staticmethod(_nothing)


class Meters:
    """Several observers' meters of one statement as one."""

    __slots__ = ("_meters",)

    def __init__(self, meters: list[Meter]) -> None:
        self._meters = meters

    def add(self, duration_ns: int) -> None:
        for meter in self._meters:
            meter.add(duration_ns)

    def inside(self, duration_ns: int) -> None:
        for meter in self._meters:
            meter.inside(duration_ns)


class Turnings:
    """Several observers' turnings as one, which asks them each time."""

    turn_at_ns = 0

    def __init__(self, turnings: list[Turning]) -> None:
        self._turnings = turnings

    def turn(self) -> None:
        for turning in self._turnings:
            turning.turn()


class NoTurning:
    """Nothing ever turns."""

    turn_at_ns = NEVER_NS

    def turn(self) -> None:
        pass


def joined_turning(observers: tuple[RunObserver, ...]) -> Turning:
    turnings = [turning for observer in observers if (turning := observer.turning) is not None]
    if not turnings:
        return NoTurning()
    return turnings[0] if len(turnings) == 1 else Turnings(turnings)


def joined(meters: list[Meter]) -> Meter:
    """One meter for all of ``meters``."""
    if not meters:
        return NoMeter()
    return meters[0] if len(meters) == 1 else Meters(meters)
