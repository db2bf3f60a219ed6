"""Rows by the values that bind them: which ones a read looks at, which a write changes, whether they meet.

The rule (trap T9): a write concerns a read of its table unless both bind one column by equality to different
values. What binds a write are the values of the column *before and after* it, so an UPDATE that assigns the column
is bound only where both are known.

Python's equality stands in for that of SQL only where both certainly agree: a column has a `Kind` by its
SQLAlchemy type, the database itself must keep it accordingly (`steinmetz.sql.facts.Stored`: no collation but a
bytewise one, no citext, no padding, no affinity that converts), and a value must be of exactly that kind's Python
type. So 7, "7", True and 7.0 are never compared with each other; whatever is in doubt binds nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

MAX_KEYS = 64
"""Values by which one relation may be bound in a read or a write; above it, the table counts (trap T12)."""
MAX_ROWS = 16
"""Different ways in which one relation may be looked at or changed; above it, the table counts."""
MAX_TEXT = 255
"""Longer text binds nothing, so that the memory of a key is bounded."""
_EXACT = 2**53
"""Up to here, a whole number is itself in every numeric column type."""

Value = int | str
"""A value as it is compared: of a UUID its 32 hexadecimal digits."""
Values = frozenset[Value]
NO_VALUES: Values = frozenset()
REMEMBERED_VALUES = 4_096
"""Values of which the set with nothing else is held once; about 2 MB."""


class Kind(StrEnum):
    """What a column's SQLAlchemy type makes of Python values; values of different kinds are never compared."""

    INTEGER = "integer"
    TEXT = "text"
    UUID = "uuid"
    BOOLEAN = "boolean"
    WORD = "word"
    """A member of a `StrEnum` that is kept as its own text."""


class Column(NamedTuple):
    """A column as a predicate names it; ``name`` is in lower case where the database does not mind the case."""

    name: str
    kind: Kind


def normalised(kind: Kind, value: Any) -> Value | None:
    """``value`` as it may be compared with others of its column, or None if that is not certain."""
    if kind is Kind.INTEGER:
        return value if type(value) is int and -_EXACT < value < _EXACT else None
    if kind is Kind.TEXT:
        # varchar(n) of PostgreSQL cuts off spaces that do not fit.
        return value if type(value) is str and len(value) <= MAX_TEXT and value[-1:] != " " else None
    if kind is Kind.WORD:
        word = str.__str__(value) if isinstance(value, StrEnum) else value
        return normalised(Kind.TEXT, word)
    if kind is Kind.UUID:
        return value.hex if isinstance(value, uuid.UUID) else None
    return value if type(value) is bool else None


@lru_cache(REMEMBERED_VALUES, typed=True)
def _alone(value: Value) -> Values:
    return frozenset((value,))


def values_of(found: Collection[Value]) -> Values:
    """``found`` to be kept: one row's key is in the changes of many tables and in what many answers read, and a
    frozenset of one value takes 216 bytes."""
    if len(found) != 1:
        return frozenset(found)
    (value,) = found
    return _alone(value)


@dataclass(frozen=True, slots=True)
class Rows:
    """What one occurrence of a relation in a statement looks at.

    Only rows that have one of the values in each ``bound`` column; with none, all rows. ``columns`` are all that
    the statement mentions of it, anywhere; None stands for all there are.
    """

    bound: Mapping[Column, Values] = field(default_factory=dict)
    columns: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What one write does to a relation.

    Every row it touches has, before and after, one of the values in each column of ``within`` (or NULL); with
    none, it may be any row. ``assigned`` are the columns that may differ afterwards; None stands for all, and for
    rows that come or go.
    """

    within: Mapping[Column, Values] = field(default_factory=dict)
    assigned: frozenset[str] | None = None


def meet(rows: Rows, change: Change) -> bool:
    """Whether what ``rows`` looks at may differ after ``change``."""
    if change.assigned is not None and rows.columns is not None and rows.columns.isdisjoint(change.assigned):
        return False
    within = change.within
    if within:
        for column, values in rows.bound.items():
            written = within.get(column)
            if written is not None and written.isdisjoint(values):
                return False
    return True


def folded_rows(several: Iterable[Rows]) -> tuple[Rows, ...] | None:
    """The same with less: rows bound by one and the same column become one. None if there are too many."""
    folded: list[Rows] = []
    single: dict[tuple[Column, frozenset[str] | None], set[Value]] = {}
    for rows in several:
        if len(rows.bound) == 1:
            ((column, values),) = rows.bound.items()
            single.setdefault((column, rows.columns), set()).update(values)
        elif rows not in folded:
            if not rows.bound and rows.columns is None:
                return None
            folded.append(rows)
        if len(folded) + len(single) > MAX_ROWS:
            return None
    folded += [Rows({column: values_of(values)}, columns) for (column, columns), values in single.items()]
    keys = sum(len(values) for rows in folded for values in rows.bound.values())
    return tuple(folded) if keys <= MAX_KEYS else None


def folded_changes(several: Iterable[Change]) -> tuple[Change, ...] | None:
    """The same with less: changes bound by the same columns become one. None if there are too many."""
    alike: dict[tuple[frozenset[Column], frozenset[str] | None], dict[Column, set[Value]]] = {}
    for change in several:
        if not change.within and change.assigned is None:
            return None
        within = alike.setdefault((frozenset(change.within), change.assigned), {})
        for column, values in change.within.items():
            within.setdefault(column, set()).update(values)
        if len(alike) > MAX_ROWS:
            return None
    folded = tuple(
        Change(
            {column: values_of(values) for column, values in within.items() if len(values) <= MAX_KEYS}, assigned
        )
        for (_, assigned), within in alike.items()
    )
    # What lost its last column is bound by nothing any more.
    return None if any(not change.within and change.assigned is None for change in folded) else folded
