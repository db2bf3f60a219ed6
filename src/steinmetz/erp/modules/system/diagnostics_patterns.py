"""How the application asks its database: N+1, write loops and other patterns, each with line and remedy."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from steinmetz.erp.kit.answers import Answer, Listing
from steinmetz.erp.kit.pagination import Large, Page, PageQuery, Paging, encode_cursor
from steinmetz.erp.kit.schemas import Schema
from steinmetz.erp.modules.system.diagnostics import OPERATORS, monitor_of
from steinmetz.monitor.analysis.patterns import PatternKind
from steinmetz.monitor.analysis.rankings import (
    StatementFigures,
    everywhere,
    most_frequent,
    most_per_request,
    most_time,
)
from steinmetz.monitor.patterns import Patterns
from steinmetz.monitor.stores.patterns import Habit

router = APIRouter()


class PatternView(Schema):
    id: int
    pattern: PatternKind
    statement: str
    """The text without values; empty for a pattern that is about no single statement."""
    fingerprint: str
    subject: str
    """The relationship, column or relations it is about, as `Invoice.items`."""
    line: str | None
    """The innermost line of the application, as `finance/repository.py:81 in invoices`."""
    callers: list[str]
    """The lines that led there, innermost first."""
    remedy: str
    times: int
    """Units of work in which it was found."""
    runs: int
    """Statements (or rows) in all of them."""
    worst: int
    """Statements (or rows) in the worst of them."""
    total_ms: float
    saved_ms: float
    """What one statement for all would have saved, about."""
    first_seen: datetime
    last_seen: datetime
    routes: list[str]
    """The units of work it was found in: the first ten names."""
    evidence: dict[str, int | str]
    """Figures of the worst one."""


class RankedView(Schema):
    fingerprint: str
    statement: str
    route: str
    """Empty: on all routes together."""
    count: int
    total_ms: float
    per_request: float


class RankingsView(Schema):
    most_frequent: list[RankedView]
    most_time: list[RankedView]
    most_per_request: list[RankedView]


def _patterns(request: Request) -> Patterns:
    return monitor_of(request).patterns


def _listing(patterns: Patterns, page: PageQuery, kinds: Collection[PatternKind]) -> dict[str, Any]:
    habits = patterns.habits(kinds)
    after = page.after(Large, Large, int)
    rest = habits if after is None else [habit for habit in habits if _place_in_list(habit) > _descending(*after)]
    shown, more = rest[: page.limit], len(rest) > page.limit
    last = shown[-1] if shown else None
    cursor = encode_cursor(last.saved_ns, last.total_ns, last.id) if more and last is not None else None
    listed = Page([_view(habit) for habit in shown], cursor, len(habits))
    return {"success": True, "data": listed.rows, "page": {"next": listed.next, "total": listed.total}}


def _descending(saved_ns: int, total_ns: int, number: int) -> tuple[int, int, int]:
    return -saved_ns, -total_ns, number


def _place_in_list(habit: Habit) -> tuple[int, int, int]:
    return _descending(habit.saved_ns, habit.total_ns, habit.id)


def _view(habit: Habit) -> PatternView:
    worst = habit.worst
    return PatternView(
        id=habit.id,
        pattern=worst.kind,
        statement=worst.statement,
        fingerprint=worst.fingerprint,
        subject=worst.subject,
        line=str(worst.place) if worst.place is not None else None,
        callers=[str(place) for place in worst.callers],
        remedy=worst.remedy,
        times=habit.times,
        runs=habit.runs,
        worst=worst.count,
        total_ms=_ms(habit.total_ns),
        saved_ms=_ms(habit.saved_ns),
        first_seen=habit.first_seen,
        last_seen=habit.last_seen,
        routes=habit.routes,
        evidence=worst.evidence,
    )


def _ranked(figures: Sequence[StatementFigures]) -> list[RankedView]:
    return [
        RankedView(
            fingerprint=one.fingerprint,
            statement=one.text,
            route=one.route,
            count=one.count,
            total_ms=_ms(one.total_ns),
            per_request=round(one.per_request, 2),
        )
        for one in figures
    ]


def _ms(duration_ns: int) -> float:
    return round(duration_ns / 1e6, 3)


@router.get(
    "/api/diagnostics/n-plus-one",
    response_model=Listing[PatternView],
    tags=["diagnostics"],
    dependencies=OPERATORS,
)
async def n_plus_one(request: Request, page: Paging) -> Any:
    """Lines that ask once a row what one statement could ask, with what mends them; the costliest first."""
    return _listing(_patterns(request), page, {PatternKind.N_PLUS_ONE})


@router.get(
    "/api/diagnostics/patterns",
    response_model=Listing[PatternView],
    tags=["diagnostics"],
    dependencies=OPERATORS,
)
async def patterns(
    request: Request,
    page: Paging,
    kind: Annotated[list[PatternKind] | None, Query(description="Only these; all without")] = None,
) -> Any:
    """All habits of asking that cost more than they must, with line and remedy; the costliest first."""
    return _listing(_patterns(request), page, kind or ())


@router.get(
    "/api/diagnostics/rankings",
    response_model=Answer[RankingsView],
    tags=["diagnostics"],
    dependencies=OPERATORS,
)
async def rankings(
    request: Request, limit: Annotated[int, Query(ge=1, le=100, description="How many in each list")] = 10
) -> Any:
    """The statements that ran most often, took the most time, and ran most often for each request of one route."""
    figures = _patterns(request).routes()
    together = everywhere(figures)
    shown = RankingsView(
        most_frequent=_ranked(most_frequent(together, limit)),
        most_time=_ranked(most_time(together, limit)),
        most_per_request=_ranked(most_per_request(figures, limit)),
    )
    return {"success": True, "data": shown}
