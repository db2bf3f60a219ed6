"""The audit log, and what operators ask of the running process."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_jsonable_python

from steinmetz.erp.db import Unit
from steinmetz.erp.modules.system.models import AuditEntry

SUMMARY_CHARS = 300


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
