"""States of jobs, what may be done with them, what their listeners are told, and cells of CSV; pure.

Theory of this room. A job is queued, then planned into items, then worked on item by item; an item is settled
when it is done, failed or cancelled, and the job is over when all its items are. Effects and the mark of an item
are one commit, so an item is either as if never begun or settled for good; there is no state between.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from io import StringIO
from typing import TypeVar

from steinmetz.erp.kit.roles import Actor, Role, may_read, may_write

MAX_ITEMS = 100_000
MAX_OPEN_JOBS = 10
"""Of one user."""
MAX_PARAMETER_CHARS = 10_000_000
MAX_ERROR_CHARS = 500
MAX_ATTEMPTS = 5
"""An item that was begun so often and never came to an end is given up: it may be what kills its worker."""
SAID_ERRORS = 100
"""Errors of one attempt of a job that are said as events; the list of items has them all."""

T = TypeVar("T")


class JobStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = (JobStatus.QUEUED, JobStatus.RUNNING)
RETRIED = (JobStatus.FAILED, JobStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class Figures:
    """How far a job is, in items."""

    attempt: int
    total: int
    done: int
    failed: int
    cancelled: int

    @property
    def ended(self) -> int:
        """Worked on to the end, well or not."""
        return self.done + self.failed

    @property
    def is_over(self) -> bool:
        return self.ended + self.cancelled >= self.total


def percent(ended: int, total: int) -> int:
    """Whole percent, rounded down: 100 means all of it. Nothing to do is done."""
    return 100 * ended // total if total else 100


def final_status(figures: Figures, *, is_cancelling: bool) -> JobStatus:
    """What a job is when all its items are settled. A cancellation that found nothing left to cancel is none."""
    if is_cancelling and figures.cancelled:
        return JobStatus.CANCELLED
    return JobStatus.FAILED if figures.failed else JobStatus.DONE


def may_see(actor: Actor, owner_id: int | None) -> bool:
    """Parameters, items and results: for the owner, and for who reads what managers read."""
    return is_owner(actor, owner_id) or may_read(actor.role, Role.MANAGER)


def may_change(actor: Actor, owner_id: int | None) -> bool:
    """Cancelling, retrying and deleting: for the owner and for managers."""
    return is_owner(actor, owner_id) or may_write(actor.role, Role.MANAGER)


def is_owner(actor: Actor, owner_id: int | None) -> bool:
    return owner_id is not None and actor.id == owner_id


def in_turn(jobs: Sequence[T], ids: Sequence[int], last_id: int) -> list[T]:
    """``jobs`` (with ascending ``ids``) beginning behind the one that had the last turn: each comes round."""
    start = next((place for place, job_id in enumerate(ids) if job_id > last_id), 0)
    return [*jobs[start:], *jobs[:start]]


def backoff_s(failures: int) -> float:
    """How long to wait after so many failures in a row: from 50 ms, doubling, to 5 s."""
    return float(min(5.0, 0.05 * 2 ** min(failures - 1, 10)))


def watch_room(job_id: int) -> str:
    return f"{WATCH_ROOMS}{job_id}"


WATCH_ROOMS = "batch-job:"


def watched_job(room: str) -> int | None:
    """The job whose watchers are in ``room``; None if the name has no job in it."""
    digits = room.removeprefix(WATCH_ROOMS)
    is_id = room.startswith(WATCH_ROOMS) and digits.isascii() and digits.isdigit() and len(digits) < 10
    return int(digits) if is_id and digits == str(int(digits)) else None


# CSV


@dataclass(frozen=True, slots=True)
class CsvRow:
    """A row by its column names, or why it is none; ``line`` is where it begins, from 1."""

    line: int
    fields: dict[str, str]
    error: str = ""


def csv_header(text: str) -> tuple[str, list[str]]:
    """The delimiter (comma, semicolon or tab: the one the first line has most of) and the column names."""
    first = text.lstrip("\ufeff").split("\n", 1)[0].rstrip("\r")
    delimiter = max(",;\t", key=first.count)
    return delimiter, [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]


def csv_rows(text: str) -> list[CsvRow]:
    """All rows below the header; empty lines are none. Raises `ValueError` where quotes go wrong."""
    delimiter, names = csv_header(text)
    reader = csv.reader(StringIO(text.lstrip("\ufeff"), newline=""), delimiter=delimiter, strict=True)
    rows: list[CsvRow] = []
    try:
        next(reader, None)
        while True:
            line = reader.line_num + 1
            values = next(reader, None)
            if values is None:
                return rows
            if not any(value.strip() for value in values):
                continue
            is_whole = len(values) == len(names)
            error = "" if is_whole else f"{len(values)} fields, the header has {len(names)}"
            rows.append(CsvRow(line, dict(zip(names, values, strict=False)), error))
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from None


# What listeners have been told


@dataclass(slots=True)
class Told:
    """What the listeners of one process have heard of a job, so that nothing is said twice or backwards."""

    attempt: int = 0
    ended: int = -1
    errors: set[int] | None = None
    """Positions of items whose error was said; None before the first."""
    is_complete: bool = False

    def _begin(self, attempt: int) -> None:
        if attempt > self.attempt:
            self.attempt, self.ended, self.errors, self.is_complete = attempt, -1, None, False

    def advances(self, figures: Figures) -> bool:
        """Whether these figures are news; from then on they have been told."""
        self._begin(figures.attempt)
        if figures.attempt < self.attempt or figures.ended <= self.ended or self.is_complete:
            return False
        self.ended = figures.ended
        return True

    def is_news(self, attempt: int, position: int) -> bool:
        """Whether the error of this item is still to be said; from then on it has been."""
        self._begin(attempt)
        self.errors = self.errors if self.errors is not None else set()
        known = attempt < self.attempt or position in self.errors or len(self.errors) >= SAID_ERRORS
        if known or self.is_complete:
            return False
        self.errors.add(position)
        return True

    def completes(self, attempt: int) -> bool:
        """Whether the end of this attempt is still to be said; from then on it has been."""
        self._begin(attempt)
        if attempt < self.attempt or self.is_complete:
            return False
        self.is_complete = True
        return True


def progress_payload(job_id: int, figures: Figures) -> dict[str, int]:
    return {
        "jobId": job_id,
        "done": figures.ended,
        "total": figures.total,
        "percent": percent(figures.ended, figures.total),
        "attempt": figures.attempt,
    }


def result_payload(job_id: int, figures: Figures, status: JobStatus) -> dict[str, object]:
    result = {
        "status": status.value,
        "total": figures.total,
        "done": figures.done,
        "failed": figures.failed,
        "cancelled": figures.cancelled,
        "attempt": figures.attempt,
    }
    return {"jobId": job_id, "result": result}
