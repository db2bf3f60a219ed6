"""The two envelopes of every success, as the OpenAPI document tells them and as FastAPI writes them.

A route names one as its ``response_model``; where the answer is large or hot it hands over finished bytes
(`json_answer`), and the model remains its documentation.
"""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

from fastapi import Response
from pydantic import BaseModel
from pydantic_core import to_json

from steinmetz.erp.kit.pagination import Page

T = TypeVar("T")


class Answer(BaseModel, Generic[T]):
    """``{"success": true, "data": ...}``"""

    success: Literal[True] = True
    data: T


class PageMark(BaseModel):
    """Where a page stands in its list."""

    next: str | None
    """The cursor of the next page; null on the last one."""
    total: int
    """Rows in the whole list."""


class Listing(BaseModel, Generic[T]):
    """``{"success": true, "data": [...], "page": {"next", "total"}}``"""

    success: Literal[True] = True
    data: list[T]
    page: PageMark


def answer(data: Any) -> dict[str, Any]:
    """What a route with `Answer` as its model returns."""
    return {"success": True, "data": data}


def listing(page: Page) -> dict[str, Any]:
    """What a route with `Listing` as its model returns."""
    return {"success": True, "data": page.rows, "page": {"next": page.next, "total": page.total}}


def json_answer(data: Any) -> Response:
    """`Answer` as finished bytes; ``data`` is of plain containers, text, numbers, dates and schemas."""
    return Response(to_json({"success": True, "data": data}), media_type="application/json")
