"""Jobs and their items over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from steinmetz.cache import cached
from steinmetz.erp.db import Database
from steinmetz.erp.dependencies import Reading, Writing
from steinmetz.erp.kit.answers import Answer, Listing, answer, listing
from steinmetz.erp.kit.fields import RecordId, Text
from steinmetz.erp.kit.pagination import Paging
from steinmetz.erp.modules.batch import service
from steinmetz.erp.modules.batch.kinds.port import Document
from steinmetz.erp.modules.batch.repository.jobs import JobFilter
from steinmetz.erp.modules.batch.rules import JobStatus
from steinmetz.erp.modules.batch.schemas import ItemView, JobInput, JobRow, JobView
from steinmetz.erp.openapi import refuses
from steinmetz.erp.state import state_of
from steinmetz.sql.scope import ScopeKind, open_scope

router = APIRouter(prefix="/api/batch/jobs", tags=["batch"])

PIECES_AT_ONCE = 20


@router.post("", response_model=Answer[JobView], status_code=202)
async def create_job(request: Request, response: Response, unit: Writing, data: JobInput) -> Any:
    """Begin a job. It is queued now and done by and by: listen to `batch:progress`, or look at it again."""
    job = await service.create_job(unit, data)
    unit.afterwards(state_of(request).batch.queued)
    response.headers["Location"] = f"{router.prefix}/{job.id}"
    return answer(job)


@router.get("", response_model=Listing[JobRow])
@cached(ttl=300, live=True)
async def list_jobs(
    unit: Reading,
    paging: Paging,
    status: Annotated[list[JobStatus] | None, Query(max_length=5, description="Any of these")] = None,
    kind: Annotated[Text | None, Query(max_length=40, description="What they do, e.g. `export`")] = None,
    mine: Annotated[bool, Query(description="Only those that the caller has begun")] = False,
) -> Any:
    """Which jobs there are and how far they are, newest first."""
    wanted = JobFilter(tuple(status or ()), kind, unit.actor.id if mine else None)
    return listing(await service.list_jobs(unit, paging, wanted))


@router.get("/{job_id}", response_model=Answer[JobView])
@cached(ttl=300, live=True)
async def get_job(unit: Reading, job_id: RecordId) -> Any:
    """How far a job is; `parameters` and `error` only for its owner, managers and auditors."""
    return answer(await service.job_view(unit, job_id))


@router.get("/{job_id}/items", response_model=Listing[ItemView])
@cached(ttl=300, live=True)
async def list_items(
    unit: Reading,
    job_id: RecordId,
    paging: Paging,
    status: Annotated[JobStatus | None, Query(description="Only items in this state")] = None,
) -> Any:
    """What became of each item, and why it failed. For its owner, managers and auditors."""
    return listing(await service.list_items(unit, job_id, paging, status))


@router.post("/{job_id}/cancel", response_model=Answer[JobView])
async def cancel_job(request: Request, unit: Writing, job_id: RecordId) -> Any:
    """Stop a job: items in work come to their end, the rest is cancelled. For its owner and managers."""
    job, ended = await service.cancel_job(unit, job_id)
    batch = state_of(request).batch
    unit.afterwards(lambda: batch.told(job.id, job.owner_id, ended))
    unit.afterwards(batch.queued)
    return answer(job)


@router.post("/{job_id}/retry", response_model=Answer[JobView], status_code=202)
async def retry_job(request: Request, unit: Writing, job_id: RecordId) -> Any:
    """Do what failed or was cancelled once more; what is done stays done. For its owner and managers."""
    job = await service.retry_job(unit, job_id)
    unit.afterwards(state_of(request).batch.queued)
    return answer(job)


@router.delete("/{job_id}", status_code=204)
async def delete_job(request: Request, unit: Writing, job_id: RecordId) -> None:
    """Forget a job that is over, with its items and its file. For its owner and managers."""
    await service.delete_job(unit, job_id)
    batch = state_of(request).batch
    unit.afterwards(lambda: batch.deleted(job_id))


@router.get("/{job_id}/download", response_class=StreamingResponse)
@refuses(409)
async def download(request: Request, unit: Reading, job_id: RecordId) -> Response:
    """The file that came of a job. For its owner, managers and auditors; 409 while there is none."""
    document = await service.document(unit, job_id)
    headers = {
        "Content-Disposition": f'attachment; filename="{document.name}"',
        "Cache-Control": "no-store",
    }
    body = _body(state_of(request).database, job_id, document)
    return StreamingResponse(body, media_type=document.media_type, headers=headers)


async def _body(database: Database, job_id: int, document: Document) -> AsyncIterator[str]:
    """Some pieces at a time, each time in a unit of its own: a slow reader holds no transaction open."""
    yield document.head
    after: int | None = 0
    while after is not None:
        pieces = await _pieces(database, job_id, after)
        for _, text in pieces:
            yield text
        after = pieces[-1][0] if pieces else None
    yield document.tail


async def _pieces(database: Database, job_id: int, after: int) -> list[tuple[int, str]]:
    with open_scope(ScopeKind.REQUEST, "batch download"):
        async with database.unit(writes=False) as unit:
            return await service.pieces(unit, job_id, after, PIECES_AT_ONCE)
