"""Jobs that run for longer than a request."""

from __future__ import annotations

from datetime import datetime

from steinmetz.erp.db import Unit
from steinmetz.erp.modules.batch import repository
from steinmetz.erp.modules.batch.rules import JobStatus


async def count_by_status(unit: Unit) -> dict[JobStatus, int]:
    """How many jobs there are in every status."""
    counted = await repository.count_by_status(unit.session)
    return {status: counted.get(status, 0) for status in JobStatus}


async def delete_finished(unit: Unit, before: datetime, limit: int) -> int:
    """Delete jobs that ended before that instant, with their items; at most ``limit`` of both together."""
    return await repository.delete_finished(unit.session, before, limit)
