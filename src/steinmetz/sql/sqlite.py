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

from steinmetz.sql.facts import Columns, Relation, StatementFacts, Stored, Verb
from steinmetz.sql.shape import Shape

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import ExecutionContext
    from sqlalchemy.pool import PoolProxiedConnection

T = TypeVar("T")

_WRITES = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})
_ACTIONS = {sqlite3.SQLITE_INSERT: "insert", sqlite3.SQLITE_UPDATE: "update", sqlite3.SQLITE_DELETE: "delete"}
_NO_ACTIONS = frozenset({"NO ACTION", "RESTRICT"})
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
    collating: set[str] = field(
        default_factory=set
    )  # tables some of whose text may compare otherwise than by bytes
    replacing: set[str] = field(default_factory=set)  # tables of which an INSERT or UPDATE may delete other rows
    views: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Touched:
    """The authorizer's answers: (attached database or None, table), as it spells them."""

    schemas: dict[str, _Schema]
    modules: frozenset[str]
    reads: set[tuple[str | None, str]] = field(default_factory=set)
    writes: set[tuple[str | None, str]] = field(default_factory=set)
    behind: set[tuple[str | None, str]] = field(default_factory=set)  # reached by a view or a trigger
    hit: set[tuple[str, str, str]] = field(default_factory=set)  # the writes as (action, table, column), folded
    columns: dict[tuple[str, str], Columns] = field(default_factory=dict)  # of what is touched directly, folded
    called: bool = False
    strange: bool = False


class SqliteKnowledge:
    """The `steinmetz.sql.knowledge.Knowledge` of pysqlite and aiosqlite engines."""

    sees_own_ddl = True
    rolls_back_ddl = True

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
        if shape.is_only_planned:  # by the statistics, which no table's name stands for
            return StatementFacts(shape.fingerprint, shape.text, Verb.OTHER, nothing, nothing, reads_unknown=True)
        touched = _where_it_lives(connection, lambda raw: _touched(raw, statement, parameters, shape.identifiers))
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
            direct={
                self._relation(place, touched.schemas[place].tables[name]): columns
                for (place, name), columns in touched.columns.items()
            },
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


def _touched(
    raw: sqlite3.Connection, statement: str, parameters: Any, identifiers: frozenset[str]
) -> _Touched | None:
    # Reading the schema first also makes this connection notice the DDL of others, which EXPLAIN alone does not.
    attached = [name for _, name, _ in raw.execute("PRAGMA database_list").fetchall()]
    modules = frozenset(name.lower() for (name,) in raw.execute("PRAGMA module_list").fetchall())
    touched = _Touched({name: _schema(raw, name) for name in attached}, modules)

    def authorize(action: int, first: str | None, second: str | None, place: str | None, via: str | None) -> int:
        touched.called = True
        if action == sqlite3.SQLITE_READ and first:
            # A module that declares its table is reported as if it changed the schema and read its rowids.
            if first not in _SCHEMA_TABLES or second != "ROWID":
                touched.reads.add((place, first))
                if via is not None:
                    behind_reads.add((place, first.lower()))
        elif action in _WRITES and first:
            if first not in _SCHEMA_TABLES:
                touched.writes.add((place, first))
                touched.hit.add((_ACTIONS[action], first.lower(), (second or "").lower()))
                if via is not None:
                    behind_writes.add((place, first.lower()))
        elif action not in _NEITHER:
            touched.strange = True
        return sqlite3.SQLITE_OK

    behind_reads: set[tuple[str | None, str]] = set()
    behind_writes: set[tuple[str | None, str]] = set()
    has_view = False
    if any(schema.shadows or schema.strange for schema in touched.schemas.values()):
        # A module that is met for the first time prepares statements of its own, which would be taken for ours.
        raw.execute(f"EXPLAIN {statement}", parameters).close()
    raw.set_authorizer(authorize)  # which makes SQLite prepare again whatever it has prepared
    try:
        raw.execute(f"EXPLAIN {statement}", parameters).close()
        for view in _views_behind(touched):
            has_view = True
            raw.execute(f"EXPLAIN SELECT * FROM {view}").close()
    finally:
        raw.set_authorizer(None)
    views = {name for schema in touched.schemas.values() for name in schema.views}
    if touched.writes:
        touched.behind = behind_writes
    elif has_view or not views.isdisjoint(name.lower() for name in identifiers):
        touched.behind = behind_reads
    # Otherwise what the authorizer names in a view's place is a CTE of the statement's own.
    touched.columns = dict(_direct(raw, touched))
    # "No callback" means that SQLite was not asked, never that nothing is touched (trap T1).
    return touched if touched.called else None


def _direct(raw: sqlite3.Connection, touched: _Touched) -> Iterator[tuple[tuple[str, str], Columns]]:
    """The ordinary tables that the statement itself reads, or writes if it writes any, and nothing else does."""
    names = _folded(touched.writes or touched.reads)
    behind = {name for _, name in touched.behind}
    for schema in touched.schemas.values():
        behind.update(content.lower() for content in schema.content.values())  # read by a full-text table as well
    for name in sorted({name for _, name in names} - behind):
        places = [place for place, schema in touched.schemas.items() if name in schema.tables]
        if len(places) != 1:
            continue
        (place,) = places
        schema = touched.schemas[place]
        if name in schema.strange or name in schema.shadows or name in schema.content:
            continue
        if touched.writes and (name in schema.replacing or _is_acted_upon(raw, place, name, touched.hit)):
            continue
        if (columns := _columns(raw, place, name, name in schema.collating)) is not None:
            yield (place, name), columns


def _is_acted_upon(raw: sqlite3.Connection, place: str, name: str, hit: set[tuple[str, str, str]]) -> bool:
    """Whether a foreign key of the table acts when the statement writes; the authorizer does not tell its part."""
    for row in raw.execute(f"PRAGMA {_quoted(place)}.foreign_key_list({_quoted(name)})").fetchall():
        _, _, parent, _, referenced, on_update, on_delete, _ = row
        parent = parent.lower()
        if on_delete not in _NO_ACTIONS and ("delete", parent, "") in hit:
            return True
        if on_update not in _NO_ACTIONS:
            assigned = {column for action, table, column in hit if action == "update" and table == parent}
            # Without a name the key refers to the primary key, whatever that is.
            if assigned and (referenced is None or referenced.lower() in assigned):
                return True
    return False


def _columns(raw: sqlite3.Connection, place: str, name: str, is_collating: bool) -> Columns | None:
    rows = raw.execute(f"PRAGMA {_quoted(place)}.table_xinfo({_quoted(name)})").fetchall()
    keys = sum(bool(row[5]) for row in rows)
    stored: dict[str, Stored] = {}
    computed: set[str] = set()
    for _, column, declared, _, default, key, hidden in rows:
        kind = Stored.OTHER if hidden else _stored(declared.upper(), is_collating)
        if hidden:
            computed.add(column.lower())
        if declared.upper() == "INTEGER" and key and keys == 1 and default is None:
            kind = Stored.ROWID
        stored[column.lower()] = kind
    return Columns(stored, frozenset(computed)) if rows else None


def _stored(declared: str, is_collating: bool) -> Stored:
    """By the affinity of the declared type (sqlite.org/datatype3.html, 3.1): what is kept is what was given."""
    if "INT" in declared:
        return Stored.INTEGER
    if any(word in declared for word in ("CHAR", "CLOB", "TEXT")):
        return Stored.OTHER if is_collating else Stored.TEXT
    return Stored.BOOLEAN if declared in ("BOOLEAN", "BOOL") else Stored.OTHER


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))


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
        "SELECT name, CASE WHEN sql LIKE 'CREATE VIRTUAL%' THEN sql END,"
        " sql LIKE '%collate%', sql LIKE '%conflict%'"
        f" FROM \"{quoted}\".sqlite_master WHERE type = 'table'"
    )
    views = raw.execute(f"SELECT name FROM \"{quoted}\".sqlite_master WHERE type = 'view'")
    schema.views.update(name.lower() for (name,) in views.fetchall())
    for spelled, virtual, is_collating, may_replace in rows.fetchall():
        name = spelled.lower()
        schema.tables[name] = spelled
        if is_collating:
            schema.collating.add(name)
        if may_replace:
            schema.replacing.add(name)
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
