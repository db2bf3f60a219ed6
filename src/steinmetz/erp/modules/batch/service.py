"""Jobs that run for longer than a request: begun, looked at, cancelled, tried again, taken away as a file.

Every decision about a job is made under the lock of its progress row, so it is made once. The worker
(`tasks.Worker`) does the items; what an item does is in `kinds`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import (
    Conflict,
    Forbidden,
    NotFound,
    Problem,
    Unprocessable,
    invalid_input,
    log_unexpected,
    problem_of,
)
from steinmetz.erp.kit.pagination import Page, PageQuery, encode_cursor
from steinmetz.erp.kit.roles import Role, may_write
from steinmetz.erp.modules.batch import repository, rules
from steinmetz.erp.modules.batch.kinds import KINDS
from steinmetz.erp.modules.batch.kinds.port import Document, Kind
from steinmetz.erp.modules.batch.models import BatchItem, BatchJob, BatchProgress
from steinmetz.erp.modules.batch.repository.jobs import JobFilter, OpenJob
from steinmetz.erp.modules.batch.rules import Figures, JobStatus
from steinmetz.erp.modules.batch.schemas import ItemView, JobInput, JobRow, JobView
from steinmetz.erp.modules.system.service import audit

Kinds = Mapping[str, Kind[Any]]

UNFINISHED = "The job is not over yet."


@dataclass(frozen=True, slots=True)
class Ended:
    """What a commit has changed about a job, for its listeners."""

    figures: Figures
    status: JobStatus


async def count_by_status(unit: Unit) -> dict[JobStatus, int]:
    """How many jobs there are in every status."""
    counted = await repository.jobs.count_by_status(unit.session)
    return {status: counted.get(status, 0) for status in JobStatus}


# For people


async def create_job(unit: Unit, data: JobInput, kinds: Kinds = KINDS) -> JobView:
    """Queue a job. Raises `Unprocessable`, `Forbidden`, `Conflict` when the caller has too many open ones."""
    kind = kinds.get(data.kind)
    if kind is None:
        raise Unprocessable(f"There is no kind {data.kind}. Known: {', '.join(sorted(kinds))}.", "kind")
    try:
        wanted = kind.parameters.model_validate(data.parameters)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        raise invalid_input([{**each, "loc": ("body", "parameters", *each["loc"])} for each in found]) from None
    _refuse_who_lacks(unit, kind.needed(wanted))
    if await repository.jobs.open_jobs_of(unit.session, unit.actor.id) >= rules.MAX_OPEN_JOBS:
        raise Conflict(f"You have {rules.MAX_OPEN_JOBS} jobs under way: wait for one to end, or cancel one.")
    job = BatchJob(
        kind=kind.name,
        status=JobStatus.QUEUED,
        owner_id=unit.actor.id,
        owner_name=unit.actor.name,
        parameters=wanted.model_dump(mode="json", by_alias=True, exclude_none=True),
        created_at=unit.now,
    )
    unit.session.add(job)
    await unit.session.flush()
    unit.session.add(BatchProgress(job_id=job.id))
    await unit.session.flush()
    audit.record(unit, "batch_job.create", "batch_job", job.id, kind.name, after={"kind": kind.name})
    return await job_view(unit, job.id, kinds)


def _refuse_who_lacks(unit: Unit, needed: Role) -> None:
    if not may_write(unit.actor.role, needed):
        raise Forbidden(needed)


async def list_jobs(unit: Unit, paging: PageQuery, wanted: JobFilter) -> Page:
    """Newest first; what everybody may know of them."""
    after = paging.after(int)
    found, total = await repository.jobs.jobs(
        unit.session, wanted, before_id=after[0] if after else None, limit=paging.limit + 1
    )
    shown = [JobRow.model_validate(row) for row in found[: paging.limit]]
    return Page(shown, encode_cursor(shown[-1].id) if len(found) > paging.limit else None, total)


async def job_view(unit: Unit, job_id: int, kinds: Kinds = KINDS) -> JobView:
    """Raises `NotFound`."""
    found = await repository.jobs.job(unit.session, job_id)
    if found is None:
        raise NotFound("job", job_id)
    fields = dict(found._mapping)
    if not rules.may_see(unit.actor, found.owner_id):
        fields |= {"parameters": None, "error": None}
    return JobView.model_validate({**fields, "has_download": _why_no_file(fields, kinds) is None})


async def list_items(unit: Unit, job_id: int, paging: PageQuery, status: JobStatus | None) -> Page:
    """Items in their order, with the error of each. Raises `NotFound`, `Forbidden`."""
    await _to_see(unit, job_id)
    after = paging.after(int)
    found, total = await repository.items.items(
        unit.session, job_id, status, after=after[0] if after else 0, limit=paging.limit + 1
    )
    shown = [ItemView.model_validate(row) for row in found[: paging.limit]]
    return Page(shown, encode_cursor(shown[-1].position) if len(found) > paging.limit else None, total)


async def _to_see(unit: Unit, job_id: int) -> Mapping[str, Any]:
    found = await repository.jobs.job(unit.session, job_id)
    if found is None:
        raise NotFound("job", job_id)
    if not rules.may_see(unit.actor, found.owner_id):
        raise Forbidden(Role.MANAGER, "What a job did is for its owner, managers and auditors.")
    return dict(found._mapping)


async def to_watch(unit: Unit, job_id: int) -> tuple[int | None, bool] | None:
    """(owner, whether it is not over) of a job that the caller may hear of; None for any other."""
    found = await repository.jobs.owner_of(unit.session, job_id)
    if found is None or not rules.may_see(unit.actor, found[0]):
        return None
    return found[0], found[1] in rules.OPEN


async def document(unit: Unit, job_id: int, kinds: Kinds = KINDS) -> Document:
    """The head of the job's file. Raises `NotFound`, `Forbidden`, `Conflict` while there is no file."""
    found = await _to_see(unit, job_id)
    if (reason := _why_no_file(found, kinds)) is not None:
        view = await job_view(unit, job_id, kinds)
        raise Conflict(reason, view.model_dump(mode="json", by_alias=True))
    return kinds[found["kind"]].document(found["parameters"])


def _why_no_file(job: Mapping[str, Any], kinds: Kinds) -> str | None:
    kind = kinds.get(job["kind"])
    if kind is None:
        return "This release makes no file of jobs of this kind."
    if job["status"] in rules.OPEN:
        return f"{UNFINISHED} Come back when it is."
    if job["started_at"] is None or (not job["total"] and job["status"] is not JobStatus.DONE):
        return "The job was never begun, so there is no file."
    if kind.is_whole and job["status"] is not JobStatus.DONE:
        return "A part of the file is missing: try the job again."
    return None


async def pieces(unit: Unit, job_id: int, after: int, limit: int) -> list[tuple[int, str]]:
    """(position, text) of the pieces of the job's file behind position ``after``."""
    return await repository.items.results(unit.session, job_id, after, limit)


async def cancel_job(unit: Unit, job_id: int) -> tuple[JobView, Ended]:
    """What is being worked on comes to its end, the rest is cancelled.

    Raises `NotFound`, `Forbidden`, `Conflict`.
    """
    progress, job = await _to_change(unit, job_id)
    if job.status not in rules.OPEN:
        raise await _conflict(unit, job_id, f"The job is {job.status.value}: there is nothing left to cancel.")
    was_asked = job.is_cancelling
    job.is_cancelling = True
    await unit.session.flush()
    if not was_asked:
        audit.record(unit, "batch_job.cancel", "batch_job", job_id, job.kind, {"status": job.status})
    if job.status is JobStatus.QUEUED:
        job.status, job.finished_at = JobStatus.CANCELLED, unit.now
        await unit.session.flush()
        return await job_view(unit, job_id), Ended(_figures(progress), job.status)
    ended = await sweep(unit, job_id)
    return await job_view(unit, job_id), ended


async def retry_job(unit: Unit, job_id: int, kinds: Kinds = KINDS) -> JobView:
    """Failed and cancelled items are done anew; what is done stays done.

    Raises `NotFound`, `Forbidden`, `Conflict`.
    """
    progress, job = await _to_change(unit, job_id)
    kind = kinds.get(job.kind)
    if kind is None:
        raise await _conflict(unit, job_id, "This release runs no jobs of this kind.")
    if job.status not in rules.RETRIED:
        raise await _conflict(unit, job_id, f"The job is {job.status.value}: there is nothing to try again.")
    if not progress.total:
        _refuse_who_lacks(unit, kind.needed(kind.parameters.model_validate(job.parameters)))
    if await repository.jobs.open_jobs_of(unit.session, job.owner_id) >= rules.MAX_OPEN_JOBS:
        raise Conflict(f"The owner has {rules.MAX_OPEN_JOBS} jobs under way: wait for one to end.")
    before = {"status": job.status, "failed": progress.failed, "cancelled": progress.cancelled}
    await repository.items.requeue_items(unit.session, job_id)
    progress.attempt += 1
    progress.failed = progress.cancelled = 0
    job.status = JobStatus.RUNNING if progress.total else JobStatus.QUEUED
    job.is_cancelling, job.error, job.finished_at = False, "", None
    await unit.session.flush()
    audit.record(unit, "batch_job.retry", "batch_job", job_id, job.kind, before, {"attempt": progress.attempt})
    return await job_view(unit, job_id, kinds)


async def delete_job(unit: Unit, job_id: int) -> None:
    """A job that is over, with its items and its file. Raises `NotFound`, `Forbidden`, `Conflict`."""
    progress, job = await _to_change(unit, job_id)
    if job.status in rules.OPEN:
        raise await _conflict(unit, job_id, f"{UNFINISHED} Cancel it first.")
    before = {"kind": job.kind, "status": job.status, "total": progress.total, "done": progress.done}
    await repository.jobs.delete_job(unit.session, job_id)
    audit.record(unit, "batch_job.delete", "batch_job", job_id, job.kind, before)


async def _to_change(unit: Unit, job_id: int) -> tuple[BatchProgress, BatchJob]:
    found = await repository.jobs.job_to_change(unit.session, job_id)
    if found is None:
        raise NotFound("job", job_id)
    if not rules.may_change(unit.actor, found[1].owner_id):
        raise Forbidden(Role.MANAGER, "Only its owner and managers change a job.")
    return found


async def _conflict(unit: Unit, job_id: int, detail: str) -> Conflict:
    return Conflict(detail, (await job_view(unit, job_id)).model_dump(mode="json", by_alias=True))


# For the worker


async def plan_job(unit: Unit, job_id: int, kinds: Kinds = KINDS) -> Ended | None:
    """Make the items of a queued job, all of them in this commit; None if somebody else is at it."""
    found = await repository.jobs.job_to_plan(unit.session, job_id)
    if found is None:
        return None
    progress, job = found
    job.started_at = unit.now
    kind = kinds.get(job.kind)
    if kind is None:
        return await _fail(unit, progress, job, "This release runs no jobs of this kind.")
    parameters = dict(job.parameters)
    try:
        async with unit.savepoint():
            plan = await kind.plan(unit, kind.parameters.model_validate(parameters))
            if len(plan.items) > rules.MAX_ITEMS:
                raise Unprocessable(f"A job has at most {rules.MAX_ITEMS} items; this would be {len(plan.items)}.")
            await repository.items.add_items(unit.session, job_id, plan.items)
    except Exception as error:
        if problem_of(error).status == 503:
            raise
        if not is_foreseen(error):
            log_unexpected(error, f"job-{job_id}", "batch", f"{kind.name} plan")
        return await _fail(unit, progress, job, reason_of(error))
    job.parameters = plan.parameters
    progress.total = len(plan.items)
    job.status = JobStatus.RUNNING
    await unit.session.flush()
    return await _finish_if_over(unit, job_id, _figures(progress))


async def _fail(unit: Unit, progress: BatchProgress, job: BatchJob, error: str) -> Ended:
    job.status, job.error, job.finished_at = JobStatus.FAILED, error, unit.now
    await unit.session.flush()
    audit.record(unit, "batch_job.finish", "batch_job", job.id, job.kind, after={"status": job.status})
    return Ended(_figures(progress), job.status)


def _figures(progress: BatchProgress) -> Figures:
    return Figures(progress.attempt, progress.total, progress.done, progress.failed, progress.cancelled)


async def settle(unit: Unit, job: OpenJob, item: BatchItem, *, error: str = "", text: str = "") -> Ended:
    """Mark the item, which the unit holds, done or failed; the last one ends the job."""
    status = JobStatus.FAILED if error else JobStatus.DONE
    await repository.items.settle_item(unit.session, item.id, status, error[: rules.MAX_ERROR_CHARS])
    if text:
        await repository.items.add_result(unit.session, item.id, text)
    figures = await repository.jobs.count_up(unit.session, job.id, done=int(not error), failed=int(bool(error)))
    return await _finish_if_over(unit, job.id, figures)


async def sweep(unit: Unit, job_id: int) -> Ended:
    """Cancel the items of a cancelled job that nobody works on."""
    await repository.jobs.count_up(unit.session, job_id)
    cancelled = await repository.items.cancel_items(unit.session, job_id)
    figures = await repository.jobs.count_up(unit.session, job_id, cancelled=cancelled)
    return await _finish_if_over(unit, job_id, figures)


async def _finish_if_over(unit: Unit, job_id: int, figures: Figures) -> Ended:
    if not figures.is_over:
        return Ended(figures, JobStatus.RUNNING)
    found = await repository.jobs.job_to_change(unit.session, job_id)
    assert found is not None
    _, job = found
    job.status = rules.final_status(figures, is_cancelling=job.is_cancelling)
    job.finished_at = unit.now
    await unit.session.flush()
    after = {"status": job.status, "total": figures.total, "done": figures.done, "failed": figures.failed}
    audit.record(unit, "batch_job.finish", "batch_job", job_id, job.kind, after=after)
    return Ended(figures, job.status)


def reason_of(error: Exception) -> str:
    """Why an item has failed, as its owner may read it: no trace, no value of the database."""
    if isinstance(error, ValidationError):
        found = error.errors(include_input=False, include_url=False)[:5]
        reason = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found)
        return reason[: rules.MAX_ERROR_CHARS]
    problem = problem_of(error)
    reason = problem.title if problem.status == 500 else problem.detail
    return reason[: rules.MAX_ERROR_CHARS]


def is_foreseen(error: Exception) -> bool:
    """Whether the item is to blame, and not we."""
    return isinstance(error, ValidationError | Problem)


# -- retention


async def delete_finished(unit: Unit, before: datetime, limit: int) -> int:
    """Delete jobs that ended before that instant, with their items; at most ``limit`` of both together."""
    return await repository.jobs.delete_finished(unit.session, before, limit)
