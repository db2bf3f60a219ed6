"""EXPLAIN QUERY PLAN: SQLite prepares the statement and tells how it would go about it; it runs nothing.

https://www.sqlite.org/eqp.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import SingletonThreadPool, StaticPool

from steinmetz.monitor.analysis.plan import PlanNode, of_sqlite
from steinmetz.monitor.dialects.base import CannotExplain
from steinmetz.monitor.dialects.explain import Question, refusal

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

TABLES_MEASURED = 20
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' LIMIT 2000"


def check(engine: Engine) -> None:
    """Raises `CannotExplain` for a database in memory: a second connection would see another one."""
    if isinstance(engine.pool, (StaticPool, SingletonThreadPool)):
        raise CannotExplain("a database in memory has no second connection to ask on")


def explain(connection: Connection, question: Question) -> PlanNode:
    try:
        rows = [
            tuple(row)
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {question.statement}", question.values)
        ]
    except DBAPIError as error:
        raise refusal(error) from None
    plan = of_sqlite(rows)
    return of_sqlite(rows, _sizes(connection, (node.relation for node in plan.walk() if node.relation)))


def _sizes(connection: Connection, relations: Iterable[str]) -> dict[str, int]:
    """About how many rows the tables have: the largest rowid, which takes one step down the tree.

    A table without rowids, and an alias, has none.
    """
    sizes = {}
    tables = {str(name) for (name,) in connection.exec_driver_sql(_TABLES)}
    for relation in [name for name in dict.fromkeys(relations) if name in tables][:TABLES_MEASURED]:
        quoted = relation.replace('"', '""')
        try:
            found = connection.exec_driver_sql(f'SELECT max(rowid) FROM "{quoted}"').scalar()
        except DBAPIError:
            continue
        if isinstance(found, int):
            sizes[relation] = found
    return sizes
