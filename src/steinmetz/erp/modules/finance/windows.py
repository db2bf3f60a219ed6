"""A window on a list: which rows a statement asks for, and the page that is made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, desc, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from steinmetz.erp.kit.pagination import Page, encode_cursor


@dataclass(frozen=True, slots=True)
class Window:
    """Which rows of a list: ``after`` the sort values of the row before, at most ``limit``."""

    sort: str
    after: Sequence[Any] | None
    limit: int

    @property
    def column(self) -> str:
        return self.sort.removeprefix("-")

    @property
    def is_descending(self) -> bool:
        return self.sort.startswith("-")


def windowed(
    statement: Select[*tuple[Any, ...]],
    window: Window,
    column: InstrumentedAttribute[Any],
    key: InstrumentedAttribute[int],
) -> Select[*tuple[Any, ...]]:
    """``statement`` in the order of ``column``, then ``key``; one row more than the window asks for."""
    by = [column] if column is key else [column, key]
    if window.after is not None:
        place, start = tuple_(*by), tuple_(*window.after)
        statement = statement.where(place < start if window.is_descending else place > start)
    order = [desc(each) if window.is_descending else each for each in by]
    return statement.order_by(*order).limit(window.limit + 1)


def contains(column: InstrumentedAttribute[Any], text: str) -> ColumnElement[bool]:
    return column.icontains(text, autoescape=True)


def page_of(rows: Sequence[Any], total: int, limit: int, place: Callable[[Any], Sequence[Any]]) -> Page:
    """``rows`` are one more than ``limit`` if there is a next page; ``place`` is where a row stands."""
    shown = rows[:limit]
    return Page(shown, encode_cursor(*place(shown[-1])) if len(rows) > limit else None, total)
