"""Which statements matter most: by frequency, by total time, by runs a request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StatementFigures:
    """The figures of one statement on one route, or everywhere (``route`` is then empty).

    ``requests`` are the units of work of that route, whether the statement ran in them or not.
    """

    fingerprint: str
    text: str
    count: int
    total_ns: int
    route: str = ""
    requests: int = 0

    @property
    def per_request(self) -> float:
        return self.count / self.requests if self.requests else 0.0


def everywhere(figures: Iterable[StatementFigures]) -> list[StatementFigures]:
    """Each statement once, with the sums over all routes."""
    sums: dict[str, StatementFigures] = {}
    for one in figures:
        known = sums.get(one.fingerprint)
        count, total_ns = (one.count, one.total_ns)
        if known is not None:
            count, total_ns = count + known.count, total_ns + known.total_ns
        sums[one.fingerprint] = StatementFigures(one.fingerprint, one.text, count, total_ns)
    return list(sums.values())


def most_frequent(figures: Iterable[StatementFigures], limit: int = 10) -> list[StatementFigures]:
    return sorted(figures, key=lambda one: (-one.count, one.fingerprint))[:limit]


def most_time(figures: Iterable[StatementFigures], limit: int = 10) -> list[StatementFigures]:
    """By total time: what is rare and slow, and what is quick and always there."""
    return sorted(figures, key=lambda one: (-one.total_ns, one.fingerprint))[:limit]


def most_per_request(figures: Iterable[StatementFigures], limit: int = 10) -> list[StatementFigures]:
    """By runs for each request of one route; what ran at most once a request is no news."""
    repeated = (one for one in figures if one.per_request > 1)
    return sorted(repeated, key=lambda one: (-one.per_request, -one.count, one.fingerprint))[:limit]
