"""Figures that several processes share and that outlive them, over a `Shelf`.

Counting is that of `MemoryStore`. In the background, twice a second, what has changed is written: for each subject
the open minute, and when a minute is over its hour and its whole. What others have written is read into a `Mirror`
when somebody asks (`SharedStore.refresh`) and every few seconds, so that reading figures stays a matter of memory.
A place that cannot be reached is told of once; until it is back all goes on in memory.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

import structlog

from steinmetz.clock import Clock
from steinmetz.monitor.analysis.packing import pack
from steinmetz.monitor.analysis.statistics import Sample, Statistics
from steinmetz.monitor.analysis.window import HOUR, Subject
from steinmetz.monitor.stores.memory import MemoryStore
from steinmetz.monitor.stores.meters import Cell
from steinmetz.monitor.stores.mirror import Mirror
from steinmetz.monitor.stores.shelf import WHOLE, Row, Shelf
from steinmetz.tasks import Tasks

log = structlog.get_logger("steinmetz.monitor")

FLUSH_S = 0.5
REFRESH_S = 10.0
RETRY_S = 5.0
PRUNE_MINUTES = 60
OVERLAP_MS = 60_000
"""How far clocks of hosts, and the start and the end of a transaction, may lie apart."""
DUE = 20_000
"""Closed minutes' figures that wait for a place that is gone; their wholes wait beside them."""


class SharedStore(MemoryStore):
    """The `steinmetz.monitor.stores.base.StatisticsStore` of processes with a common database or Redis.

    ``await start()`` and ``await aclose()`` on an event loop; a program without one calls `start_thread` and
    `stop_thread`. Each start of a program is a process of its own, told by ``process``.
    """

    def __init__(self, clock: Clock, shelf: Shelf) -> None:
        self.process = uuid.uuid4().hex
        self.shelf = shelf
        self._mirror = Mirror()
        self._tasks = Tasks("monitor.statistics")
        self._thread: threading.Thread | None = None
        self._stop: Callable[[], object] | None = None
        self._writing = asyncio.Lock()
        self._is_open = False
        self._is_gone = False
        self._seen_ms = 0
        self._cleared_ms = 0
        self._clear_wanted = False
        self._beaten = -1
        self._pruned = -PRUNE_MINUTES
        self._forget_due()
        super().__init__(clock)
        for roster in self._rosters.values():
            roster.listens = True

    def _forget_due(self) -> None:
        self._due_minutes: dict[tuple[int, Subject], Statistics] = {}
        self._due_hours: dict[tuple[int, Subject], Statistics] = {}
        self._due_wholes: dict[Subject, Cell] = {}
        self._due_gone: dict[Subject, None] = {}
        self._told: set[Subject] = set()

    # -- life ---------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to write and read in the background; what is already there is read first, if it can be."""
        await self.refresh()
        self._tasks.spawn("flush", self._run())

    async def aclose(self) -> None:
        """Write what has not been written yet, and let go."""
        async with self._writing:  # nothing is broken off half-way
            await self._tasks.aclose()
        await self.flush()
        await self.shelf.aclose()

    def start_thread(self) -> None:
        """`start` for programs without an event loop, in a thread of its own; with a sync engine."""
        if self._thread is None:
            ready = threading.Event()
            self._thread = threading.Thread(
                target=asyncio.run, args=(self._live(ready),), name="steinmetz-statistics", daemon=True
            )
            self._thread.start()
            ready.wait()

    def stop_thread(self) -> None:
        """Write what has not been written yet, and wait for the thread's end."""
        if self._thread is not None:
            if self._stop is not None:
                self._stop()
            self._thread.join()
            self._thread = self._stop = None

    async def _live(self, ready: threading.Event) -> None:
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        self._stop = lambda: loop.call_soon_threadsafe(over.set)
        self._writing, self._tasks = asyncio.Lock(), Tasks("monitor.statistics")
        ready.set()
        await self.start()
        await over.wait()
        await self.aclose()

    async def _run(self) -> None:
        next_refresh_s = self._clock.monotonic_s() + REFRESH_S
        while True:
            await asyncio.sleep(RETRY_S if self._is_gone else FLUSH_S)
            await self.flush()
            if self._clock.monotonic_s() >= next_refresh_s:
                await self.refresh()
                next_refresh_s = self._clock.monotonic_s() + REFRESH_S

    # -- writing ------------------------------------------------------------------------------------------------

    def clear(self) -> None:
        """Forget everything, everywhere: other processes follow when they next look."""
        with self._lock:
            super().clear()
            self._mirror.clear()
            self._forget_due()
            self._clear_wanted = True

    async def flush(self) -> bool:
        """Write what has changed. False, and told of once, if it cannot be written now."""
        async with self._writing:
            try:
                await self._flush()
            except Exception as error:
                self._is_gone_with(error)
                return False
            self._is_back()
            return True

    async def _flush(self) -> None:
        if not self._is_open:
            await self.shelf.open()
            self._is_open = True
        now_ms = self._now_ms()
        minute = now_ms // 60_000
        if self._clear_wanted:
            await self.shelf.clear(now_ms)
            self._cleared_ms = now_ms
            self._clear_wanted = False
        if minute > self._beaten:
            if not await self.shelf.beat(self.process, now_ms, first=self._beaten < 0):
                self._be_reborn()
                await self.shelf.beat(self.process, now_ms, first=True)
            self._beaten = minute
        if minute - self._pruned >= PRUNE_MINUTES:
            await self.shelf.prune(now_ms)
            self._pruned = minute
        due = _Due(self)
        try:
            await self.shelf.write(due.rows, now_ms)
        except BaseException:
            due.give_back()
            raise

    def _be_reborn(self) -> None:
        """We were silent for so long (a machine that slept) that others have archived what we had counted."""
        with self._lock:
            MemoryStore.clear(self)
            self._forget_due()
            self.process = uuid.uuid4().hex

    def _closed(self, minute: int, closed: list[tuple[Cell, Statistics]]) -> None:
        self._note_departed(minute)
        hour = minute // HOUR * HOUR
        for cell, figures in closed:
            subject = cell.subject
            if cell.changed:
                self._due_minutes[minute, subject] = figures
                cell.changed = False
            counted_as = self._hour_subject(subject)
            self._due_hours[hour, counted_as] = self._hour[counted_as]
            if counted_as != subject:
                self._due_hours[hour, subject] = Statistics()  # its minutes are in that of the others
            self._due_wholes[subject] = cell
        while len(self._due_minutes) > DUE:
            del self._due_minutes[next(iter(self._due_minutes))]

    def _note_departed(self, minute: int) -> None:
        """Who has left his figures to ``(other)`` must not be counted by what he has told before."""
        for roster in self._rosters.values():
            for subject in roster.departed:
                if subject in self._told:
                    self._due_minutes[minute, subject] = Statistics()
                    self._due_gone[subject] = None
                self._due_wholes.pop(subject, None)
            if roster.departed:
                self._due_wholes |= {cell.subject: cell for cell in roster.other.cells()}
                roster.departed.clear()

    def _is_gone_with(self, error: Exception) -> None:
        if not self._is_gone:
            self._is_gone = True
            log.warning(
                "Query statistics cannot be shared; they are kept in memory until that works again",
                error=type(error).__name__,
            )

    def _is_back(self) -> None:
        if self._is_gone:
            self._is_gone = False
            log.info("Query statistics are shared again")

    # -- reading ------------------------------------------------------------------------------------------------

    async def refresh(self) -> bool:
        """Write what has changed and read what others have written; False if that cannot be done now."""
        if not await self.flush():
            return False
        async with self._writing:
            try:
                await self._refresh()
            except Exception as error:
                self._is_gone_with(error)
                return False
        return True

    async def _refresh(self) -> None:
        cleared_ms = await self.shelf.cleared_ms()
        if cleared_ms > self._cleared_ms:
            if self._cleared_ms or self._seen_ms:
                await self.shelf.forget(self.process)
                with self._lock:
                    MemoryStore.clear(self)
                    self._mirror.clear()
                    self._forget_due()
            self._cleared_ms = cleared_ms
        now_ms = self._now_ms()
        async for rows in self.shelf.read(max(0, self._seen_ms - OVERLAP_MS), now_ms):
            with self._lock:
                self._mirror.put(row for row in rows if row.process != self.process)
        self._seen_ms = now_ms
        with self._lock:
            self._mirror.fit(now_ms // 60_000)

    def _read(self, window_s: float | None) -> Iterable[tuple[Subject, Statistics]]:
        yield from super()._read(window_s)
        yield from self._mirror.read(window_s, self._now_s())

    def _stretches(self, oldest_s: float) -> Iterator[tuple[int, int, Subject, Statistics]]:
        yield from super()._stretches(oldest_s)
        yield from self._mirror.stretches(oldest_s)

    def _slowest_of(self, window_s: float | None) -> list[Sample]:
        """Of others the slowest sample of each minute and name is known, and told at that minute's start."""
        return super()._slowest_of(window_s) + [
            Sample(duration_ns, name, datetime.fromtimestamp(minute * 60, UTC))
            for name, duration_ns, minute in self._mirror.slowest(window_s, self._now_s())
        ]

    def _now_ms(self) -> int:
        return int(self._now_s() * 1_000)


class _Due:
    """What is to be written now, taken from a store in one step; it goes back if it could not be written."""

    def __init__(self, store: SharedStore) -> None:
        self._store = store
        with store._lock:
            store._turn()
            self._minute = store._minute
            store._note_departed(self._minute)
            self._minutes, store._due_minutes = store._due_minutes, {}
            self._hours, store._due_hours = store._due_hours, {}
            self._wholes, store._due_wholes = store._due_wholes, {}
            self._gone, store._due_gone = store._due_gone, {}
            cells = {cell.subject: cell for roster in store._rosters.values() for cell in roster.cells()}
            # Who has come back since he left begins anew.
            self._wholes |= {subject: cells[subject] for subject in self._gone if subject in cells}
            self._cells = [cell for cell in cells.values() if cell.changed and cell.open is not None]
            # Of two rows for the same place the later one stands.
            self.rows = list({(row.span, row.start, row.subject): row for row in self._rows()}.values())
            store._told.difference_update(self._gone)
            store._told.update(cell.subject for cell in self._cells)
            store._told.update(self._wholes)
            for cell in self._cells:
                cell.changed = False

    def _rows(self) -> Iterator[Row]:
        minute = self._minute
        for subject in self._gone:
            yield self._row(WHOLE, 0, subject, minute, Statistics())
        for (start, subject), figures in self._minutes.items():
            yield self._row(1, start, subject, start + 1, figures)
        for (start, subject), figures in self._hours.items():
            yield self._row(HOUR, start, subject, min(minute, start + HOUR), figures)
        for subject, cell in self._wholes.items():
            yield self._row(WHOLE, 0, subject, minute, cell.whole or Statistics())
        for cell in self._cells:
            yield self._row(1, minute, cell.subject, minute + 1, cell.open or Statistics())

    def _row(self, span: int, start: int, subject: Subject, upto: int, figures: Statistics) -> Row:
        return Row(self._store.process, span, start, subject, upto, pack(figures))

    def give_back(self) -> None:
        store = self._store
        with store._lock:
            store._due_minutes = self._minutes | store._due_minutes
            store._due_hours = self._hours | store._due_hours
            store._due_wholes = self._wholes | store._due_wholes
            store._due_gone = self._gone | store._due_gone
            store._told.update(self._gone)
            for cell in self._cells:
                cell.changed = True
