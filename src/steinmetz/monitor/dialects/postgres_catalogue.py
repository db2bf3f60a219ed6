"""What PostgreSQL's catalogue says of tables, columns and B-tree indexes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from steinmetz.monitor.advisor.index import Index, IndexColumn
from steinmetz.monitor.dialects.base import Column, ForeignKey, Table
from steinmetz.monitor.dialects.index_set import Standing


class Asked(Protocol):
    """Whoever can be asked, in practice a `PostgresSession`."""

    def ask(self, sql: str, values: Any = (), what: str = ...) -> Sequence[Sequence[Any]]: ...


_NAME = """CASE WHEN pg_table_is_visible(t.oid) THEN t.relname::text
    ELSE n.nspname::text || '.' || t.relname::text END"""
_USER_TABLES = """pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
    AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
    AND t.relkind IN ('r', 'p', 'm')"""

COLUMNS = f"""
SELECT {_NAME}, greatest(t.reltuples, 0)::bigint, t.reltuples < 0, a.attname::text,
    format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, s.n_distinct, s.null_frac, s.most_common_freqs[1],
    coalesce(array_position(k.conkey, a.attnum), 0)
FROM {_USER_TABLES}
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'p'
LEFT JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = t.relname AND s.attname = a.attname
    AND s.inherited = (t.relkind = 'p')
ORDER BY 1, a.attnum"""

# One row for each column of each B-tree; a key that is an expression has no attname.
INDEXES = f"""
SELECT {_NAME}, c.relname::text, i.indisunique, coalesce(pg_get_expr(i.indpred, i.indrelid), ''),
    place.n > i.indnkeyatts, pg_get_indexdef(c.oid, place.n, false), a.attname::text,
    CASE WHEN place.n <= i.indnkeyatts THEN i.indoption[place.n - 1] & 1 ELSE 0 END,
    CASE WHEN place.n <= i.indnkeyatts AND NOT o.opcdefault THEN o.opcname::text ELSE '' END,
    pg_get_indexdef(c.oid), EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid)
FROM {_USER_TABLES}
JOIN pg_index i ON i.indrelid = t.oid AND i.indisvalid
JOIN pg_class c ON c.oid = i.indexrelid AND NOT c.relispartition
JOIN pg_am m ON m.oid = c.relam AND m.amname = 'btree'
CROSS JOIN LATERAL generate_series(1, i.indnatts) AS place(n)
LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[place.n - 1] AND a.attnum > 0
LEFT JOIN pg_opclass o ON place.n <= i.indnkeyatts AND o.oid = i.indclass[place.n - 1]
ORDER BY 1, 2, place.n"""

FOREIGN_KEYS = f"""
SELECT {_NAME},
    ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS part(attnum, place)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = part.attnum ORDER BY part.place),
    CASE WHEN pg_table_is_visible(r.oid) THEN r.relname::text ELSE r.relnamespace::regnamespace::text || '.'
        || r.relname::text END,
    ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS part(attnum, place)
        JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = part.attnum ORDER BY part.place)
FROM {_USER_TABLES}
JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f'
JOIN pg_class r ON r.oid = k.confrelid
ORDER BY 1, k.conname"""


def read_tables(asked: Asked) -> Mapping[str, Table]:
    """Tables by name; those that are not in the search path are qualified."""
    indexes = defaultdict[str, list[Index]](list)
    for standing, _ in _indexes(asked):
        indexes[standing.index.table].append(standing.index)
    references = defaultdict[str, list[ForeignKey]](list)
    for table, names, referred, refers_to in asked.ask(FOREIGN_KEYS):
        references[table].append(ForeignKey(tuple(names), referred, tuple(refers_to)))
    columns = defaultdict[str, dict[str, Column]](dict)
    keys = defaultdict[str, dict[int, str]](dict)
    counts: dict[str, int] = {}
    for table, rows, uncounted, name, type_, nullable, distinct, nulls, common, key in asked.ask(COLUMNS):
        if table not in counts:
            counts[table] = _estimate(asked, table) if uncounted else rows
        # A negative figure is a share of the rows (pg_stats).
        told = -distinct * counts[table] if distinct is not None and distinct < 0 else distinct or None
        columns[table][name] = Column(name, type_, nullable, told, nulls or 0.0, common or 0.0)
        if key:
            keys[table][key] = name
    return {
        name: Table(
            name=name,
            rows=counts[name],
            columns=found,
            indexes=tuple(indexes[name]),
            primary_key=tuple(keys[name][place] for place in sorted(keys[name])),
            foreign_keys=tuple(references[name]),
        )
        for name, found in columns.items()
    }


def standing_indexes(asked: Asked) -> Mapping[str, Standing]:
    """Those that no constraint owns, by name."""
    return {standing.index.name: standing for standing, owned in _indexes(asked) if not owned}


def _indexes(asked: Asked) -> list[tuple[Standing, bool]]:
    found: dict[tuple[str, str], list[Sequence[Any]]] = {}
    for row in asked.ask(INDEXES):
        found.setdefault((row[0], row[1]), []).append(row)
    standing = []
    for (table, name), rows in found.items():
        _, _, unique, where, *_, ddl, owned = rows[0]
        index = Index(
            table,
            tuple(_key(row) for row in rows if not row[4]),
            where=where,
            include=tuple(row[6] for row in rows if row[4]),
            unique=unique,
            name=name,
        )
        standing.append((Standing(index, ddl), owned))
    return standing


def _key(row: Sequence[Any]) -> IndexColumn:
    _, _, _, _, _, text, column, descending, operators, _, _ = row
    if column is None:
        written = text[1:-1] if text.startswith("(") else text
        return IndexColumn(written, bool(descending), True, operators)
    return IndexColumn(column, bool(descending), compares=operators)


def _estimate(asked: Asked, table: str) -> int:
    """Rows of a table that was never analysed, as its size lets the planner guess."""
    name = ".".join('"' + part.replace('"', '""') + '"' for part in table.split("."))
    ((line,), *_) = asked.ask(f"EXPLAIN SELECT FROM {name}")
    return int(line.rpartition("rows=")[2].partition(" ")[0])
