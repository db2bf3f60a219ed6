"""Reads PostgreSQL's own catalogue into a `Catalogue`: a dozen queries over pg_catalog, about 10 ms in all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from steinmetz.sql.analysis import Analysis, Event
from steinmetz.sql.catalogue import Catalogue
from steinmetz.sql.facts import Stored
from steinmetz.sql.nodes import Unreadable, analysis_of
from steinmetz.sql.schema import Edges, Entry, Function, Kind

if TYPE_CHECKING:
    from sqlalchemy.pool import PoolProxiedConnection

DOMAINS = -1
"""Stands for all functions by which domains check, as there is no telling which domain a type contains."""

REACHED = f"""CASE d.refclassid
    WHEN 'pg_catalog.pg_class'::regclass THEN d.refobjid::bigint
    WHEN 'pg_catalog.pg_proc'::regclass THEN -d.refobjid::bigint
    WHEN 'pg_catalog.pg_type'::regclass THEN {DOMAINS}
    ELSE -(SELECT o.oprcode::oid::bigint FROM pg_catalog.pg_operator o WHERE o.oid = d.refobjid) END"""
"""What a row of pg_depend refers to, as `Edges` numbers it: relations, and functions even behind operators."""
REACHABLE = """d.refclassid IN ('pg_catalog.pg_class'::regclass, 'pg_catalog.pg_proc'::regclass,
    'pg_catalog.pg_operator'::regclass, 'pg_catalog.pg_type'::regclass)"""

_HARMLESS = ", ".join(
    f"'{name}'"
    for name in ("btree_gin", "btree_gist", "citext", "cube", "earthdistance", "fuzzystrmatch", "hstore", "isn",
                 "intarray", "ltree", "pg_trgm", "pgcrypto", "seg", "unaccent", "uuid-ossp", "vector")
)  # fmt: skip
_TRIGGER_EVENTS = {4: Event.INSERT, 8: Event.DELETE, 16: Event.UPDATE, 32: Event.TRUNCATE}
_BEFORE = 2
_BEFORE_ROW = 3
_INSTEAD = 64
_RULE_EVENTS = {"2": Event.UPDATE, "3": Event.INSERT, "4": Event.DELETE}
_OWN = "n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"


def _depending(on: str, source: str, where: str = "true") -> str:
    return f"""
        SELECT DISTINCT {source}, {REACHED}
        FROM pg_catalog.{on} x JOIN pg_catalog.pg_depend d
          ON d.classid = 'pg_catalog.{on}'::regclass AND d.objid = x.oid
        WHERE {where} AND {REACHABLE}"""


_QUERIES = {
    "relations": f"""
        SELECT c.oid::bigint, c.relname::text, c.relkind::text,
               n.nspname::text
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
                                          WHERE t.oid = p.proargtypes[0] AND t.typtype = 'c'),
               CASE WHEN p.prosrc = '' THEN pg_catalog.to_jsonb(p) ->> 'prosqlbody' END
        FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        JOIN pg_catalog.pg_language l ON l.oid = p.prolang
        WHERE {_OWN} AND p.prokind <> 'a'""",
    # tgtype: 1 ROW, 2 BEFORE, 4 INSERT, 8 DELETE, 16 UPDATE, 32 TRUNCATE, 64 INSTEAD OF.
    "triggers": """
        SELECT tgrelid::bigint, -tgfoid::bigint, tgtype::int, tgattr::text, tgoldtable::text, tgnewtable::text
        FROM pg_catalog.pg_trigger WHERE tgenabled <> 'D'""",
    "actions": """
        SELECT confrelid::bigint, conrelid::bigint, confdeltype::text, confupdtype::text,
               pg_catalog.array_to_string(confkey, ' ')
        FROM pg_catalog.pg_constraint WHERE contype = 'f'""",
    "children": "SELECT inhparent::bigint, inhrelid::bigint FROM pg_catalog.pg_inherits",
    "generated": """
        SELECT DISTINCT attrelid::bigint FROM pg_catalog.pg_attribute
        WHERE attgenerated <> '' AND NOT attisdropped""",
    "views": _depending("pg_rewrite", "x.ev_class::bigint", "x.ev_type = '1' AND d.refobjid <> x.ev_class"),
    "rules": f"""
        SELECT r.ev_class::bigint, r.ev_type::text, r.is_instead AND r.ev_qual::text = '<>', r.ev_action::text,
               (SELECT pg_catalog.string_agg(({REACHED})::text, ' ') FROM pg_catalog.pg_depend d
                WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
                  AND d.refobjid <> r.ev_class AND {REACHABLE})
        FROM pg_catalog.pg_rewrite r WHERE r.ev_type <> '1' AND r.ev_enabled <> 'D'""",
    # A default may call anything, and so may a check; generated columns and indexes are IMMUTABLE.
    "defaults": _depending("pg_attrdef", "x.adrelid::bigint", "d.refobjid <> x.adrelid"),
    "checks": _depending("pg_constraint", "x.conrelid::bigint", "x.contype = 'c' AND d.refobjid <> x.conrelid"),
    "conditions": _depending(
        "pg_trigger", "x.tgrelid::bigint", "tgqual IS NOT NULL AND d.refobjid NOT IN (x.tgrelid, x.tgfoid)"
    ),
    "domain_columns": f"""
        SELECT DISTINCT a.attrelid::bigint, {DOMAINS} FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
        WHERE t.typtype = 'd' AND t.oid >= 16384 AND a.attnum > 0""",
    "policies": _depending("pg_policy", "x.polrelid::bigint", "d.refobjid <> x.polrelid"),
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
    # Aggregates depend on their functions, functions with a parsed body (BEGIN ATOMIC) on what it names.
    "calls": _depending("pg_proc", "-x.oid::bigint"),
    "domains": f"""
        SELECT {REACHED} FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_depend d
          ON d.classid = 'pg_catalog.pg_constraint'::regclass AND d.objid = c.oid
        WHERE c.contypid <> 0 AND d.refclassid <> 'pg_catalog.pg_type'::regclass AND {REACHABLE}
        UNION SELECT {REACHED} FROM pg_catalog.pg_type t JOIN pg_catalog.pg_depend d
          ON d.classid = 'pg_catalog.pg_type'::regclass AND d.objid = t.oid
        WHERE t.typtype = 'd' AND d.refclassid <> 'pg_catalog.pg_type'::regclass AND {REACHABLE}""",
    # Functions that a text calls without naming them: behind operators, casts, aggregates.
    "ambient": """
        SELECT -oprcode::bigint FROM pg_catalog.pg_operator WHERE oprcode::oid >= 16384
        UNION SELECT -castfunc::bigint FROM pg_catalog.pg_cast WHERE castfunc >= 16384
        UNION SELECT -f::bigint FROM pg_catalog.pg_aggregate a,
          LATERAL (VALUES (a.aggtransfn::oid), (a.aggfinalfn::oid), (a.aggmtransfn::oid), (a.aggminvtransfn::oid),
                          (a.aggmfinalfn::oid), (a.aggcombinefn::oid)) AS functions (f)
         WHERE f >= 16384""",
}


_FINGERPRINT = """
    SELECT pg_catalog.concat_ws(' ',
        (SELECT pg_catalog.concat(count(*), ' ', sum(c.xmin::text::bigint)) FROM pg_catalog.pg_class c
          WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')),
        (SELECT pg_catalog.concat(count(*), ' ', sum(xmin::text::bigint)) FROM pg_catalog.pg_proc
          WHERE oid >= 16384),
        (SELECT pg_catalog.concat(count(*), ' ', sum(xmin::text::bigint)) FROM pg_catalog.pg_trigger),
        (SELECT pg_catalog.concat(count(*), ' ', sum(xmin::text::bigint)) FROM pg_catalog.pg_rewrite
          WHERE oid >= 16384),
        (SELECT pg_catalog.concat(count(*), ' ', sum(xmin::text::bigint)) FROM pg_catalog.pg_constraint
          WHERE oid >= 16384),
        (SELECT pg_catalog.concat(count(*), ' ', sum(xmin::text::bigint)) FROM pg_catalog.pg_inherits),
        (SELECT pg_catalog.concat(count(*), ' ', sum(xmin::text::bigint)) FROM pg_catalog.pg_attrdef),
        (SELECT pg_catalog.concat(count(*), ' ', sum(xmin::text::bigint)) FROM pg_catalog.pg_policy),
        (SELECT pg_catalog.concat(count(*), ' ', sum(xmin::text::bigint)) FROM pg_catalog.pg_namespace))"""
_BEGINNING = """
    SELECT pg_catalog.concat(pg_catalog.current_setting('search_path'), ' ',
        (SELECT pg_catalog.concat(count(*), ' ', sum(xmin::text::bigint)) FROM pg_catalog.pg_db_role_setting))"""


def schema_fingerprint(connection: PoolProxiedConnection) -> str:
    """A text that changes with every committed change of the schema, whoever makes it.

    Each row of a catalogue bears the transaction that wrote it last. Temporary tables of others count, too.
    """
    return _told(connection, _FINGERPRINT)


def session_beginning(connection: PoolProxiedConnection) -> str:
    """A text that changes when new connections may begin with other settings than old ones."""
    return _told(connection, _BEGINNING)


def _told(connection: PoolProxiedConnection, query: str) -> str:
    cursor = connection.cursor()
    try:
        cursor.execute(query)
        return str(next(iter(cursor.fetchall()))[0])
    finally:
        cursor.close()


def read_catalogue(connection: PoolProxiedConnection, default_schema: str) -> Catalogue:
    """Read all of it on ``connection``; whatever its driver raises in a failed transaction comes through.

    Relations of ``default_schema`` are shown without it, whatever the connection's search_path is at the moment.
    """
    cursor = connection.cursor()
    try:
        rows = {name: list(_rows(cursor, query)) for name, query in _QUERIES.items()}
    finally:
        cursor.close()
    functions = [_function(*row) for row in rows["functions"]]
    functions.append(
        Function(
            DOMAINS, "", "sql", False, "", analysis=Analysis(calls={oid for (oid,) in rows["domains"] if oid < 0})
        )
    )
    return Catalogue(
        (
            Entry(oid, name, Kind(kind), name if schema == default_schema else f"{schema}.{name}")
            for oid, name, kind, schema in rows["relations"]
        ),
        functions,
        _edges(rows),
    )


def _function(
    oid: int, name: str, language: str, immutable: bool, body: str, as_attribute: bool, tree: str | None
) -> Function:
    analysis = None
    if tree is not None:
        try:
            analysis = analysis_of(tree)
        except Unreadable:
            analysis = None  # its source will do
    return Function(oid, name, language, immutable, body, as_attribute, analysis)


def _edges(rows: dict[str, list[tuple[Any, ...]]]) -> Edges:
    edges = Edges()
    edges.ambient.update(oid for (oid,) in rows["ambient"])
    edges.ambient.add(DOMAINS)
    edges.generated.update(oid for (oid,) in rows["generated"])
    for name in ("children", "views", "defaults", "checks", "conditions", "policies", "calls"):
        reached = getattr(edges, name)
        for source, oid in rows[name]:
            reached[source].add(oid)
    for relation, oid in rows["domain_columns"]:
        edges.defaults[relation].add(oid)  # a domain has a default of its own
    for relation, column, stored in rows["columns"]:
        if stored == "computed":
            edges.computed[relation].add(column)
            stored = "other"
        edges.stored[relation][column] = Stored(stored)
    for row in rows["triggers"]:
        _add_trigger(edges, *row)
    for row in rows["rules"]:
        _add_rule(edges, *row)
    for referenced, referring, on_delete, on_update, keys in rows["actions"]:
        edges.keys[referenced, referring].update(int(key) for key in keys.split())
        # TRUNCATE ... CASCADE reaches them whatever the action is.
        edges.actions[Event.TRUNCATE, referenced].add((Event.TRUNCATE, referring))
        for event, action in ((Event.DELETE, on_delete), (Event.UPDATE, on_update)):
            if action == "c":
                edges.actions[event, referenced].add((event, referring))
            elif action in ("n", "d"):
                edges.actions[event, referenced].add((Event.UPDATE, referring))
    return edges


def _add_trigger(
    edges: Edges, relation: int, function: int, bits: int, columns: str, old: str | None, new: str | None
) -> None:
    if bits & _BEFORE:
        edges.rewritten.add(relation)
    edges.transition[function].update(name for name in (old, new) if name is not None)
    for bit, event in _TRIGGER_EVENTS.items():
        if not bits & bit:
            continue
        edges.triggers[event, relation].add(function)
        if bits & _INSTEAD:
            edges.replaced.add((event, relation))
        elif bits & _BEFORE_ROW == _BEFORE_ROW and event is not Event.DELETE:
            edges.revised.add((event, relation))
        if event is Event.UPDATE:
            numbers = {int(number) for number in columns.split()}
            known = edges.if_assigned.setdefault((relation, function), numbers or None)
            if not numbers or known is None:
                edges.if_assigned[relation, function] = None  # it fires at any UPDATE
            else:
                known |= numbers


def _add_rule(
    edges: Edges, relation: int, event_type: str, replaces: bool, actions: str, reached: str | None
) -> None:
    write = (_RULE_EVENTS[event_type], relation)
    oids = {int(oid) for oid in (reached or "").split()}
    done = edges.rules.setdefault(write, Analysis())
    if replaces:
        edges.replaced.add(write)
    if actions != "<>":
        try:
            seen = analysis_of(actions)
            done.writes |= seen.writes | seen.writes_alone
        except Unreadable:
            done.writes |= {(each, oid) for oid in oids if oid > 0 for each in Event}
    done.reads |= {oid for oid in oids if oid > 0} - {oid for _, oid in done.writes}
    done.calls |= {oid for oid in oids if oid < 0}


def _rows(cursor: Any, query: str) -> Iterator[tuple[Any, ...]]:
    cursor.execute(query)
    yield from cursor.fetchall()
