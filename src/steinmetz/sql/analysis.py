"""What a database's own analyser has understood of a statement, as a value over its catalogue's numbers (oids)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Event(StrEnum):
    """What happens to a relation; triggers, rules and foreign keys answer to some and not to others."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    TRUNCATE = "truncate"


Write = tuple[Event, int]
"""An event and the oid of the relation that it happens to."""


@dataclass(slots=True)
class Analysis:
    """What one statement, or the statements of one body, read, write and call by themselves, by oid.

    ``alone`` are reads and writes under ONLY, which leave out partitions and heirs. ``columns`` are the attribute
    numbers that are looked at, ``assigned`` those that an UPDATE sets; None stands for the whole row. ``calls``
    are the oids of functions, negative as in `steinmetz.sql.schema.Edges`.
    """

    reads: set[int] = field(default_factory=set)
    reads_alone: set[int] = field(default_factory=set)
    writes: set[Write] = field(default_factory=set)
    writes_alone: set[Write] = field(default_factory=set)
    calls: set[int] = field(default_factory=set)
    columns: dict[int, set[int] | None] = field(default_factory=dict)
    assigned: dict[int, set[int] | None] = field(default_factory=dict)

    @property
    def relations(self) -> set[int]:
        return self.reads | self.reads_alone | {oid for _, oid in self.writes | self.writes_alone}
