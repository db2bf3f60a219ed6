"""Statements really run by PostgreSQL, with real indexes, in a transaction that is rolled back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from steinmetz.monitor.advisor.index import Index
from steinmetz.monitor.dialects.base import CannotExplain, Plan, Work, is_many, refuse_unless_runnable
from steinmetz.monitor.dialects.postgres_plan import buffers, nodes, plan_of, rows_given, rows_handled
from steinmetz.monitor.dialects.postgres_session import PostgresSession

RUNS = 5
"""Times that a statement is run for one figure, which is their median."""
GENERIC_PLANS_KEPT = 10_000
SETS_RUN = 20
"""Sets of parameters run of one ``executemany``."""

_RUN = ", ANALYZE, BUFFERS, TIMING OFF"
_TOUCHED = """
SELECT coalesce(sum(pg_stat_get_xact_blocks_fetched(oid)), 0)::float8,
    coalesce(sum(pg_stat_get_xact_tuples_returned(oid)), 0)::float8
FROM pg_class WHERE relkind IN ('r', 'i', 'm') AND oid >= 16384"""


class PostgresProof:
    """Work is counted in rows that the plan's nodes handled and pages that they asked for.

    A statement that the server keeps prepared is also run by the generic plan if PostgreSQL would settle on it;
    the worse of both counts. What triggers and foreign keys do is in no plan; the session's own counters have it
    (pg_stat_get_xact_*). Raises `CannotExplain` at once where nothing may be built.
    """

    def __init__(self, session: PostgresSession, *, runs: int = RUNS) -> None:
        if not session.may_build:
            raise CannotExplain("statements are run on a clone only: give the URL of one, or allow to run here")
        self._session = session
        self._runs = runs
        self._generic: dict[tuple[str, tuple[Index, ...]], Plan] = {}

    def run(self, sql: str, values: Any, *, adding: Sequence[Index] = (), without: Sequence[Index] = ()) -> Work:
        refuse_unless_runnable(sql)
        self._session.plan_for_running()
        self._session.indexes.use(adding, without)
        sets = values[:SETS_RUN] if is_many(values) else [values]
        work = self._median(sql, sets, generic=False)
        if self._settles_on_generic(sql, sets[0], (*adding, *without)):
            work = max(work, self._median(sql, sets, generic=True), key=lambda each: each.steps)
        return work

    def _median(self, sql: str, sets: Sequence[Any], generic: bool) -> Work:
        works = [self._once(sql, sets, generic) for _ in range(self._runs)]
        return Work(
            steps=median(work.steps for work in works),
            duration_ms=median(work.duration_ms for work in works),
            rows=works[0].rows,
        )

    def _once(self, sql: str, sets: Sequence[Any], generic: bool) -> Work:
        with self._session.undone():
            works = [self._work(sql, values, generic) for values in sets]
        return Work(
            sum(work.steps for work in works),
            sum(work.duration_ms for work in works),
            sum(work.rows for work in works),
        )

    def _settles_on_generic(self, sql: str, values: Any, indexes: tuple[Index, ...]) -> bool:
        """Whether the generic plan looks no dearer, so that PostgreSQL keeps to it from the sixth run on. What it
        then does for these values may be worse."""
        if "$1" not in sql or not values:
            return False
        memo = (sql, indexes)
        if memo not in self._generic:
            if len(self._generic) >= GENERIC_PLANS_KEPT:
                self._generic.clear()
            with self._session.prepared(sql) as prepared:
                self._generic[memo] = plan_of(prepared.explained(None)["Plan"], {})
        generic = self._generic[memo]
        own = plan_of(self._session.explained(sql, values)["Plan"], {})
        return generic.cost <= own.cost and generic.hash != own.hash

    def _work(self, sql: str, values: Any, generic: bool) -> Work:
        # A read fires no trigger.
        writes = not sql.lstrip().lower().startswith(("select", "values"))
        blocks, tuples = self._touched() if writes else (0.0, 0.0)
        if generic:
            with self._session.prepared(sql) as prepared:
                told = prepared.explained(values, _RUN)
        else:
            told = self._session.explained(sql, values, _RUN)
        plan: Mapping[str, Any] = told["Plan"]
        steps = rows_handled(plan) + buffers(plan)
        if writes and told.get("Triggers"):
            after_blocks, after_tuples = self._touched()
            scanned = sum(
                rows_handled({**node, "Plans": ()}) for _, node in nodes(plan) if "Scan" in node["Node Type"]
            )
            steps += max(0.0, after_blocks - blocks - buffers(plan))
            steps += max(0.0, after_tuples - tuples - scanned)
        return Work(steps, float(told.get("Execution Time", 0.0)), rows_given(plan))

    def _touched(self) -> tuple[float, float]:
        ((blocks, tuples),) = self._session.ask(_TOUCHED)
        return blocks, tuples
