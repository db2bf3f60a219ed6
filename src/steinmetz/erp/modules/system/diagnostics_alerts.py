"""What people should look at now: /api/diagnostics/alerts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from steinmetz.erp.modules.system.diagnostics import OPERATORS, Monitor
from steinmetz.erp.modules.system.documents import AlertDocument, ToldList, told

router = APIRouter(tags=["diagnostics"], dependencies=OPERATORS)


@router.get("/api/diagnostics/alerts", response_model=None, responses=told(ToldList[AlertDocument]))
async def alerts(
    monitor: Monitor,
    state: Annotated[
        Literal["active", "all"], Query(description="Only those that are active, or what was told lately, too")
    ] = "active",
    limit: Annotated[int, Query(ge=1, le=500, description="At most so many")] = 50,
) -> dict[str, Any]:
    """Alerts of the query monitor, newest first; all of them with how each was resolved, if asked for."""
    found = monitor.alerts.active() if state == "active" else monitor.alerts.recent(500)
    return {
        "success": True,
        "data": [alert.as_json() for alert in found[:limit]],
        "page": {"next": None, "total": len(found)},
    }
