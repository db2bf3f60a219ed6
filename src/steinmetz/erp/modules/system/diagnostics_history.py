"""Figures over time, for charts: minute by minute of the last hour, or of the last day."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from steinmetz.erp.kit.answers import Answer, answer
from steinmetz.erp.kit.schemas import Schema
from steinmetz.erp.modules.system.diagnostics import OPERATORS
from steinmetz.erp.modules.system.diagnostics_statistics import Monitor, Window
from steinmetz.monitor import reports
from steinmetz.monitor.analysis.window import Kind
from steinmetz.monitor.stores.base import Moment, StatisticsStore

router = APIRouter(prefix="/api/diagnostics", tags=["diagnostics"], dependencies=OPERATORS)

KEYS = 50
DEFAULT_S = 3_600.0


class SeriesView(Schema):
    """One value for each of the answer's `times`."""

    key: str | None
    """The route, name or fingerprint; null: all together."""
    count: list[int]
    errors: list[int]
    slow: list[int]
    avg_time: list[float | None]
    """Milliseconds, as all below; null where nothing ran."""
    p50: list[float | None]
    p95: list[float | None]
    p99: list[float | None]


class HistoryView(Schema):
    times: list[int]
    """Where each stretch begins, in seconds since 1970."""
    seconds: list[float]
    """How long it lasted; the last one is under way."""
    series: list[SeriesView]


Kinds = Literal["route", "name", "statement", "timing"]


@router.get("/history", response_model=Answer[HistoryView])
async def history(
    monitor: Monitor,
    window: Window,
    kind: Annotated[
        Kinds, Query(description="Requests by route, queries by name, statements by fingerprint, or waits")
    ] = "route",
    key: Annotated[
        list[Annotated[str, Query(max_length=200)]] | None,
        Query(max_length=KEYS, description="Of these, each by itself; all together without"),
    ] = None,
) -> dict[str, Any]:
    """Counts and percentiles (ms) by the minute, of all processes together; of the last hour without a `window`.

    Every series has the same `times`; minutes in which nothing ran count nothing.
    """
    now = monitor.clock.now()
    since = now - timedelta(seconds=window or DEFAULT_S)
    wanted: list[str | None] = [*dict.fromkeys(key)] if key else [None]
    # Many figures are unpacked: not while everybody waits.
    moments = await asyncio.to_thread(_moments, monitor.store, Kind(kind), wanted, since)
    return answer(history_of(moments, now))


def _moments(
    store: StatisticsStore, kind: Kind, keys: list[str | None], since: datetime
) -> dict[str | None, list[Moment]]:
    return {key: store.history(kind, key, since) for key in keys}


def history_of(moments: dict[str | None, list[Moment]], now: datetime) -> HistoryView:
    """All series on one axis that has every minute between the first and the last of them, and now. Pure."""
    now_s = now.timestamp()
    stretches: dict[int, int] = {}
    for series in moments.values():
        for moment in series:
            start = int(moment.start.timestamp())
            stretches[start] = min(moment.length_s, stretches.get(start, moment.length_s))
    minutes = [start for start, length in stretches.items() if length == 60]
    if minutes:
        for start in range(min(minutes), int(now_s), 60):
            stretches.setdefault(start, 60)
    times = sorted(stretches)
    return HistoryView(
        times=times,
        seconds=[max(1.0, round(min(stretches[start], now_s - start), 1)) for start in times],
        series=[_series(key, series, times) for key, series in moments.items()],
    )


def _series(key: str | None, moments: list[Moment], times: list[int]) -> SeriesView:
    known = {int(moment.start.timestamp()): moment.statistics for moment in moments}
    found = [known.get(start) for start in times]
    return SeriesView(
        key=key,
        count=[one.count if one else 0 for one in found],
        errors=[one.errors if one else 0 for one in found],
        slow=[one.slow if one else 0 for one in found],
        avg_time=[reports.ms(one.mean_ns) if one and one.count else None for one in found],
        p50=[reports.ms(one.quantile(0.5)) if one and one.count else None for one in found],
        p95=[reports.ms(one.quantile(0.95)) if one and one.count else None for one in found],
        p99=[reports.ms(one.quantile(0.99)) if one and one.count else None for one in found],
    )
