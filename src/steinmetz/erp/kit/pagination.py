"""Pages by keyset: a page begins after the sort values of the last row before it, so rows that come or go
meanwhile neither repeat nor hide others.

A cursor is those values, encoded; it is opaque to the caller and carries no rights.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import Depends, Query

from steinmetz.erp.errors import Unprocessable
from steinmetz.erp.kit.fields import MAX_RECORD_ID

DEFAULT_LIMIT = 50
MAX_LIMIT = 500
MAX_CURSOR_CHARS = 1_000

SortValue = int | str | date | datetime


class Large(int):
    """A kind of sort value: a whole number of 64 bits, as sums are. A plain ``int`` has 32, as ids have."""


def encode_cursor(*values: SortValue) -> str:
    """The cursor of the page that begins after the row with these sort values."""
    plain = [value.isoformat() if isinstance(value, date) else value for value in values]
    text = json.dumps(plain, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def decode_cursor(cursor: str, *kinds: type) -> tuple[Any, ...]:
    """The sort values of ``cursor``; ``kinds`` are their types (int, `Large`, str, date or datetime).

    Raises `Unprocessable` for a cursor that was not made for this list.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not isinstance(values, list) or len(values) != len(kinds):
            raise ValueError("not the values of this list")
        return tuple(_restored(value, kind) for value, kind in zip(values, kinds, strict=True))
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
        raise Unprocessable("This cursor is not of this list; begin without one.", "cursor") from None


def _restored(value: Any, kind: type) -> Any:
    if kind is datetime:
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return instant.astimezone(UTC)
    if kind is date:
        return date.fromisoformat(value)
    if kind is str:
        return _storable(value)
    if type(value) is not int:
        raise TypeError(f"expected {kind.__name__}")
    largest = 2**63 - 1 if kind is Large else MAX_RECORD_ID
    if not -largest <= value <= largest:
        raise ValueError("the column holds no such number")
    return value


def _storable(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError("no database holds such a text")
    value.encode()  # raises for half a surrogate pair
    return value


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list, the cursor of those after them, and how many there are in all."""

    rows: Sequence[Any]
    next: str | None
    total: int


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which page of a list is asked for."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    def after(self, *kinds: type) -> tuple[Any, ...] | None:
        """The sort values after which the page begins; None for the first page. See `decode_cursor`."""
        return None if self.cursor is None else decode_cursor(self.cursor, *kinds)


async def _page_query(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows a page")] = DEFAULT_LIMIT,
    cursor: Annotated[
        str | None, Query(max_length=MAX_CURSOR_CHARS, description="`page.next` of the page before")
    ] = None,
) -> PageQuery:
    return PageQuery(limit, cursor)


Paging = Annotated[PageQuery, Depends(_page_query)]
