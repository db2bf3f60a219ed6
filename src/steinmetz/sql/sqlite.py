"""What SQLite knows of a statement: its own authorizer, asked at prepare time.

The authorizer reports every table that the compiled program may touch: behind views, in triggers, by cascades, in
branches that are never taken. It is asked by preparing ``EXPLAIN <statement>`` once for each new text, on the
statement's own connection, because only that one has its uncommitted schema, its temporary and attached tables and
its functions. A connection has one authorizer slot, so an application cannot keep an own one on a hooked engine.

What the authorizer does not report is added from the schema: a full-text table reads the table named by its
``content=`` option; other virtual tables may read anything.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from steinmetz.sql.facts import Relation, StatementFacts, Verb
from steinmetz.sql.shape import Shape

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import ExecutionContext
    from sqlalchemy.pool import PoolProxiedConnection

T = TypeVar("T")

_WRITES = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})
_NEITHER = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE, sqlite3.SQLITE_TRANSACTION,
     sqlite3.SQLITE_SAVEPOINT, sqlite3.SQLITE_PRAGMA, sqlite3.SQLITE_ANALYZE, sqlite3.SQLITE_REINDEX}
)  # fmt: skip
_SHADOWS = {
    "fts3": ("content", "segments", "segdir", "docsize", "stat"),
    "fts4": ("content", "segments", "segdir", "docsize", "stat"),
    "fts5": ("data", "idx", "content", "docsize", "config"),
    "rtree": ("node", "rowid", "parent"),
    "rtree_i32": ("node", "rowid", "parent"),
    "geopoly": ("node", "rowid", "parent"),
}
_WITHOUT_DATA = re.compile(r"json_each|json_tree|jsonb_each|jsonb_tree|pragma_\w+|generate_series")
_SCHEMA_TABLES = frozenset({"sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema"})
_MODULE = re.compile(r"\busing\s+(\w+)", re.IGNORECASE)
_CONTENT = re.compile(r"""\bcontent\s*=\s*(?:"([^"]*)"|'([^']*)'|(\w*))""", re.IGNORECASE)
_SITUATION = frozenset({"foreign_keys", "recursive_triggers", "temp_store", "writable_schema"})


@dataclass(slots=True)
class _Schema:
    """What the names of one attached database stand for; keys are in lower case, as SQLite compares them."""

    tables: dict[str, str] = field(default_factory=dict)  # to the name as it was created
    content: dict[str, str] = field(default_factory=dict)  # full-text table -> the table its columns come from
    strange: set[str] = field(default_factory=set)  # virtual tables of modules that may read anything
    shadows: dict[str, str] = field(default_factory=dict)  # shadow table -> its virtual table


@dataclass(slots=True)
class _Touched:
    """The authorizer's answers: (attached database or None, table), as it spells them."""

    schemas: dict[str, _Schema]
    modules: frozenset[str]
    reads: set[tuple[str | None, str]] = field(default_factory=set)
    writes: set[tuple[str | None, str]] = field(default_factory=set)
    called: bool = False
    strange: bool = False


class SqliteKnowledge:
    """The `steinmetz.sql.knowledge.Knowledge` of pysqlite and aiosqlite engines."""

    sees_own_ddl = True

    def __init__(self, database: str) -> None:
        self.database = database
        self.overrides: dict[str, Any] = {}

    def situation(self, connection: PoolProxiedConnection) -> Hashable:
        return _where_it_lives(connection, _situation)

    def facts(
        self,
        shape: Shape,
        statement: str,
        parameters: Any,
        context: ExecutionContext | None,
        connection: PoolProxiedConnection,
    ) -> StatementFacts | None:
        nothing: frozenset[Relation] = frozenset()
        if shape.head in ("pragma", "vacuum", "analyze"):  # a PRAGMA may take effect while EXPLAIN prepares it
            return StatementFacts(shape.fingerprint, shape.text, Verb.OTHER, nothing, nothing)
        touched = _where_it_lives(connection, lambda raw: _touched(raw, statement, parameters))
        if touched is None:
            return None
        reads, reads_unknown = self._relations(touched.reads, touched, sources=True)
        writes, writes_unknown = self._relations(touched.writes, touched)
        return StatementFacts(
            shape.fingerprint,
            shape.text,
            shape.verb,
            frozenset(reads),
            frozenset(writes),
            reads_unknown=reads_unknown or touched.strange,
            writes_unknown=writes_unknown or touched.strange,
        )

    def changes_situation(
        self, shape: Shape, statement: str, parameters: Any, connection: PoolProxiedConnection
    ) -> bool:
        return shape.head == "pragma" and not _SITUATION.isdisjoint(shape.identifiers)

    def transaction_ended(self, connection: PoolProxiedConnection, *, committed: bool) -> None:
        return

    def stands_committed(self, connection: PoolProxiedConnection) -> bool:
        return not getattr(connection.driver_connection, "in_transaction", True)

    def prime(self, connection: PoolProxiedConnection) -> None:
        return  # SQLite is asked afresh for each text

    def forget(self) -> None:
        return

    def _relations(
        self, names: set[tuple[str | None, str]], touched: _Touched, sources: bool = False
    ) -> tuple[set[Relation], bool]:
        relations: set[Relation] = set()
        unknown = False
        for attached, spelled in names:
            name = spelled.lower()
            # For "select count(*) from t" it does not say which database's t.
            places = [attached] if attached is not None else list(touched.schemas)
            for place in places:
                schema = touched.schemas.get(place) or _Schema()
                if name in _SCHEMA_TABLES:
                    relations.add(self._relation(place, "sqlite_master"))
                    break
                unknown = unknown or name in schema.strange
                table = schema.tables.get(schema.shadows.get(name, name))
                if table is not None:
                    relations.add(self._relation(place, table))
                content = schema.content.get(name) if sources else None
                if content is not None and (source := schema.tables.get(content.lower())) is not None:
                    relations.add(self._relation(place, source))  # a view's tables are among the reads
            if name in touched.modules and not _WITHOUT_DATA.fullmatch(name):
                unknown = True  # dbstat reads the whole file
        # Any other name is a view's or a CTE's, and what is behind it is reported by itself.
        return relations, unknown

    def _relation(self, attached: str, table: str) -> Relation:
        return Relation(self.database, table if attached == "main" else f"{attached}.{table}")


def _where_it_lives(connection: PoolProxiedConnection, ask: Callable[[sqlite3.Connection], T]) -> T | None:
    """``ask`` of the sqlite3 connection in its own thread; None if SQLite refuses."""
    adapted: Any = connection.dbapi_connection
    try:
        if hasattr(adapted, "run_async"):
            # One hop to aiosqlite's thread for all questions; its public methods take one hop each.
            found: T = adapted.run_async(lambda driver: driver._execute(ask, driver._conn))
            return found
        return ask(adapted)
    except (sqlite3.Error, sqlite3.Warning, ValueError):
        return None


def _situation(raw: sqlite3.Connection) -> Hashable:
    attached = [(name, file) for _, name, file in raw.execute("PRAGMA database_list")]
    if any(name == "temp" or not file for name, file in attached):
        return None  # its tables are its own
    return (
        raw.execute("PRAGMA foreign_keys").fetchone()[0],
        raw.execute("PRAGMA recursive_triggers").fetchone()[0],
        tuple(attached),
    )


def _touched(raw: sqlite3.Connection, statement: str, parameters: Any) -> _Touched | None:
    # Reading the schema first also makes this connection notice the DDL of others, which EXPLAIN alone does not.
    attached = [name for _, name, _ in raw.execute("PRAGMA database_list").fetchall()]
    modules = frozenset(name.lower() for (name,) in raw.execute("PRAGMA module_list").fetchall())
    touched = _Touched({name: _schema(raw, name) for name in attached}, modules)

    def authorize(action: int, first: str | None, second: str | None, place: str | None, _: str | None) -> int:
        touched.called = True
        if action == sqlite3.SQLITE_READ and first:
            # A module that declares its table is reported as if it changed the schema and read its rowids.
            if first not in _SCHEMA_TABLES or second != "ROWID":
                touched.reads.add((place, first))
        elif action in _WRITES and first:
            if first not in _SCHEMA_TABLES:
                touched.writes.add((place, first))
        elif action not in _NEITHER:
            touched.strange = True
        return sqlite3.SQLITE_OK

    raw.set_authorizer(authorize)
    try:
        raw.execute(f"EXPLAIN {statement}", parameters).close()
        for view in _views_behind(touched):
            raw.execute(f"EXPLAIN SELECT * FROM {view}").close()
    finally:
        raw.set_authorizer(None)
    # "No callback" means that SQLite was not asked, never that nothing is touched (trap T1).
    return touched if touched.called else None


def _views_behind(touched: _Touched) -> Iterator[str]:
    """Views that full-text tables among the reads take their text from; reading one may bring up further ones."""
    asked: set[tuple[str, str]] = set()
    while True:
        found = {
            (place, content)
            for place, schema in touched.schemas.items()
            for name, content in schema.content.items()
            if content.lower() not in schema.tables and {(place, name), (None, name)} & _folded(touched.reads)
        }
        if found <= asked:
            return
        for place, content in sorted(found - asked):
            yield '"{}"."{}"'.format(place.replace('"', '""'), content.replace('"', '""'))
        asked |= found


def _folded(names: set[tuple[str | None, str]]) -> set[tuple[str | None, str]]:
    return {(place, name.lower()) for place, name in names}


def _schema(raw: sqlite3.Connection, attached: str) -> _Schema:
    schema = _Schema()
    quoted = attached.replace('"', '""')
    rows = raw.execute(
        "SELECT name, CASE WHEN sql LIKE 'CREATE VIRTUAL%' THEN sql END"
        f" FROM \"{quoted}\".sqlite_master WHERE type = 'table'"
    )
    for spelled, virtual in rows.fetchall():
        name = spelled.lower()
        schema.tables[name] = spelled
        if virtual is None:
            continue
        module = found[1].lower() if (found := _MODULE.search(virtual)) else ""
        if module not in _SHADOWS:
            schema.strange.add(name)
            continue
        for suffix in _SHADOWS[module]:
            schema.shadows[f"{name}_{suffix}"] = name
        if content := _CONTENT.search(virtual):
            source = next((part for part in content.groups() if part), "")
            if source:
                schema.content[name] = source
    return schema
