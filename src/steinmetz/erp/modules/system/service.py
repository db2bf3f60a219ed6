"""The audit log, and what operators ask of the running process."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

from pydantic_core import to_jsonable_python

from steinmetz.erp import migrations
from steinmetz.erp.db import Database, Unit
from steinmetz.erp.kit.pagination import PageQuery, encode_cursor
from steinmetz.erp.modules.system import repository
from steinmetz.erp.modules.system.models import AuditEntry
from steinmetz.erp.modules.system.repository import AuditFilter
from steinmetz.erp.modules.system.schemas import AuditView

__all__ = ["AuditFilter", "audit", "latest", "readiness", "record"]

SUMMARY_CHARS = 300
READY_WITHIN_S = 3


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


async def audit(unit: Unit, page: PageQuery, wanted: AuditFilter) -> tuple[list[AuditView], str | None, int]:
    """One page of the log, newest first; the cursor of the next; how many entries there are."""
    after = page.after(int)
    entries, total = await repository.audit(
        unit.session, wanted, before_id=after[0] if after else None, limit=page.limit + 1
    )
    shown = [AuditView.model_validate(entry) for entry in entries[: page.limit]]
    has_more = len(entries) > page.limit
    return shown, encode_cursor(shown[-1].id) if has_more else None, total


async def latest(unit: Unit, limit: int, *, entities: Collection[str] | None = None) -> Sequence[AuditEntry]:
    """The newest ``limit`` entries of the log, only those on ``entities`` if given."""
    return await repository.latest(unit.session, limit, entities)


async def readiness(database: Database) -> dict[str, str]:
    """What the process needs, each ``ok`` or what is wrong with it."""
    try:
        # Reading only: on SQLite a probe must not queue for the pen with those who write.
        async with asyncio.timeout(READY_WITHIN_S), database.unit(writes=False) as unit:
            connection = await unit.session.connection()
            await repository.ask(connection)
            revision = await repository.revision(connection)
    except TimeoutError:
        return {"database": f"no answer within {READY_WITHIN_S} s", "migrations": "unknown"}
    except Exception as error:  # whatever the driver raises, the database is not ready
        return {"database": f"not reachable ({type(error).__name__})", "migrations": "unknown"}
    if revision == migrations.head():
        return {"database": "ok", "migrations": "ok"}
    return {
        "database": "ok",
        "migrations": f"at {revision or 'nothing'}, needs {migrations.head()}: run `steinmetz migrate`",
    }
