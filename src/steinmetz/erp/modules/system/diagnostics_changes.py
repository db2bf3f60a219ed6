"""What came of changes, and marking one: /api/diagnostics/comparisons."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints

from steinmetz.erp.dependencies import SignedIn, writes_as
from steinmetz.erp.errors import Unprocessable
from steinmetz.erp.kit.fields import Text
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.kit.schemas import Input, example
from steinmetz.erp.modules.system.diagnostics import OPERATORS, Monitor
from steinmetz.erp.modules.system.documents import ChangeDocument, Told, ToldList, told
from steinmetz.monitor.changes.change import NOTE_LENGTH, Entry, shown

router = APIRouter(tags=["diagnostics"])


TableName = Annotated[Text, StringConstraints(min_length=1, max_length=100)]


class MarkInput(Input):
    """What is changed now."""

    model_config = example(note="Invoices with their items in one statement", tables=["invoices"])

    note: Annotated[Text, StringConstraints(min_length=1, max_length=NOTE_LENGTH)]
    tables: Annotated[list[TableName], Field(max_length=50)] = Field(default_factory=list)
    """Those it concerns; all statements are compared without."""


@router.get(
    "/api/diagnostics/comparisons",
    dependencies=OPERATORS,
    response_model=None,
    responses=told(ToldList[ChangeDocument]),
)
async def comparisons(
    monitor: Monitor,
    limit: Annotated[int, Query(ge=1, le=500, description="At most so many")] = 50,
) -> dict[str, Any]:
    """Changes of the schema, releases and marks, newest first, each with its verdict and the statements before and
    after it.
    """
    entries = await monitor.changes.entries(limit)
    return {
        "success": True,
        "data": [shown(entry) for entry in entries],
        "page": {"next": None, "total": len(entries)},
    }


@router.post(
    "/api/diagnostics/comparisons",
    status_code=201,
    dependencies=[writes_as(Role.ADMIN)],
    response_model=None,
    responses=told(Told[ChangeDocument], 201),
)
async def mark(monitor: Monitor, actor: SignedIn, wanted: MarkInput) -> dict[str, Any]:
    """Say that something is changed now: the hour before is compared with the hour after."""
    try:
        change = await monitor.changes.mark(wanted.note, actor.name, wanted.tables)
    except ValueError as error:
        raise Unprocessable(f"{str(error).capitalize()}.", "note") from None
    return {"success": True, "data": shown(Entry(change))}
