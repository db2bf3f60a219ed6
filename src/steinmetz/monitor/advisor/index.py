"""An index as a value: what it covers, and its DDL."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class IndexColumn:
    """One key of an index: a column, or an expression in the words of the database (``lower(email)``).

    ``compares`` says how the key is compared if not in the column's own way: ``text_pattern_ops`` (PostgreSQL) or
    ``COLLATE NOCASE`` (SQLite), so that a LIKE with a fixed beginning can use it.
    """

    name: str
    descending: bool = False
    is_expression: bool = False
    compares: str = ""

    def sql(self) -> str:
        key = f"({self.name})" if self.is_expression else quoted(self.name)
        words = (key, self.compares, "DESC" if self.descending else "")
        return " ".join(word for word in words if word)


@dataclass(frozen=True, slots=True, order=True)
class Index:
    """An index that exists or might. ``table`` may be qualified by its schema; ``where`` makes it partial.

    ``include`` are columns that are only carried (PostgreSQL's INCLUDE). ``name`` and ``unique`` matter for
    indexes that exist; a candidate's name follows from its content.
    """

    table: str
    columns: tuple[IndexColumn, ...]
    where: str = ""
    include: tuple[str, ...] = ()
    unique: bool = False
    name: str = ""

    @property
    def shown_name(self) -> str:
        """The index's own name, or one made from its content, at most 60 characters."""
        if self.name:
            return self.name
        words = [self.table.rpartition(".")[2], *(_word(column.name) for column in self.columns)]
        content = self.definition()
        digest = hashlib.blake2b(content.encode(), digest_size=3).hexdigest()
        return f"ix_{'_'.join(words)}"[:53] + f"_{digest}"

    def definition(self) -> str:
        """What follows ``CREATE INDEX name ON``."""
        table = ".".join(quoted(part) for part in self.table.split("."))
        text = f"{table} ({', '.join(column.sql() for column in self.columns)})"
        if self.include:
            text += f" INCLUDE ({', '.join(quoted(name) for name in self.include)})"
        return f"{text} WHERE {self.where}" if self.where else text

    def ddl(self, *, concurrently: bool = False) -> str:
        """The statement that makes it."""
        unique = "UNIQUE " if self.unique else ""
        how = "CONCURRENTLY " if concurrently else ""
        return f"CREATE {unique}INDEX {how}{quoted(self.shown_name)} ON {self.definition()}"

    def drop_ddl(self, *, concurrently: bool = False) -> str:
        return f"DROP INDEX {'CONCURRENTLY ' if concurrently else ''}{quoted(self.shown_name)}"


def quoted(name: str) -> str:
    """An identifier as both engines read it: plain if it needs no quotes."""
    if name.isidentifier() and name.islower() and name not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def _word(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name).strip("_")[:20]


_RESERVED = frozenset(
    {"all", "and", "any", "as", "asc", "between", "by", "case", "cast", "check", "collate", "column",
     "constraint", "create", "cross", "default", "delete", "desc", "distinct", "drop", "else", "end", "except",
     "exists", "false", "for", "foreign", "from", "full", "group", "having", "in", "index", "inner", "insert",
     "intersect", "into", "is", "join", "key", "left", "like", "limit", "natural", "not", "null", "offset",
     "on", "or", "order", "outer", "primary", "references", "right", "select", "set", "table", "then", "to",
     "true", "union", "unique", "update", "user", "using", "values", "when", "where", "window", "with"}
)  # fmt: skip
