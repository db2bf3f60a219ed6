"""What every later answer must show: the acknowledged writes, and what somebody has already seen; pure.

The promise under test: no read is older than an acknowledged write. A read that is *sent* after a write's answer
has come must show that write, or a later one. Records carry a ``version`` that grows by each change, so "older" is
a comparison of numbers. The overview has none, but it shows the newest act on invoices and customers by its audit
id. Audit ids grow by at least one with every write, so a write that was sent when n others had been acknowledged
has an id above the first one plus n, and an overview that is asked for later shows that id or a higher one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from steinmetz.erp.traffic.calls import Call, Reply

MAX_RECORDS = 50_000
MAX_STEPS = 8
MAX_FINDINGS = 20

OVERVIEW = "overview"
SHOWN_IN_ACTIVITY = frozenset({"invoice", "customer"})
"""Acts on other records are not everybody's to see."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An answer that was older than it may be."""

    path: str
    record: str
    shown: int
    required: int


@dataclass(frozen=True, slots=True)
class Moment:
    """Where the ledger stood when a request was sent: steps taken, writes acknowledged."""

    step: int
    writes: int


class Floor:
    """Lowest versions that may be shown, as they rose step by step.

    Bounded: above `MAX_RECORDS` the record that rose longest ago is forgotten, and of each the last `MAX_STEPS`
    rises are known. What is forgotten is not required, so a bound may hide a stale answer and never invents one.
    """

    def __init__(self) -> None:
        self._rises: dict[str, tuple[tuple[int, int], ...]] = {}

    def rise(self, record: str, version: int, step: int) -> None:
        rises = self._rises.get(record, ())
        if rises and rises[-1][1] >= version:
            return
        self._rises.pop(record, None)
        self._rises[record] = (*rises[1 - MAX_STEPS :], (step, version))
        if len(self._rises) > MAX_RECORDS:
            del self._rises[next(iter(self._rises))]

    def at(self, record: str, step: int) -> int:
        """What had to be shown of ``record`` after ``step`` steps; 0 when nothing is known."""
        return max((version for risen, version in self._rises.get(record, ()) if risen <= step), default=0)


class Ledger:
    """Takes each answer in the order of arrival, and counts those that were older than they may be."""

    def __init__(self) -> None:
        self._acknowledged = Floor()
        self._seen = Floor()
        self._step = 0
        self._writes = 0
        self._first_activity: int | None = None
        self.stale = 0
        """Answers older than an acknowledged write."""
        self.backwards = 0
        """Answers older than one that had come before they were asked for, though than no acknowledged write."""
        self.checked = 0
        """Versions compared, in all answers."""
        self.findings: deque[Finding] = deque(maxlen=MAX_FINDINGS)

    def open(self, overview: Any) -> None:
        """Take the overview's data as they were before the first write."""
        self._first_activity = newest_activity(overview)

    @property
    def now(self) -> Moment:
        """To be taken when a request is sent, and given back with its answer."""
        return Moment(self._step, self._writes)

    def take(self, call: Call, reply: Reply, sent: Moment) -> None:
        """An answer has come."""
        if not reply.is_good:
            return
        self._step += 1
        if call.is_write:
            self._writes += 1
            for record, version in shown(call, reply.document):
                self._acknowledged.rise(record, version, self._step)
            if self._first_activity is not None and call.record in SHOWN_IN_ACTIVITY:
                self._acknowledged.rise(OVERVIEW, self._first_activity + sent.writes + 1, self._step)
            return
        for record, version in shown(call, reply.document):
            self._check(call.path, record, version, sent)
            self._seen.rise(record, version, self._step)

    def _check(self, path: str, record: str, version: int, sent: Moment) -> None:
        self.checked += 1
        acknowledged = self._acknowledged.at(record, sent.step)
        seen = self._seen.at(record, sent.step)
        if version < acknowledged:
            self.stale += 1
        elif version < seen:
            self.backwards += 1
        else:
            return
        self.findings.append(Finding(path, record, version, max(acknowledged, seen)))


def shown(call: Call, document: Any) -> Iterator[tuple[str, int]]:
    """The records an answer shows, with their versions: one, or a list, or a tree with ``children``."""
    if not call.record or not isinstance(document, dict):
        return
    if call.record == OVERVIEW:
        newest = newest_activity(document.get("data"))
        if newest is not None:
            yield OVERVIEW, newest
        return
    waiting = [document.get("data")]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            if isinstance(value.get("version"), int) and "id" in value:
                yield f"{call.record}:{value['id']}", value["version"]
            if isinstance(value.get("children"), list):
                waiting += value["children"]


def newest_activity(overview: Any) -> int | None:
    """The highest audit id of the overview's recent activity; None where it shows none."""
    entries = overview.get("activity") if isinstance(overview, dict) else None
    if not isinstance(entries, list):
        return None
    return max((entry["id"] for entry in entries if isinstance(entry, dict) and "id" in entry), default=None)
