"""What is known of a statement before it runs: its shape, and which relations it reads and writes.

Facts, no opinions: how long it took belongs to `steinmetz.monitor`, what may be served again to
`steinmetz.cache`. What is not known is said to be unknown; it is never said to be nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steinmetz.sql.templates import ReadTemplate, WriteTemplate


@dataclass(frozen=True, slots=True, order=True)
class Relation:
    """A table of one database; views, triggers and cascades are resolved to the tables behind them.

    ``database`` is the name given to the hook of the engine, so that equal table names of two databases stay
    apart. ``name`` is qualified by its schema unless that is the default one.
    """

    database: str
    name: str

    def __str__(self) -> str:
        return f"{self.database}:{self.name}"


class Verb(StrEnum):
    """What kind of statement it is, by its effect rather than by its first word."""

    SELECT = "select"
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    DDL = "ddl"
    TRANSACTION = "transaction"
    OTHER = "other"


class Stored(StrEnum):
    """How a database keeps a column; all but the last word mean that its ``=`` is the equality of bytes."""

    INTEGER = "integer"
    ROWID = "rowid"
    """SQLite's ``INTEGER PRIMARY KEY``: NULL means the next free one, and lastrowid tells it."""
    TEXT = "text"
    UUID = "uuid"
    BOOLEAN = "boolean"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Columns:
    """What the database itself says of the columns of one relation.

    ``stored`` has all of them. ``computed`` are those that follow from others of their row, so that any UPDATE may
    change them.
    """

    stored: Mapping[str, Stored]
    computed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StatementFacts:
    """The facts of one statement, worked out once and remembered.

    ``fingerprint`` is 16 hexadecimal digits, equal for statements of equal shape (an IN list of any length is
    one shape); ``text`` is that shape as SQL. ``reads_unknown`` and ``writes_unknown`` mean "perhaps anything
    of this database", in addition to the relations that are named.

    ``columns`` are known for some relations and mean all of them for any other: the columns that an UPDATE assigns
    if the relation is written, else those that are looked at (none is possible: ``count(*)``). ``behind`` are the
    relations that are written, or whose rows are revised, by triggers, rules, foreign keys or functions, be it in
    addition to the statement itself.
    ``direct`` are the relations that the statement reads (if it writes: that it writes) by naming them and in no
    other way: no view, function, policy, trigger, rule or foreign-key action has a hand in their rows. Of these,
    ``looks_at`` and ``changes`` tell which rows, where the statement was compiled by SQLAlchemy
    (`steinmetz.sql.predicates.described`).
    """

    fingerprint: str
    text: str
    verb: Verb
    reads: frozenset[Relation]
    writes: frozenset[Relation]
    reads_unknown: bool = False
    writes_unknown: bool = False
    columns: Mapping[Relation, frozenset[str]] | None = field(default=None, compare=False, repr=False)
    behind: frozenset[Relation] = frozenset()
    direct: Mapping[Relation, Columns] = field(default_factory=dict, compare=False, repr=False)
    looks_at: ReadTemplate | None = field(default=None, compare=False, repr=False)
    changes: WriteTemplate | None = field(default=None, compare=False, repr=False)

    @property
    def is_write(self) -> bool:
        return bool(self.writes) or self.writes_unknown
