"""What other processes have counted, as far as their rows have been read: kept packed, added up for a reader."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from steinmetz.monitor.analysis.packing import pack, unpack
from steinmetz.monitor.analysis.statistics import Statistics
from steinmetz.monitor.analysis.window import DAY, HOUR, Kind, Subject, Wanted
from steinmetz.monitor.stores.shelf import WHOLE, Row

BUDGET_BYTES = 24_000_000
CELL_BYTES = 200
"""What a row takes beside its packed bytes: its place in a dictionary and the objects' heads."""

Page = dict[Subject, tuple[int, bytes]]
"""For each subject: up to which minute its figures reach, and these packed."""


class Mirror:
    """The rows of other processes: wholes, the hours and minutes of the last day as far as they fit."""

    def __init__(self) -> None:
        self._pages: dict[tuple[str, int, int], Page] = {}
        self._texts: dict[str, Subject] = {}
        self._sums: dict[tuple[str, int, int], dict[Kind, bytes]] = {}
        """Of all of a kind, as far as somebody has asked since the page has changed."""

    def put(self, rows: Iterable[Row]) -> None:
        for row in rows:
            subject = row.subject
            page = self._pages.setdefault((row.process, row.span, row.start), {})
            self._sums.pop((row.process, row.span, row.start), None)
            page.pop(subject, None)  # so that the newest description of it becomes the key
            page[self._described(subject)] = (row.upto, row.packed)

    def _described(self, subject: Subject) -> Subject:
        """A row may leave the statement's text to another one."""
        if subject.text:
            self._texts.setdefault(subject.key, subject)
            return subject
        known = self._texts.get(subject.key)
        if known is None or known.kind is not subject.kind:
            return subject
        return Subject(subject.kind, subject.key, subject.name, known.text, subject.inside)

    def keep_only(self, processes: set[str]) -> None:
        """Forget processes that have no rows any more."""
        for key in [key for key in self._pages if key[0] not in processes]:
            del self._pages[key]

    def fit(self, minute: int) -> None:
        """Forget what is older than a day, then the oldest minutes beyond the budget."""
        for key in [key for key in self._pages if key[1] != WHOLE and key[2] + key[1] < minute - DAY]:
            del self._pages[key]
        sizes = {
            key: sum(len(packed) + CELL_BYTES for _, packed in page.values()) for key, page in self._pages.items()
        }
        excess = sum(sizes.values()) - BUDGET_BYTES
        for key in sorted((key for key in sizes if key[1] == 1), key=lambda key: key[2]):
            if excess <= 0 or key[2] >= minute - HOUR:
                break
            del self._pages[key]
            excess -= sizes[key]
        self._sums = {key: sums for key, sums in self._sums.items() if key in self._pages}

    def clear(self) -> None:
        self._pages.clear()
        self._sums.clear()
        self._texts.clear()

    def read(self, window_s: float | None, now_s: float) -> Iterator[tuple[Subject, Statistics]]:
        """All figures since the start, or of a window, in parts."""
        if window_s is None:
            yield from self._with_minutes(WHOLE, lambda _: 0, 0)
        elif window_s <= HOUR * 60:
            for key, page in self._pages.items():
                if key[1] == 1 and _ends_after(key, now_s - window_s):
                    yield from ((subject, _figures(packed)) for subject, (_, packed) in page.items())
        else:
            first = int((now_s - window_s) // 60) // HOUR * HOUR
            yield from self._with_minutes(HOUR, lambda start: start // HOUR, first)

    def _with_minutes(
        self, span: int, place_of: Callable[[int], int], first: int
    ) -> Iterator[tuple[Subject, Statistics]]:
        """The figures of a longer span from the minute ``first`` on, and of the minutes they do not reach."""
        reached: dict[tuple[str, int, Subject], int] = {}
        for (process, length, start), page in self._pages.items():
            if length == span and (span == WHOLE or start >= first):
                for subject, (upto, packed) in page.items():
                    reached[process, place_of(start), subject] = upto
                    yield subject, _figures(packed)
        for (process, length, start), page in self._pages.items():
            if length == 1 and start >= first:
                for subject, (_, packed) in page.items():
                    if start >= reached.get((process, place_of(start), subject), 0):
                        yield subject, _figures(packed)

    def stretches(self, oldest_s: float, wanted: Wanted) -> Iterator[tuple[int, int, Statistics]]:
        """The minutes of the last day, and the hours before the first of these."""
        first = min((start for _, span, start in self._pages if span == 1), default=None)
        for key, page in self._pages.items():
            _, span, start = key
            if span == WHOLE or not _ends_after(key, oldest_s):
                continue
            if span == HOUR and first is not None and start + HOUR > first:
                continue
            if wanted.all_of is not None:
                yield start, span, _figures(self._sum(key, page, wanted))
                continue
            for _, packed in wanted.among(page):
                yield start, span, _figures(packed)

    def _sum(self, key: tuple[str, int, int], page: Page, wanted: Wanted) -> bytes:
        sums = self._sums.setdefault(key, {})
        assert wanted.all_of is not None
        if wanted.all_of not in sums:
            total = Statistics()
            for _, packed in wanted.among(page):
                total.merge(_figures(packed))
            sums[wanted.all_of] = pack(total)
        return sums[wanted.all_of]

    def slowest(self, window_s: float | None, now_s: float) -> Iterator[tuple[str, int, int]]:
        """The slowest sample of each name and minute: name, ns, minute."""
        oldest_s = 0.0 if window_s is None else now_s - window_s
        for key, page in self._pages.items():
            if key[1] == 1 and _ends_after(key, oldest_s):
                for subject, (_, packed) in page.items():
                    if subject.is_sample and (highest := _figures(packed).max_ns):
                        yield subject.name, highest, key[2]


def _ends_after(key: tuple[str, int, int], oldest_s: float) -> bool:
    return (key[2] + key[1]) * 60 > oldest_s


def _figures(packed: bytes) -> Statistics:
    """None at all if another release has packed them in another way."""
    try:
        return unpack(packed)
    except ValueError:
        return Statistics()
