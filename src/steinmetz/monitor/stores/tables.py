"""How rows of figures stand in a database: the tables, and a `Row` as their values and back."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Executable,
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    inspect,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from steinmetz.monitor.analysis.packing import head
from steinmetz.monitor.analysis.window import HOUR, Kind, Subject
from steinmetz.monitor.stores.shelf import Row

metadata = MetaData()

statistics = Table(
    "monitor_statistics",
    metadata,
    Column("process", String(32), primary_key=True),
    Column("span", SmallInteger, primary_key=True, comment="minutes: 1, 60; 0 for all since the process started"),
    Column("start", BigInteger, primary_key=True, autoincrement=False, comment="minutes since 1970"),
    Column("kind", String(16), primary_key=True),
    Column("inside", SmallInteger, primary_key=True, comment="1: runs of a statement inside a track"),
    Column("key", String(200), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("statement", Text, comment="its shape, without values"),
    Column("upto", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
    Column("slow", BigInteger, nullable=False),
    Column("total_ns", BigInteger, nullable=False),
    Column("max_ns", BigInteger, nullable=False),
    Column("packed", LargeBinary, nullable=False, comment="all figures and the histogram"),
    Index("ix_monitor_statistics_changed", "changed_ms"),
    Index("ix_monitor_statistics_start", "span", "start"),
)
"""One row is what one process has counted for one subject in one span (`steinmetz.monitor.stores.shelf.Row`)."""

processes = Table(
    "monitor_processes",
    metadata,
    Column("process", String(32), primary_key=True),
    Column("seen_ms", BigInteger, nullable=False),
)

_KEY = ("process", "span", "start", "kind", "inside", "key")
_FIGURES = ("count", "errors", "slow", "total_ns", "max_ns")
READ = select(*(statistics.c[name] for name in (*_KEY, "name", "statement", "upto", "packed")))
"""What `row_of` takes."""
KINDS = frozenset(Kind)
"""A later release may have written others."""


def make(connection: Connection, wanted: MetaData) -> None:
    """Make those tables of ``wanted`` that are missing, in transactions of their own.

    On SQLite a transaction that has begun by reading cannot write any more once somebody else has written; one
    that begins by writing waits its turn.
    """
    if missing := _missing(connection, wanted):
        try:
            wanted.create_all(connection, missing, checkfirst=False)
            connection.commit()
        except DBAPIError:
            connection.rollback()
            if _missing(connection, wanted):  # else another one has made them between our look and our CREATE
                raise


def _missing(connection: Connection, wanted: MetaData) -> list[Table]:
    look = inspect(connection)
    missing = [table for table in wanted.sorted_tables if not look.has_table(table.name)]
    connection.rollback()
    return missing


def _storable(text: str) -> str:
    """PostgreSQL keeps no NUL, and nobody keeps half a surrogate pair."""
    return text.replace("\x00", "").encode(errors="replace").decode()


def row_of(values: Any) -> Row:
    """A row of `READ`; its kind is one of `KINDS`."""
    subject = Subject(Kind(values.kind), values.key, values.name, values.statement or "", bool(values.inside))
    return Row(values.process, values.span, values.start, subject, values.upto, bytes(values.packed))


def values_of(row: Row, now_ms: int, *, with_text: bool = True) -> dict[str, Any]:
    """A row of the table ``monitor_statistics``."""
    figures = head(row.packed)
    subject = row.subject
    return {
        "process": row.process,
        "span": row.span,
        "start": row.start,
        "kind": subject.kind.value,
        "inside": int(subject.inside),
        "key": _storable(subject.key),
        "name": _storable(subject.name),
        "statement": _storable(subject.text) if subject.text and with_text else None,
        "upto": row.upto,
        "changed_ms": now_ms,
        **{name: figures[name] for name in _FIGURES},
        "packed": row.packed,
    }


def put(connection: Connection, values: list[dict[str, Any]]) -> None:
    """Insert or replace; a text that is there already stays."""
    dialect = connection.dialect.name
    if dialect not in ("sqlite", "postgresql"):
        this = and_(*(statistics.c[name] == bindparam(f"this_{name}") for name in _KEY))
        connection.execute(
            delete(statistics).where(this), [{f"this_{name}": each[name] for name in _KEY} for each in values]
        )
        connection.execute(insert(statistics), values)
        return
    for with_text in (False, True):
        some = [each for each in values if (each["statement"] is not None) is with_text]
        if some:
            connection.execute(_upsert(dialect, with_text=with_text), some)


@cache
def _upsert(dialect: str, *, with_text: bool) -> Executable:
    """Made once: what SQLAlchemy builds a statement of is left to the collector."""
    statement = sqlite.insert(statistics) if dialect == "sqlite" else postgresql.insert(statistics)
    stays = _KEY if with_text else (*_KEY, "statement")
    changed = {
        column.name: statement.excluded[column.name] for column in statistics.columns if column.name not in stays
    }
    return statement.on_conflict_do_update(index_elements=_KEY, set_=changed)


def hours_and_rest(start: int) -> ColumnElement[bool]:
    """Those are hours from the minute ``start`` on, or minutes that these do not reach: no run is there twice."""
    hour = statistics.alias("hour")
    same = [hour.c[name] == statistics.c[name] for name in ("process", "kind", "inside", "key")]
    reached = exists().where(
        hour.c.span == HOUR,
        hour.c.start == statistics.c.start - statistics.c.start % HOUR,
        hour.c.start >= start,
        hour.c.upto > statistics.c.start,
        *same,
    )
    return and_(
        statistics.c.start >= start,
        or_(statistics.c.span == HOUR, and_(statistics.c.span == 1, ~reached)),
    )
