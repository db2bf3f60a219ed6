"""The audit log: who changed what; written in the commit of the change, read by pages, exported as a whole."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

from pydantic_core import to_jsonable_python

from steinmetz.erp.db import Database, Unit
from steinmetz.erp.errors import NotFound
from steinmetz.erp.kit.pagination import PageQuery, encode_cursor
from steinmetz.erp.kit.spreadsheet import csv_line
from steinmetz.erp.modules.system import repository
from steinmetz.erp.modules.system.models import AuditEntry
from steinmetz.erp.modules.system.repository import AuditFilter
from steinmetz.erp.modules.system.rules import differences
from steinmetz.erp.modules.system.schemas import AuditView

__all__ = [
    "AuditFilter",
    "audit_entries",
    "audit_entry",
    "differences",
    "export",
    "latest",
    "record",
]


SUMMARY_CHARS = 300
EXPORT_SLICE = 1_000
"""Rows of an export that one unit reads: a slow reader of the export holds no connection and no snapshot."""

COLUMNS = tuple(field.alias or name for name, field in AuditView.model_fields.items())

BYTE_ORDER_MARK = "\ufeff"
"""Without it a spreadsheet takes UTF-8 for something else, and every umlaut with it."""


def record(
    unit: Unit,
    action: str,
    entity: str,
    entity_id: int | str,
    summary: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write into the audit log, in the same commit as the change.

    ``action`` is in the module's words (``invoice.pay``); ``before`` and ``after`` hold what changed, never
    secrets. A new record must be flushed first: its id is needed.
    """
    unit.session.add(
        AuditEntry(
            at=unit.now,
            actor_id=unit.actor.id,
            actor_name=unit.actor.name,
            action=action,
            entity=entity,
            entity_id=str(entity_id),
            summary=summary[:SUMMARY_CHARS],
            before=to_jsonable_python(before),
            after=to_jsonable_python(after),
            request_id=unit.request_id,
        )
    )


async def audit_entries(
    unit: Unit, page: PageQuery, wanted: AuditFilter
) -> tuple[list[AuditView], str | None, int]:
    """One page of the log, newest first; the cursor of the next; how many entries there are."""
    after = page.after(int)
    entries, total = await repository.audit(
        unit.session, wanted, before_id=after[0] if after else None, limit=page.limit + 1
    )
    shown = [AuditView.model_validate(entry) for entry in entries[: page.limit]]
    has_more = len(entries) > page.limit
    return shown, encode_cursor(shown[-1].id) if has_more else None, total


async def audit_entry(unit: Unit, entry_id: int) -> AuditView:
    """Raises `NotFound`."""
    found = await repository.audit_entry(unit.session, entry_id)
    if found is None:
        raise NotFound("audit entry", entry_id)
    return AuditView.model_validate(found)


async def latest(unit: Unit, limit: int, *, entities: Collection[str] | None = None) -> Sequence[AuditEntry]:
    """The newest ``limit`` entries of the log, only those on ``entities`` if given."""
    return await repository.latest(unit.session, limit, entities)


async def export(database: Database, wanted: AuditFilter) -> AsyncIterator[bytes]:
    """The log as CSV (RFC 4180), oldest first, up to the entry that is the newest now.

    Slices are read in units of their own: entries never change, so together they are one state.
    """
    async with database.unit(writes=False) as unit:
        last_id = await repository.last_audit_id(unit.session)
    yield (BYTE_ORDER_MARK + csv_line(COLUMNS)).encode()
    after_id = 0
    while after_id < last_id:
        async with database.unit(writes=False) as unit:
            entries = await repository.audit_after(
                unit.session, wanted, after_id=after_id, last_id=last_id, limit=EXPORT_SLICE
            )
        if not entries:
            return
        yield "".join(csv_line(_cells(entry)) for entry in entries).encode()
        after_id = entries[-1].id


def _cells(entry: AuditEntry) -> list[str]:
    told = AuditView.model_validate(entry).model_dump(mode="json", by_alias=True)
    return [_cell(told[name]) for name in COLUMNS]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict) else str(value)
