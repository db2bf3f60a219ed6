"""What SQLite's own catalogue says of tables and indexes, read from a raw connection.

The catalogue keeps an index as the text that made it; keys that are expressions and the condition of a partial
index are found there and nowhere else (https://www.sqlite.org/pragma.html#pragma_index_xinfo).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from steinmetz.monitor.advisor.index import Index, IndexColumn
from steinmetz.monitor.dialects.base import ForeignKey, outside_quotes

QUOTES = "'\"`["


@dataclass(frozen=True, slots=True)
class FoundColumn:
    name: str
    type: str
    nullable: bool
    key: int
    """Its place in the primary key from 1, 0 outside."""


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A real table; virtual ones and SQLite's own are left out."""

    name: str
    columns: tuple[FoundColumn, ...]
    has_rowid: bool
    indexes: tuple[Index, ...]
    foreign_keys: tuple[ForeignKey, ...]

    @property
    def primary_key(self) -> tuple[str, ...]:
        keys = sorted((column for column in self.columns if column.key), key=lambda column: column.key)
        return tuple(column.name for column in keys)


def found_tables(connection: sqlite3.Connection) -> Iterator[FoundTable]:
    """All tables of the main database with their indexes, those of constraints included."""
    listed = connection.execute("SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main'").fetchall()
    texts = index_texts(connection)
    for name, kind, without_rowid in listed:
        if kind != "table" or name.startswith("sqlite_"):
            continue
        columns = tuple(
            FoundColumn(column, type_, not required and not key, key)
            for column, type_, required, key in connection.execute(
                'SELECT name, type, "notnull", pk FROM pragma_table_info(?)', (name,)
            )
        )
        indexes = tuple(_indexes(connection, name, texts))
        yield FoundTable(name, columns, not without_rowid, indexes, tuple(_foreign_keys(connection, name)))


def index_texts(connection: sqlite3.Connection) -> dict[str, str]:
    """The DDL of every index that was made by a statement."""
    return dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))


def _foreign_keys(connection: sqlite3.Connection, table: str) -> Iterator[ForeignKey]:
    listed = connection.execute(
        'SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id, seq', (table,)
    ).fetchall()
    for _, parts in groupby(listed, key=itemgetter(0)):
        named = list(parts)
        referred = named[0][1]
        # Without names it is the primary key that is meant.
        keys = connection.execute("SELECT name FROM pragma_table_info(?) WHERE pk ORDER BY pk", (referred,))
        refers_to = [part[3] for part in named] if named[0][3] else [name for (name,) in keys]
        yield ForeignKey(tuple(part[2] for part in named), referred, tuple(refers_to))


def _indexes(connection: sqlite3.Connection, table: str, texts: dict[str, str]) -> Iterator[Index]:
    listed = connection.execute('SELECT name, "unique" FROM pragma_index_list(?)', (table,)).fetchall()
    for name, unique in listed:
        written, where = keys_and_condition(texts[name]) if name in texts else ((), "")
        keys = connection.execute(
            'SELECT seqno, name, "desc", coll FROM pragma_index_xinfo(?) WHERE key = 1', (name,)
        ).fetchall()
        columns = []
        for place, column, descending, collation in keys:
            if column is None:
                columns.append(IndexColumn(without_direction(written[place]), bool(descending), True))
            elif place < len(written) and " collate " in f" {written[place].lower()} ":
                columns.append(IndexColumn(column, bool(descending), compares=f"COLLATE {collation}"))
            else:
                columns.append(IndexColumn(column, bool(descending)))
        yield Index(table, tuple(columns), where, unique=bool(unique), name=name)


def keys_and_condition(ddl: str) -> tuple[tuple[str, ...], str]:
    """The keys of a CREATE INDEX as they were written, and what follows WHERE."""
    keys: list[str] = []
    depth, start, end = 0, 0, len(ddl)
    for place, letter in outside_quotes(ddl, QUOTES):
        if letter == "(":
            depth += 1
            if depth == 1:
                start = place + 1
        elif letter == ")":
            depth -= 1
            if depth == 0:
                keys.append(ddl[start:place].strip())
                end = place + 1
                break
        elif letter == "," and depth == 1:
            keys.append(ddl[start:place].strip())
            start = place + 1
    rest = ddl[end:].strip()
    return tuple(keys), rest[5:].strip() if rest[:5].lower() == "where" else ""


def without_direction(key: str) -> str:
    """A key without ASC or DESC, and without the brackets around all of it."""
    head, _, last = key.rpartition(" ")
    if last.lower() in ("asc", "desc"):
        key = head.strip()
    if key.startswith("(") and _closes_at(key) == len(key) - 1:
        key = key[1:-1].strip()
    return key


def _closes_at(text: str) -> int:
    depth = 0
    for place, letter in outside_quotes(text, QUOTES):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return place
    return -1
