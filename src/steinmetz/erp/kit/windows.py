"""A window on a list: which rows a statement asks for, and the page that is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, desc, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from steinmetz.erp.kit.pagination import Page, encode_cursor

Column = InstrumentedAttribute[Any]


@dataclass(frozen=True, slots=True)
class Window:
    """Which rows of a list: ``after`` the sort values of the row before, at most ``limit``.

    ``columns`` order the list and end with one that is distinct; rows have them as attributes.
    """

    columns: Sequence[Column]
    is_descending: bool
    after: Sequence[Any] | None
    limit: int

    def of(self, statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
        """One row more than wanted."""
        if self.after is not None:
            place, start = tuple_(*self.columns), tuple_(*self.after)
            statement = statement.where(place < start if self.is_descending else place > start)
        order = [desc(each) if self.is_descending else each for each in self.columns]
        return statement.order_by(*order).limit(self.limit + 1)

    def page(self, rows: Sequence[Any], total: int | None) -> Page:
        """The page of what `of` has found."""
        kept = rows[: self.limit]
        if len(rows) == len(kept):
            return Page(kept, None, total or 0)
        return Page(kept, encode_cursor(*(getattr(kept[-1], column.key) for column in self.columns)), total or 0)


def contains(column: Column | ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Whether ``text`` occurs, in whatever case."""
    return column.icontains(text, autoescape=True)
