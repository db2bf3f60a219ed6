"""Asks PostgreSQL itself what it makes of a statement, without running it.

``CREATE FUNCTION pg_temp... BEGIN ATOMIC statement; END`` has the server analyse the statement and write down what
it found; that is read back and rolled away. Nothing is executed and no value is needed: the types of the
parameters come from PREPARE. Exact for SELECT, INSERT, UPDATE, DELETE and MERGE (PostgreSQL 14 and later), where
EXPLAIN is not: it leaves out what the planner prunes, and looks into no function.

The transaction takes the locks that planning the statement would take, waits for them at most `_LOCK_WAIT_MS`, and
leaves some dead rows in pg_proc and pg_depend.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from steinmetz.sql.analysis import Analysis
from steinmetz.sql.nodes import analysis_of
from steinmetz.sql.postgres_catalogue import REACHABLE, REACHED
from steinmetz.sql.session import Session
from steinmetz.sql.shape import Shape, binds_of

if TYPE_CHECKING:
    from sqlalchemy.pool import PoolProxiedConnection

_LOCK_WAIT_MS = 100
_STATEMENT_MS = 2_000
_ANALYSED = frozenset({"select", "values", "table", "with", "insert", "update", "delete", "merge"})
_CURSOR = re.compile(
    r"\s*declare\s+\S+\s+[\w\s]*?cursor\s+(?:with\s+hold\s+|without\s+hold\s+)?for\s+", re.IGNORECASE
)
_COPY = re.compile(r"\s*copy\s*\((?P<query>.*)\)\s*to\s.*", re.IGNORECASE | re.DOTALL)
_EXPLAIN = re.compile(
    r"\s*explain\s+(?:\([\w\s,]*\)\s*|(?:analy[sz]e|verbose)\s+)*(?=select|with|insert|update|delete|merge|values|table)",
    re.IGNORECASE,
)
_PREFIXES = {"declare": _CURSOR, "explain": _EXPLAIN}
_NAME = "pg_temp.steinmetz_probe"
# A constant ::regproc is resolved when the driver prepares this; the function is another each time.
_READ = f"""
    SELECT p.prosqlbody::text,
           (SELECT pg_catalog.string_agg(({REACHED})::text, ' ') FROM pg_catalog.pg_depend d
            WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND {REACHABLE})
    FROM pg_catalog.pg_proc p WHERE p.oid = pg_catalog.to_regproc('{_NAME}')"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server made of a statement, and the names of the columns in it by relation and number."""

    analysis: Analysis
    columns: dict[tuple[int, int], str]


class Disagreement(Exception):  # noqa: N818  it is a finding, not an error
    """The two sources of one answer differ; nothing follows from it but doubt."""


def analysable(shape: Shape, statement: str, *, style: str) -> str | None:
    """The text to be analysed, with ``$1`` for its parameters; None if the server cannot be asked about it.

    ``style`` is the driver's paramstyle.
    """
    text = statement.strip().rstrip(";")
    if shape.head == "copy":
        match = _COPY.fullmatch(text)
        if match is None:
            return None
        text = match["query"]
    elif (prefix := _PREFIXES.get(shape.head)) is not None:
        text, found = prefix.subn("", text, count=1)
        if not found:
            return None
    elif shape.head not in _ANALYSED:
        return None
    if shape.several or (shape.opaque and ";" in text):
        return None  # where the ends of literals are in doubt, so are the ends of statements
    return binds_of(text, style)


def ask(connection: PoolProxiedConnection, statement: str, session: Session) -> Answer:
    """Have ``statement`` analysed as ``session`` would run it; on a connection in no transaction.

    Raises `Disagreement`, `steinmetz.sql.nodes.Unreadable`, and whatever the driver raises: a statement that is
    wrong, a right that is missing, a lock that was not to be had.
    """
    cursor = connection.cursor()
    try:
        _run(cursor, f"SET LOCAL lock_timeout = {_LOCK_WAIT_MS}")
        _run(cursor, f"SET LOCAL statement_timeout = {_STATEMENT_MS}")
        if session.role is not None:
            _run(cursor, f"SET LOCAL ROLE {session.role}")
        if session.search_path is not None:
            _run(cursor, f"SET LOCAL search_path TO {session.search_path}")
        types = _types(cursor, statement) if "$" in statement else ""
        _run(
            cursor,
            f"CREATE FUNCTION {_NAME}({types}) RETURNS void LANGUAGE sql BEGIN ATOMIC {statement}\n; END",
        )
        tree, reached = _row(cursor, _READ)
        analysis = analysis_of(tree)
        depends = {int(oid) for oid in (reached or "").split()}
        analysis.calls |= {oid for oid in depends if oid < 0}
        named = {oid for oid in depends if oid > 0}
        if missed := {oid for oid in analysis.relations if oid >= 16_384} - named:
            raise Disagreement(f"the tree of the statement names {missed}, its dependencies do not")
        # What is named but stands in no range table is a constant such as 'sequence'::regclass.
        return Answer(analysis, _columns(cursor, analysis.relations))
    finally:
        cursor.close()
        connection.rollback()


def _types(cursor: Any, statement: str) -> str:
    """What the server takes the parameters for. A prepared statement outlives its transaction, but not this."""
    _run(cursor, f"PREPARE steinmetz_probe AS {statement}\n")
    found = _row(
        cursor,
        "SELECT pg_catalog.array_to_string(parameter_types::text[], ', ') "
        "FROM pg_catalog.pg_prepared_statements WHERE name = 'steinmetz_probe'",
    )
    _run(cursor, "DEALLOCATE steinmetz_probe")
    return str(found[0] or "")


def _columns(cursor: Any, relations: Iterable[int]) -> dict[tuple[int, int], str]:
    oids = ", ".join(map(str, sorted(relations)))
    if not oids:
        return {}
    cursor.execute(
        "SELECT attrelid::bigint, attnum::int, attname::text FROM pg_catalog.pg_attribute "
        f"WHERE attrelid IN ({oids}) AND attnum > 0 AND NOT attisdropped"
    )
    return {(oid, number): name for oid, number, name in cursor.fetchall()}


def _run(cursor: Any, statement: str) -> None:
    cursor.execute(statement)


def _row(cursor: Any, statement: str) -> Any:
    cursor.execute(statement)
    return cursor.fetchone()
