"""What came of changes: /api/diagnostics/comparisons."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from steinmetz.erp.modules.system.diagnostics import OPERATORS, Monitor
from steinmetz.monitor.changes.change import shown

router = APIRouter(tags=["diagnostics"], dependencies=OPERATORS)


@router.get("/api/diagnostics/comparisons")
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
