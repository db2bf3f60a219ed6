"""The port to a place that several processes share and that outlives them: a database, or Redis.

Every row holds what *one process* has counted for one subject in one span of time, cumulatively. So it may be
written again at will without being counted twice, processes never write the same row, a dead one's rows stay as
they are, and a reader adds up the rows of all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Protocol

from steinmetz.monitor.analysis.packing import pack, unpack
from steinmetz.monitor.analysis.statistics import Statistics
from steinmetz.monitor.analysis.window import DAY, HOUR, Kind, Subject, other

WHOLE = 0
"""The span of a row that holds all from the start of its process up to ``upto``."""

ARCHIVE = ""
"""The process under which the wholes of those are summed up that have been dead for long."""

MINUTES_KEPT_MS = DAY * 60_000
HOURS_KEPT_MS = 8 * DAY * 60_000
SILENT_AFTER_MS = 3_600_000
"""Of a process that has not been heard of for so long, the last minutes are added to its wholes."""
DEAD_AFTER_MS = 25 * 3_600_000
"""One that has not been heard of for so long has no row left in any window: it is archived."""
ARCHIVED = 2_000
"""Subjects of a kind in the archive, the heavy ones; the others are summed up as ``(other)``."""


@dataclass(frozen=True, slots=True)
class Row:
    """``span`` in minutes: 1, 60 or `WHOLE`; ``start`` and ``upto`` (exclusive) in minutes since 1970.

    A row of a longer span takes the place of the minutes before its ``upto``; later ones are to be added.
    """

    process: str
    span: int
    start: int
    subject: Subject
    upto: int
    packed: bytes


class Shelf(Protocol):
    """A place for rows. Any of its methods may raise anything: the place may be gone."""

    async def open(self) -> None:
        """Make what is missing (tables)."""

    async def write(self, rows: Iterable[Row], now_ms: int) -> None:
        """Put all these rows, in place of former ones of the same subject and span, or none of them."""

    def read(self, since_ms: int, now_ms: int) -> AsyncIterator[list[Row]]:
        """All rows written at or after ``since_ms``, in parts; those of minutes and hours for the last day."""

    async def beat(self, process: str, now_ms: int, *, first: bool) -> bool:
        """Say that ``process`` lives. False if it was thought dead and its rows have been archived."""

    async def prune(self, now_ms: int) -> None:
        """Bring the wholes of silent processes up to date (`caught_up`), sum up those of dead ones (`archived`),
        then drop old minutes and hours."""

    async def clear(self, now_ms: int) -> None:
        """Drop all rows, and remember when."""

    async def cleared_ms(self) -> int:
        """When all was last dropped; 0 for never."""

    async def forget(self, process: str) -> None:
        """Drop the rows of one process."""

    async def aclose(self) -> None:
        """Let go of connections."""


def caught_up(rows: Iterable[Row], upto: int) -> list[Row]:
    """The wholes of one process, with the minutes added that they do not reach.

    ``rows`` are its wholes and minutes; hours among them are passed over. If it lives after all, it will write its
    wholes again, no less.
    """
    wholes: dict[Subject, Row] = {}
    minutes: list[Row] = []
    for row in rows:
        if row.span == WHOLE:
            wholes[row.subject] = row
        elif row.span == 1:
            minutes.append(row)
    sums: dict[Subject, Statistics] = {}
    process = ARCHIVE
    for row in minutes:
        whole = wholes.get(row.subject)
        if whole is None or row.start >= whole.upto:
            process = row.process
            _add(sums, row)
    for subject in sums:
        if (whole := wholes.get(subject)) is not None:
            _add(sums, whole)
    return [Row(process, WHOLE, 0, subject, upto, pack(found)) for subject, found in sums.items()]


def hours_caught_up(rows: Iterable[Row]) -> list[Row]:
    """Those hours of one process that do not reach all of its minutes, with these added.

    ``rows`` are its hours and minutes; wholes among them are passed over. An hour is told to its end, so that its
    minutes may go.
    """
    known = list(rows)
    hours = {(row.start, row.subject): row for row in known if row.span == HOUR}
    missing: dict[tuple[int, Subject], list[Row]] = {}
    for row in known:
        if row.span == 1:
            place = (row.start // HOUR * HOUR, row.subject)
            hour = hours.get(place)
            if hour is None or row.start >= hour.upto:
                missing.setdefault(place, [] if hour is None else [hour]).append(row)
    result = []
    for (start, subject), parts in missing.items():
        sums: dict[Subject, Statistics] = {}
        for part in parts:
            _add(sums, part)
        result += [
            Row(parts[0].process, HOUR, start, subject, start + HOUR, pack(found)) for found in sums.values()
        ]
    return result


def archived(wholes: Iterable[Row], upto: int) -> list[Row]:
    """The archive's rows in place of these: one for each subject, the light ones of a kind as ``(other)``."""
    sums: dict[Subject, Statistics] = {}
    for row in wholes:
        _add(sums, row)
    kept: dict[Subject, Statistics] = {}
    room = dict.fromkeys(((kind, inside) for kind in Kind for inside in (False, True)), ARCHIVED)
    for subject, statistics in sorted(sums.items(), key=lambda item: item[1].total_ns, reverse=True):
        group = (subject.kind, subject.inside)
        room[group] -= 1
        target = subject if room[group] >= 0 else other(*group)
        kept.setdefault(target, Statistics()).merge(statistics)
    return [
        Row(ARCHIVE, WHOLE, 0, subject, upto, pack(statistics))
        for subject, statistics in kept.items()
        if statistics.count
    ]


def figures_of(row: Row) -> Statistics | None:
    """None if a later release has packed them in another way."""
    try:
        return unpack(row.packed)
    except ValueError:
        return None


def _add(sums: dict[Subject, Statistics], row: Row) -> None:
    statistics = figures_of(row)
    if statistics is not None and statistics.count:
        sums.setdefault(row.subject, Statistics()).merge(statistics)
