"""What PostgreSQL knows of a statement: its catalogue, and which tables SQLAlchemy compiled into the text.

A statement that SQLAlchemy compiled names its tables while it is compiled (`naming_compiler`); any other text is
matched word by word against all relations, so that none is missed. Both are then closed over views, rules,
triggers, foreign-key actions, inheritance, policies, defaults and functions (`catalogue.py`).

The catalogue is read once, and again after DDL, on the connection that needs it; `SqlHook.prime` does so at start.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy.sql.compiler import SQLCompiler

from steinmetz.sql.catalogue import Catalogue, Edges, Entry, Event, Function, Kind, Touch
from steinmetz.sql.facts import Relation, StatementFacts, Stored
from steinmetz.sql.shape import Shape

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import Dialect, ExecutionContext
    from sqlalchemy.pool import PoolProxiedConnection

log = structlog.get_logger("steinmetz.sql")

_NAMES = "_steinmetz_names"
_TOUCHES_NOTHING = frozenset(
    {"set", "show", "reset", "listen", "unlisten", "notify", "lock", "discard", "checkpoint", "vacuum", "analyze",
     "cluster", "deallocate", "close", "load", "security", "prepare"}
)  # fmt: skip
_NAMED = frozenset(
    {"select", "values", "table", "with", "insert", "update", "delete", "merge", "truncate", "copy", "refresh",
     "declare", "explain"}
)  # fmt: skip

_HARMLESS = ", ".join(
    f"'{name}'"
    for name in ("btree_gin", "btree_gist", "citext", "cube", "earthdistance", "fuzzystrmatch", "hstore", "isn",
                 "intarray", "ltree", "pg_trgm", "pgcrypto", "seg", "unaccent", "uuid-ossp", "vector")
)  # fmt: skip
_TRIGGER_EVENTS = {4: Event.INSERT, 8: Event.DELETE, 16: Event.UPDATE, 32: Event.TRUNCATE}
_INSTEAD = 64
_RULE_EVENTS = {"2": Event.UPDATE, "3": Event.INSERT, "4": Event.DELETE}
_OWN = "n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
_QUERIES = {
    "relations": f"""
        SELECT c.oid::bigint, c.relname::text, c.relkind::text,
               CASE WHEN n.nspname = current_schema() THEN c.relname ELSE n.nspname || '.' || c.relname END
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND {_OWN}""",
    # One composite argument: "t.f" then calls f(t). The extensions named here look at their arguments only.
    "functions": f"""
        SELECT -p.oid::bigint, p.proname::text, l.lanname::text,
               p.provolatile = 'i' OR EXISTS (
                   SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
                   WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
                     AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND e.extname IN ({_HARMLESS})),
               CASE WHEN l.lanname NOT IN ('sql', 'plpgsql') THEN ''
                    WHEN p.prosrc <> '' OR p.prokind NOT IN ('f', 'p') THEN p.prosrc
                    ELSE pg_catalog.pg_get_functiondef(p.oid) END,
               p.pronargs = 1 AND EXISTS (SELECT FROM pg_catalog.pg_type t
                                          WHERE t.oid = p.proargtypes[0] AND t.typtype = 'c')
        FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        JOIN pg_catalog.pg_language l ON l.oid = p.prolang
        WHERE {_OWN} AND p.prokind <> 'a'""",
    # tgtype: 4 INSERT, 8 DELETE, 16 UPDATE, 32 TRUNCATE, 64 INSTEAD OF.
    "triggers": "SELECT tgrelid::bigint, -tgfoid::bigint, tgtype::int FROM pg_catalog.pg_trigger",
    "actions": """
        SELECT confrelid::bigint, conrelid::bigint, confdeltype::text, confupdtype::text
        FROM pg_catalog.pg_constraint WHERE contype = 'f'""",
    "children": "SELECT inhparent::bigint, inhrelid::bigint FROM pg_catalog.pg_inherits",
    "views": """
        SELECT DISTINCT r.ev_class::bigint, CASE d.refclassid WHEN 'pg_catalog.pg_proc'::regclass
               THEN -d.refobjid::bigint ELSE d.refobjid::bigint END
        FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_depend d
          ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
        WHERE r.ev_type = '1' AND d.refobjid <> r.ev_class
          AND d.refclassid IN ('pg_catalog.pg_class'::regclass, 'pg_catalog.pg_proc'::regclass)""",
    "rules": """
        SELECT DISTINCT r.ev_class::bigint, CASE d.refclassid WHEN 'pg_catalog.pg_proc'::regclass
               THEN -d.refobjid::bigint ELSE d.refobjid::bigint END, r.ev_type::text
        FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_depend d
          ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
        WHERE r.ev_type <> '1' AND d.refobjid <> r.ev_class
          AND d.refclassid IN ('pg_catalog.pg_class'::regclass, 'pg_catalog.pg_proc'::regclass)""",
    # Generated columns are IMMUTABLE; a default may call anything.
    "defaults": """
        SELECT a.adrelid::bigint, -d.refobjid::bigint
        FROM pg_catalog.pg_attrdef a JOIN pg_catalog.pg_depend d
          ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = a.oid
        WHERE d.refclassid = 'pg_catalog.pg_proc'::regclass""",
    "policies": """
        SELECT p.polrelid::bigint, CASE d.refclassid WHEN 'pg_catalog.pg_proc'::regclass
               THEN -d.refobjid::bigint ELSE d.refobjid::bigint END
        FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_depend d
          ON d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.oid
        WHERE d.refclassid IN ('pg_catalog.pg_class'::regclass, 'pg_catalog.pg_proc'::regclass)""",
    # Types whose "=" is the equality of what was sent: not numeric (1 = 1.0), char(n) (padding), citext, domains;
    # "default" is a deterministic collation.
    "columns": f"""
        SELECT a.attrelid::bigint, a.attname::text,
               CASE WHEN a.attgenerated <> '' THEN 'computed'
                    WHEN a.atttypid IN (20, 21, 23) THEN 'integer'
                    WHEN a.atttypid = 16 THEN 'boolean'
                    WHEN a.atttypid = 2950 THEN 'uuid'
                    WHEN a.atttypid IN (25, 1043) AND l.collisdeterministic THEN 'text' ELSE 'other' END
        FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
        WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'm') AND {_OWN}""",
    # tgtype: 2 BEFORE.
    "rewritten": """
        SELECT DISTINCT tgrelid::bigint FROM pg_catalog.pg_trigger WHERE NOT tgisinternal AND tgtype & 2 <> 0""",
    # Aggregates depend on their functions, functions with a parsed body (BEGIN ATOMIC) on what it names.
    "calls": """
        SELECT -d.objid::bigint, CASE d.refclassid WHEN 'pg_catalog.pg_proc'::regclass
               THEN -d.refobjid::bigint ELSE d.refobjid::bigint END
        FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_proc'::regclass
          AND d.refclassid IN ('pg_catalog.pg_class'::regclass, 'pg_catalog.pg_proc'::regclass)""",
    # Functions that a text calls without naming them: behind operators, casts, domains, aggregates.
    "ambient": """
        SELECT -oprcode::bigint FROM pg_catalog.pg_operator WHERE oprcode::oid >= 16384
        UNION SELECT -castfunc::bigint FROM pg_catalog.pg_cast WHERE castfunc >= 16384
        UNION SELECT -d.refobjid::bigint FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_depend d
          ON d.classid = 'pg_catalog.pg_constraint'::regclass AND d.objid = c.oid
         WHERE c.contypid <> 0 AND d.refclassid = 'pg_catalog.pg_proc'::regclass
        UNION SELECT -f::bigint FROM pg_catalog.pg_aggregate a,
          LATERAL (VALUES (a.aggtransfn::oid), (a.aggfinalfn::oid), (a.aggmtransfn::oid), (a.aggminvtransfn::oid),
                          (a.aggmfinalfn::oid), (a.aggcombinefn::oid)) AS functions (f)
         WHERE f >= 16384""",
}


class PostgresKnowledge:
    """The `steinmetz.sql.knowledge.Knowledge` of PostgreSQL engines."""

    sees_own_ddl = False

    def __init__(self, database: str, dialect: Dialect) -> None:
        self.database = database
        self._lock = threading.Lock()
        self._catalogue: Catalogue | None = None
        self._generation = 0
        self.overrides: dict[str, Any] = {"statement_compiler": naming_compiler(dialect.statement_compiler)}

    def situation(self, connection: PoolProxiedConnection) -> Hashable:
        return ()  # names are matched in all schemas, policies count for all roles

    def changes_situation(
        self, shape: Shape, statement: str, parameters: Any, connection: PoolProxiedConnection
    ) -> bool:
        return False

    def transaction_ended(self, connection: PoolProxiedConnection, *, committed: bool) -> None:
        return

    def stands_committed(self, connection: PoolProxiedConnection) -> bool:
        return False

    def prime(self, connection: PoolProxiedConnection) -> None:
        self._read_catalogue(connection)

    def forget(self) -> None:
        with self._lock:
            self._generation += 1
            self._catalogue = None

    def facts(
        self,
        shape: Shape,
        statement: str,
        parameters: Any,
        context: ExecutionContext | None,
        connection: PoolProxiedConnection,
    ) -> StatementFacts | None:
        if shape.several:
            return None
        if shape.head in _TOUCHES_NOTHING:
            return self._facts(shape, Touch())
        if shape.head in ("fetch", "move"):
            return self._facts(shape, Touch(reads_unknown=True))  # the cursor's relations were noted at DECLARE
        if shape.head not in _NAMED:
            return None
        names: Names | None = getattr(context.compiled, _NAMES, None) if context is not None else None
        known = self._catalogue
        catalogue = known or self._read_catalogue(connection)
        if known is not None and known.strangers(shape, relations=_relations(names, shape, known)):
            catalogue = self._read_catalogue(connection)  # made by others since it was read
        if catalogue is None:
            return None
        touch = catalogue.touched_by(shape, relations=_relations(names, shape, catalogue))
        if shape.head == "explain":
            touch.reads_unknown = True  # the statistics are what is read
        return self._facts(shape, touch)

    def _facts(self, shape: Shape, touch: Touch) -> StatementFacts:
        return StatementFacts(
            shape.fingerprint,
            shape.text,
            shape.verb,
            frozenset(Relation(self.database, name) for name in touch.reads),
            frozenset(Relation(self.database, name) for name in touch.writes),
            reads_unknown=touch.reads_unknown,
            writes_unknown=touch.writes_unknown,
            direct={Relation(self.database, name): columns for name, columns in touch.direct.items()},
        )

    def _read_catalogue(self, connection: PoolProxiedConnection) -> Catalogue | None:
        generation = self._generation
        try:
            catalogue = _catalogue(connection)
        except Exception as error:
            # In a failed transaction nothing can be read, and the statement at hand will fail as well.
            log.info(
                "The catalogue could not be read; statements are taken to touch anything",
                error=type(error).__name__,
            )
            return None
        with self._lock:
            if generation == self._generation:
                self._catalogue = catalogue
        return catalogue


def _relations(names: Names | None, shape: Shape, catalogue: Catalogue) -> frozenset[str] | None:
    """The names of the relations in a compiled statement; None if every word is in question."""
    if names is None or names.opaque:
        return None
    # A word that is a relation's name but none that was compiled is a column, unless no compiled one bears it.
    strays = {name for name in shape.identifiers if catalogue.knows(name)} - names.explained
    return frozenset(names.relations | strays)


def _catalogue(connection: PoolProxiedConnection) -> Catalogue:
    cursor = connection.cursor()
    try:
        rows = {name: list(_rows(cursor, query)) for name, query in _QUERIES.items()}
    finally:
        cursor.close()
    return Catalogue(
        (Entry(oid, name, Kind(kind), shown) for oid, name, kind, shown in rows["relations"]),
        (Function(*row) for row in rows["functions"]),
        _edges(rows),
    )


def _edges(rows: dict[str, list[tuple[Any, ...]]]) -> Edges:
    edges = Edges()
    edges.ambient.update(oid for (oid,) in rows["ambient"])
    edges.rewritten.update(oid for (oid,) in rows["rewritten"])
    for relation, column, stored in rows["columns"]:
        if stored == "computed":
            edges.computed[relation].add(column)
            stored = "other"
        edges.stored[relation][column] = Stored(stored)
    for name in ("children", "views", "defaults", "policies", "calls"):
        reached = getattr(edges, name)
        for source, oid in rows[name]:
            reached[source].add(oid)
    for relation, function, bits in rows["triggers"]:
        for bit, event in _TRIGGER_EVENTS.items():
            if bits & bit:
                edges.triggers[event, relation].add(function)
                if bits & _INSTEAD:
                    edges.instead.add((event, relation))
    for relation, oid, event_type in rows["rules"]:
        edges.rules[_RULE_EVENTS[event_type], relation].add(oid)
    for referenced, referring, on_delete, on_update in rows["actions"]:
        # TRUNCATE ... CASCADE reaches them whatever the action is.
        edges.actions[Event.TRUNCATE, referenced].add((Event.TRUNCATE, referring))
        for event, action in ((Event.DELETE, on_delete), (Event.UPDATE, on_update)):
            if action == "c":
                edges.actions[event, referenced].add((event, referring))
            elif action in ("n", "d"):
                edges.actions[event, referenced].add((Event.UPDATE, referring))
    return edges


def _rows(cursor: Any, query: str) -> Iterator[tuple[Any, ...]]:
    cursor.execute(query)
    yield from cursor.fetchall()


class Names:
    """What a compiler rendered: relations, and the words that are columns, labels or CTEs."""

    __slots__ = ("explained", "opaque", "relations")

    def __init__(self) -> None:
        self.relations: set[str] = set()
        self.explained: set[str] = set()
        self.opaque = False


def naming_compiler(compiler: type[SQLCompiler]) -> type[SQLCompiler]:
    """A subclass that leaves the names of the relations on the compiled object; costs only while compiling."""

    class NamingCompiler(compiler):  # type: ignore[valid-type,misc]  # the base is the dialect's own
        def _names(self) -> Names:
            names: Names | None = getattr(self, _NAMES, None)
            if names is None:
                names = Names()
                setattr(self, _NAMES, names)
            return names

        def visit_table(self, table: Any, *arguments: Any, **options: Any) -> Any:
            names = self._names()
            names.relations.add(str(table.name))
            names.explained.update(str(column.name) for column in table.c)
            return super().visit_table(table, *arguments, **options)

        def visit_cte(self, cte: Any, *arguments: Any, **options: Any) -> Any:
            text = super().visit_cte(cte, *arguments, **options)
            self._names().explained.add(str(cte.name))
            return text

        def visit_label(self, label: Any, *arguments: Any, **options: Any) -> Any:
            self._names().explained.add(str(label.name))
            return super().visit_label(label, *arguments, **options)

        def visit_textclause(self, textclause: Any, *arguments: Any, **options: Any) -> Any:
            self._names().opaque = True
            return super().visit_textclause(textclause, *arguments, **options)

        def visit_column(self, column: Any, *arguments: Any, **options: Any) -> Any:
            if column.is_literal and any(letter.isalpha() for letter in str(column.name)):
                self._names().opaque = True
            return super().visit_column(column, *arguments, **options)

    NamingCompiler.__name__ = compiler.__name__
    return NamingCompiler
