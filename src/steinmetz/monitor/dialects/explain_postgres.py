"""EXPLAIN (FORMAT JSON) with the values of a real run, in a read-only transaction with a time limit.

EXPLAIN without ANALYZE plans and does not run, so a statement that writes may be asked about, too.
https://www.postgresql.org/docs/current/sql-explain.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

from steinmetz.monitor.analysis.plan import PlanNode, of_postgres
from steinmetz.monitor.dialects.base import CannotExplain
from steinmetz.monitor.dialects.explain import TIMEOUT_S, Question, refusal

if TYPE_CHECKING:
    from sqlalchemy import Connection

LOCK_TIMEOUT_MS = 200
_SIZES = """
    SELECT c.relname::text, greatest(c.reltuples, 0)::bigint
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND c.relkind IN ('r', 'p', 'm')
    ORDER BY c.reltuples DESC LIMIT 1000"""


def explain(connection: Connection, question: Question) -> PlanNode:
    try:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(TIMEOUT_S * 1000)}")
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
        sizes = {str(name): int(rows) for name, rows in connection.exec_driver_sql(_SIZES)}
        told: Any = connection.exec_driver_sql(
            f"EXPLAIN (FORMAT JSON) {question.statement}", question.values
        ).scalar()
    except DBAPIError as error:
        raise refusal(error) from None
    plan = json.loads(told) if isinstance(told, str | bytes) else told
    try:
        return of_postgres(plan[0]["Plan"], sizes)
    except (LookupError, TypeError):
        raise CannotExplain("the engine tells no plan for it") from None
