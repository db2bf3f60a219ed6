"""Figures of queries for operators: by name, by statement and by route, of all processes together."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request

from steinmetz.erp.errors import Unprocessable
from steinmetz.erp.kit.answers import Listing, listing
from steinmetz.erp.kit.pagination import Large, Page, PageQuery, Paging, encode_cursor
from steinmetz.erp.kit.schemas import Schema
from steinmetz.erp.modules.system.diagnostics import OPERATORS, monitor_of
from steinmetz.monitor import QueryMonitor, reports
from steinmetz.monitor.analysis.window import Kind, parse_window
from steinmetz.monitor.stores.base import Figures

router = APIRouter(prefix="/api/diagnostics", tags=["diagnostics"], dependencies=OPERATORS)


class _Times(Schema):
    """Milliseconds; percentiles are within 0.8 % of the truth."""

    count: int
    errors: int
    slow: int
    total_time: float
    avg_time: float
    min_time: float
    max_time: float
    p50: float
    p95: float
    p99: float


class StatementView(_Times):
    fingerprint: str
    name: str
    statement: str
    """Its shape, without values."""


class RouteView(_Times):
    route: str
    """Of a request, or the name of a job, an event or a command."""
    statements: int
    statements_per_run: float
    most_statements: int
    """In one run."""
    database_time: float


async def _monitor(request: Request) -> QueryMonitor:
    """The monitor, with what other processes have counted up to now."""
    monitor = monitor_of(request)
    await monitor.store.refresh()
    return monitor


Monitor = Annotated[QueryMonitor, Depends(_monitor)]


async def _window(
    window: Annotated[
        str | None,
        Query(
            max_length=20,
            description="Only about the last `30s`, `5m`, `1h` or `24h`; a plain number is seconds; all without",
        ),
    ] = None,
) -> float | None:
    if window is None:
        return None
    try:
        return parse_window(window)
    except ValueError as error:
        raise Unprocessable(str(error), "window") from None


Window = Annotated[float | None, Depends(_window)]


@router.get("/query-stats")
async def query_stats(monitor: Monitor, window: Window) -> dict[str, Any]:
    """Count and times (ms) of every named query."""
    return {"success": True, "stats": monitor.query_stats(window)}


@router.get("/statements", response_model=Listing[StatementView])
async def statements(
    monitor: Monitor,
    window: Window,
    page: Paging,
    sort: Annotated[
        Literal["total", "count", "p95"], Query(description="By total time, count or 95th percentile; most first")
    ] = "total",
) -> dict[str, Any]:
    """Count and times (ms) of every statement, those inside of tracks included."""
    ranked = reports.ranking(monitor.store, Kind.STATEMENT, window, sort)
    return _page(ranked, page, sort, reports.statement_report)


@router.get("/routes", response_model=Listing[RouteView])
async def routes(
    monitor: Monitor,
    window: Window,
    page: Paging,
    sort: Annotated[
        Literal["total", "count", "p95", "most"],
        Query(description="By total time, count, 95th percentile, or most statements in one run; most first"),
    ] = "total",
) -> dict[str, Any]:
    """Count and times (ms) of every route, job, event and command, and what its runs asked of the database."""
    ranked = reports.ranking(monitor.store, Kind.ROUTE, window, sort)
    return _page(ranked, page, sort, reports.route_report)


def _page(ranked: list[Figures], page: PageQuery, sort: reports.SortBy, shown: Any) -> dict[str, Any]:
    """The rows after the cursor's; figures that grow between two pages may move a row, they never break a page."""
    places = [(reports.weight(figures, sort), figures.key) for figures in ranked]
    begin = 0
    if (after := page.after(Large, str)) is not None:
        begin = sum((-weight, key) <= (-after[0], after[1]) for weight, key in places)
    end = begin + page.limit
    more = end < len(ranked)
    rows = [shown(figures) for figures in ranked[begin:end]]
    return listing(Page(rows, encode_cursor(*places[end - 1]) if more else None, len(ranked)))
