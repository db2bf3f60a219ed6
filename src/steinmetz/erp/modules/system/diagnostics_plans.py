"""One slow query in full, and how a statement is carried out."""

from __future__ import annotations

import contextlib
from typing import Annotated, Any

from fastapi import APIRouter, Path

from steinmetz.erp.errors import NotFound
from steinmetz.erp.modules.system.diagnostics import OPERATORS, Monitor
from steinmetz.erp.modules.system.documents import PlansDocument, SlowQueryInFullDocument, Told, told
from steinmetz.erp.openapi import refuses
from steinmetz.monitor.dialects.base import CannotExplain

router = APIRouter(tags=["diagnostics"], dependencies=OPERATORS)


@router.get(
    "/api/diagnostics/slow-queries/{slow_id}", response_model=None, responses=told(Told[SlowQueryInFullDocument])
)
@refuses(404)
async def slow_query(
    monitor: Monitor,
    slow_id: Annotated[str, Path(pattern="^[0-9a-f]{12}$", description="`details.id` of a slow query")],
) -> dict[str, Any]:
    """One slow query with all that is known of it: where its time went, and the plans of its statement."""
    found = monitor.slow_query(slow_id)
    if found is None:
        raise NotFound("slow query", slow_id)
    return {"success": True, "data": found}


@router.get("/api/diagnostics/plans/{fingerprint}", response_model=None, responses=told(Told[PlansDocument]))
@refuses(404)
async def plans(
    monitor: Monitor,
    fingerprint: Annotated[
        str, Path(pattern="^[0-9a-f]{16}$", description="`details.fingerprint` of a slow query")
    ],
) -> dict[str, Any]:
    """The plan of a statement, asked for now, and those that it had before; newest first.

    The statement is explained with the values of its slowest run, not run. Where that is not possible,
    ``refused`` says why.
    """
    known = monitor.plans
    with contextlib.suppress(CannotExplain, LookupError):
        await known.of(fingerprint)
    found = known.told(fingerprint)
    if found is None:
        raise NotFound("statement", fingerprint)
    return {"success": True, "data": found}
