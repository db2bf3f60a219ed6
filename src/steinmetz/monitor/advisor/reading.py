"""What a statement asks of each table, as values: how it finds rows, orders and groups them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Columns = Mapping[str, frozenset[str]]
"""The columns of each table, by its name."""


class Unreadable(Exception):  # noqa: N818  the sentence reads better
    """The statement cannot be read; the message says why, without values."""


class Kind(StrEnum):
    """How a condition narrows a column."""

    EQUAL = "equal"
    IN = "in"
    IS_NULL = "is null"
    RANGE = "range"
    PREFIX = "prefix"
    JOIN = "join"
    """Equal to a column of another table, or of a subquery's result."""


@dataclass(frozen=True, slots=True)
class Term:
    """One condition. ``key`` is a column, or an expression over one (``lower(email)``).

    ``bind`` is the placeholder it is compared to (position from 0, or name), ``literal`` the constant, as SQL.
    """

    key: str
    kind: Kind
    is_expression: bool = False
    bind: int | str | None = None
    literal: str | None = None


@dataclass(frozen=True, slots=True)
class OrderKey:
    key: str
    descending: bool = False
    is_expression: bool = False


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One table at one place of a statement.

    ``branches`` are alternatives (of OR), each the conditions that hold together. ``order`` is the ORDER BY if
    this table alone decides it. ``columns`` are all that the place needs of the table; None means all of them.
    """

    table: str
    branches: tuple[tuple[Term, ...], ...]
    order: tuple[OrderKey, ...] = ()
    limited: bool = False
    group: tuple[str, ...] = ()
    extremes: tuple[str, ...] = ()
    """Columns of which only the smallest or largest value is wanted."""
    columns: frozenset[str] | None = None
    joined: bool = False
    """Whether other tables stand beside it in the same SELECT."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A statement as far as indexes matter. ``assigned`` are the columns that an UPDATE sets, None for all."""

    occurrences: tuple[Occurrence, ...]
    writes: str = ""
    assigned: frozenset[str] | None = field(default_factory=frozenset)
