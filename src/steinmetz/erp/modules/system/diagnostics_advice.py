"""Index advice over HTTP, and the workload for the command that gives it elsewhere."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from steinmetz.erp import migrations
from steinmetz.erp.dependencies import writes_as
from steinmetz.erp.errors import Conflict, NotFound, Unavailable
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.kit.schemas import Input, example
from steinmetz.erp.modules.system.diagnostics import OPERATORS, Monitor
from steinmetz.erp.modules.system.documents import IndexAdviceDocument, told
from steinmetz.erp.modules.system.routes import require_operator
from steinmetz.erp.modules.system.workload import write_workload
from steinmetz.erp.openapi import refuses
from steinmetz.erp.state import state_of

router = APIRouter()


class AdviceInput(Input):
    """How advice is to be given."""

    model_config = example(verify=True)

    verify: bool = False
    """Run each statement with and without the indexes; on a copy, never on the production tables."""


@router.get(
    "/api/diagnostics/index-advice",
    tags=["diagnostics"],
    dependencies=OPERATORS,
    response_model=None,
    responses=told(IndexAdviceDocument),
)
async def index_advice(monitor: Monitor) -> dict[str, Any]:
    """The last advice: indexes to make and to drop, what they gain, and why others were not taken.

    Null until a run was asked for (POST). It shows no value that was bound to a statement.
    """
    return {"success": True, **monitor.advisor.document(), "statementsSeen": len(monitor.workload)}


@router.post(
    "/api/diagnostics/index-advice",
    tags=["diagnostics"],
    status_code=202,
    dependencies=[writes_as(Role.ADMIN)],
    response_model=None,
    responses=told(IndexAdviceDocument, 202),
)
async def start_index_advice(request: Request, monitor: Monitor, wanted: AdviceInput) -> dict[str, Any]:
    """Begin to look for the best indexes, in the background; the answer is then at the same path (GET).

    409 while a run is under way, or before any statement was seen.
    """
    if not len(monitor.workload):
        raise Conflict("No statement was seen yet, so there is nothing to advise on. Use the application first.")
    if not monitor.advisor.start(state_of(request).database.engine, verify=wanted.verify):
        raise Conflict("A run is under way; its answer will be at this path.")
    return {"success": True, **monitor.advisor.document(), "statementsSeen": len(monitor.workload)}


@router.get(
    "/api/diagnostics/index-advice/revision",
    tags=["diagnostics"],
    dependencies=OPERATORS,
    response_class=PlainTextResponse,
)
@refuses(404)
async def index_advice_revision(monitor: Monitor) -> Response:
    """The last advice as a revision for Alembic, to be put into the folder of your migrations."""
    from steinmetz.monitor.advisor.revision import revision_text

    if monitor.advisor.advice is None:
        raise NotFound("index advice", "yet; POST /api/diagnostics/index-advice asks for it")
    text = revision_text(monitor.advisor.advice, revision=secrets.token_hex(6), down_revision=migrations.head())
    return Response(text, media_type="text/plain; charset=utf-8")


@router.post("/api/diagnostics/workload", tags=["diagnostics"])
@refuses(401, 403)
async def hand_over_workload(request: Request, monitor: Monitor) -> dict[str, Any]:
    """Write the statements seen so far into the data folder, for `steinmetz advise`.

    For the same machine, or with the metrics token, as /metrics. The answer says how many they are; the file, for
    the owner of the folder only, also holds parameters for running them again, without those of sensitive columns.
    """
    require_operator(request)
    state = state_of(request)
    workload = monitor.recorded_workload()
    try:
        await asyncio.to_thread(write_workload, state.settings.data_dir, workload, state.clock)
    except OSError as error:
        raise Unavailable(5, f"The data folder cannot be written: {error.strerror}.") from None
    return {"success": True, "data": {"statements": len(workload.queries), "calls": workload.calls}}
