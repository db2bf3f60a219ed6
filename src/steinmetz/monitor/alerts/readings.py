"""What the alert rules are given: one round of readings from the monitor's figures, made when asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from steinmetz.monitor.analysis.alerting import Budget, Measure, Measured
from steinmetz.monitor.analysis.statistics import Statistics

if TYPE_CHECKING:
    from sqlalchemy import Engine


def of_queries(names: Mapping[str, Statistics], budgets: Mapping[str, Budget]) -> Iterator[Measured]:
    """Share of slow and of failed queries, and the percentiles of the names that have a budget."""
    count = slow = errors = 0
    for statistics in list(names.values()):
        count += statistics.count
        slow += statistics.slow
        errors += statistics.errors
    if count:
        yield Measured(
            Measure.SLOW_SHARE, "queries", slow / count, count, f"{slow:,} of {count:,} queries were slow"
        )
        yield Measured(
            Measure.ERROR_RATE, "queries", errors / count, count, f"{errors:,} of {count:,} queries failed"
        )
    for name, budget in budgets.items():
        found = names.get(name)
        if found is None:
            continue
        for measure, quantile, bound_ms in (
            (Measure.P95, 0.95, budget.p95_ms),
            (Measure.P99, 0.99, budget.p99_ms),
        ):
            if bound_ms is not None:
                taken_ms = found.quantile(quantile) / 1e6
                yield Measured(
                    measure, name, taken_ms / bound_ms, found.count,
                    f"{measure.value} of {name} is {taken_ms:,.1f} ms; its budget is {bound_ms:,g} ms",
                )  # fmt: skip


def of_pools(engines: Iterable[tuple[str, Engine]]) -> Iterator[Measured]:
    """How full the connection pools are; a pool without a bound is left out."""
    for database, engine in engines:
        pool: Any = engine.pool
        try:
            limit = pool.size() + pool._max_overflow
            in_use = pool.checkedout()
        except AttributeError:
            continue  # NullPool, StaticPool...: nobody waits for a connection
        if pool._max_overflow >= 0 and limit > 1:
            yield Measured(
                Measure.POOL, database, in_use / limit, in_use, f"{in_use} of {limit} connections are in use"
            )


def of_loop(blocked_ns: int, period_s: float) -> Iterator[Measured]:
    """How much of the last ``period_s`` the event loop was blocked."""
    if period_s > 0:
        yield Measured(
            Measure.LOOP_LAG, "event loop", blocked_ns / 1e9 / period_s, 1,
            f"the event loop was blocked for {blocked_ns / 1e6:,.0f} ms of the last {period_s:,.1f} s",
        )  # fmt: skip
