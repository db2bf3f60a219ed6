"""Windows: how they are written, and the closed minutes and hours that they are made of.

Everything is counted in whole minutes since 1970 (UTC), so that the periods of several processes are the same.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from steinmetz.monitor.analysis.block import PLACE_BYTES, Block
from steinmetz.monitor.analysis.packing import pack, unpack
from steinmetz.monitor.analysis.statistics import OTHER, Slowest, Statistics

T = TypeVar("T")

LONGEST_S = 86_400
HOUR = 60
"""In minutes, as all periods here."""
DAY = 24 * HOUR
_WORDS = re.compile(r"([0-9]{1,9})(s|m|h|d)?")
_UNITS_S = {None: 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
GOOD_WINDOWS = "60 or 30s (seconds), 5m (minutes), 1h (hours), at most 24h"


def parse_window(text: str) -> float:
    """The length of a window in seconds: ``60``, ``30s``, ``5m``, ``1h``, ``24h``.

    Raises `ValueError`, whose message says which are good.
    """
    found = _WORDS.fullmatch(text.strip().lower())
    length_s = int(found[1]) * _UNITS_S[found[2]] if found else 0
    if not 0 < length_s <= LONGEST_S:
        raise ValueError(f"{text[:20]!r} is not a window; good ones are {GOOD_WINDOWS}")
    return length_s


def check_window(window_s: float) -> None:
    """Raises `ValueError` for a window that is not kept."""
    if not 0 < window_s <= LONGEST_S:
        raise ValueError(f"a window lasts more than 0 and at most {LONGEST_S} s, not {window_s}")


class Kind(StrEnum):
    """What is counted."""

    STATEMENT = "statement"
    """By fingerprint."""
    NAME = "name"
    """Samples: what `track` names, and statements outside of it by their own names."""
    ROUTE = "route"
    """Requests, jobs, events and commands."""
    TIMING = "timing"
    """Durations that are no query: waiting for the pool, the event loop's lag."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose figures these are. Runs of a statement inside a `track` are no samples and kept apart (``inside``)."""

    kind: Kind
    key: str
    name: str = field(compare=False)
    text: str = field(compare=False, default="")
    inside: bool = False

    @property
    def is_sample(self) -> bool:
        """Whether it counts under a name."""
        return self.kind is Kind.NAME or (self.kind is Kind.STATEMENT and not self.inside)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Among whom it counts: a statement that is a sample counts under its name, too."""
        return (self.kind, Kind.NAME) if self.kind is Kind.STATEMENT and not self.inside else (self.kind,)


def other(kind: Kind, inside: bool = False) -> Subject:
    """Who stands for all that found no room."""
    return Subject(kind, OTHER, OTHER, "", inside)


class Wanted:
    """Whose figures are asked for: those of one name, of one key of another kind, or of all of a kind."""

    def __init__(self, kind: Kind, key: str | None) -> None:
        self.all_of = kind if key is None else None
        self._name = key if kind is Kind.NAME else None
        self._subjects = () if key is None else (Subject(kind, key, key), Subject(kind, key, key, inside=True))

    def is_met_by(self, subject: Subject) -> bool:
        if self.all_of is not None:
            return self.all_of in subject.kinds
        if self._name is not None:
            return subject.is_sample and subject.name == self._name
        return subject in self._subjects

    def among(self, cells: Mapping[Subject, T]) -> list[T]:
        """Their figures; by looking them up where that is possible."""
        if self.all_of is not None or self._name is not None:
            return [figures for subject, figures in cells.items() if self.is_met_by(subject)]
        return [cells[subject] for subject in self._subjects if subject in cells]


class Period:
    """The figures of one minute or one hour that is over, packed; ``start`` in minutes.

    They are filled in one by one, and `seal` ends that. ``size_bytes`` is what they take from then on.
    """

    __slots__ = ("_filled", "_packed_sums", "_sums", "cells", "length", "size_bytes", "slowest", "start")

    def __init__(self, start: int, length: int) -> None:
        self.start = start
        self.length = length
        self._filled: dict[Subject, bytes] = {}
        self.cells: Mapping[Subject, bytes] = self._filled
        self.size_bytes = 0
        self.slowest = Slowest()
        self._sums: dict[Kind, Statistics] = {}
        self._packed_sums: dict[Kind, bytes] = {}

    @property
    def end(self) -> int:
        return self.start + self.length

    def put(self, subject: Subject, statistics: Statistics) -> None:
        """Set the figures of ``subject``."""
        packed = pack(statistics)
        before = self._filled.get(subject)
        self.size_bytes += len(packed) - len(before) if before is not None else len(packed) + PLACE_BYTES
        self._filled[subject] = packed

    def count(self, subject: Subject, statistics: Statistics) -> None:
        """Set the figures of ``subject``, which count in the sums of its kinds; once for each subject."""
        self.put(subject, statistics)
        for kind in subject.kinds:
            self._sums.setdefault(kind, Statistics()).merge(statistics)

    def seal(self, budget_bytes: int) -> list[Subject]:
        """All that there is was counted; `fit` it, and change no more. Returns who had to go."""
        for kind, statistics in self._sums.items():
            self._packed_sums[kind] = packed = pack(statistics)
            self.size_bytes += len(packed) + PLACE_BYTES
        self._sums = {}
        gone = self.fit(budget_bytes)
        self.cells, self._filled = Block(self._filled), {}
        return gone

    def of(self, wanted: Wanted) -> Iterator[Statistics]:
        """The figures asked for, in parts; those of all of a kind as the one sum that is kept of them."""
        found = [self._packed_sums.get(wanted.all_of)] if wanted.all_of is not None else wanted.among(self.cells)
        yield from (unpack(packed) for packed in found if packed is not None)

    def merge(self, subject: Subject, statistics: Statistics) -> None:
        """Add to the figures of ``subject``."""
        packed = self._filled.get(subject)
        if packed is not None:
            whole = unpack(packed)
            whole.merge(statistics)
            statistics = whole
        self.put(subject, statistics)

    def fit(self, budget_bytes: int) -> list[Subject]:
        """Give the lightest to `OTHER` until all takes no more than the budget; returns who had to go."""
        gone: list[Subject] = []
        while self.size_bytes > budget_bytes and (lightest := self._lightest(self.size_bytes - budget_bytes)):
            gone += lightest
            # What they have in common is now told once; what not makes `OTHER` larger, so look again.
            sums = summed(
                (other(subject.kind, subject.inside), unpack(self._take(subject))) for subject in lightest
            )
            for subject, statistics in sums.items():
                self.merge(subject, statistics)
        return gone

    def _lightest(self, excess_bytes: int) -> list[Subject]:
        """Those of the least total time that together take ``excess_bytes``."""
        named = ((subject, packed) for subject, packed in self._filled.items() if subject.key != OTHER)
        by_weight = sorted(
            ((unpack(packed).total_ns, subject) for subject, packed in named), key=lambda weighed: weighed[0]
        )
        chosen: list[Subject] = []
        for _, subject in by_weight:
            if excess_bytes <= 0:
                break
            chosen.append(subject)
            excess_bytes -= len(self._filled[subject]) + PLACE_BYTES
        return chosen

    def _take(self, subject: Subject) -> bytes:
        packed = self._filled.pop(subject)
        self.size_bytes -= len(packed) + PLACE_BYTES
        return packed


class Ring:
    """The latest closed periods of one length, within a budget of bytes: the oldest go first."""

    def __init__(self, kept: int, budget_bytes: int) -> None:
        self._periods: deque[Period] = deque(maxlen=kept)
        self._budget_bytes = budget_bytes

    def __iter__(self) -> Iterator[Period]:
        return iter(self._periods)

    def append(self, period: Period) -> None:
        self._periods.append(period)
        self.fit()

    def fit(self) -> None:
        size_bytes = sum(period.size_bytes for period in self._periods)
        while size_bytes > self._budget_bytes and len(self._periods) > 1:
            size_bytes -= self._periods.popleft().size_bytes

    def since(self, oldest_s: float) -> list[Period]:
        """Those whose end lies after ``oldest_s`` (seconds since 1970)."""
        return [period for period in self._periods if period.end * 60 > oldest_s]


def summed(cells: Iterable[tuple[Subject, Statistics]]) -> dict[Subject, Statistics]:
    """One sum for each subject."""
    result: dict[Subject, Statistics] = {}
    for subject, statistics in cells:
        found = result.get(subject)
        if found is None:
            found = result[subject] = Statistics()
        found.merge(statistics)
    return result
