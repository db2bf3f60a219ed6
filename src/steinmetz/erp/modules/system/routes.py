"""Health, version, statistics, metrics, the logs, maintenance and chores."""

from __future__ import annotations

import platform
import secrets
from collections.abc import AsyncIterator
from ipaddress import ip_address
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

import steinmetz
from steinmetz.cache import cached
from steinmetz.erp import migrations
from steinmetz.erp.db import Unit
from steinmetz.erp.dependencies import Reading, SignedIn, reads_as, request_id_of, writes_as
from steinmetz.erp.errors import Forbidden, Problem, Unauthenticated, Unavailable
from steinmetz.erp.kit.answers import Answer, Listing
from steinmetz.erp.kit.chores import next_due
from steinmetz.erp.kit.fields import MAX_RECORD_ID, Moment, RecordId, Text
from steinmetz.erp.kit.pagination import Paging
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.system import service
from steinmetz.erp.modules.system.build import commit
from steinmetz.erp.modules.system.documents import ReadyDocument, SlowQueriesDocument, VersionDocument, told
from steinmetz.erp.modules.system.metrics import ProcessFigures, exposition
from steinmetz.erp.modules.system.rules import Outcome
from steinmetz.erp.modules.system.schemas import (
    AuditView,
    ChoreView,
    MaintenanceInput,
    MaintenanceView,
    SignInEntryView,
)
from steinmetz.erp.modules.system.service.audit import AuditFilter
from steinmetz.erp.modules.system.socket_metrics import socket_families
from steinmetz.erp.openapi import refuses
from steinmetz.erp.state import state_of
from steinmetz.monitor.exports.prometheus import families

router = APIRouter()

OPERATORS = [reads_as(Role.AUDITOR)]
"""Administrators and auditors."""


Limit = Annotated[int, Query(ge=1, le=500, description="How many at most")]


def off(part: str, variable: str) -> Problem:
    return Unavailable(60, f"The {part} is switched off (STEINMETZ_{variable}=off).")


@router.get("/healthz", tags=["operations"])
async def health() -> dict[str, Any]:
    """Whether the process lives."""
    return {"success": True, "status": "ok"}


@router.get("/readyz", tags=["operations"], response_model=None, responses=told(ReadyDocument))
async def ready(request: Request) -> dict[str, Any]:
    """Whether the process can work: the database answers, its schema is this release's, and its workers live.

    A full disk and maintenance are shown, and refuse nothing: reading goes on.
    """
    state = state_of(request)
    cluster = None if state.cache is None else state.cache.cluster
    checks = await service.health.readiness(state.database, state.settings.data_dir, state.probes, cluster)
    if wrong := service.health.faults(checks, state.probes):
        raise Problem(503, "Not ready", "; ".join(wrong), headers={"Retry-After": "5"}, checks=checks)
    return {"success": True, "status": "ready", "checks": checks}


@router.get("/version", tags=["operations"], response_model=VersionDocument)
async def version(request: Request) -> dict[str, Any]:
    """Release, schema revision and interpreter; the commit that it was built from, if that is known."""
    return {
        "success": True,
        "version": steinmetz.__version__,
        "schema": migrations.head(),
        "python": platform.python_version(),
        "startedAt": state_of(request).started_at,
        "commit": commit(state_of(request).settings.commit),
    }


@router.get("/api/ws/stats", tags=["operations"])
async def socket_stats(request: Request, actor: SignedIn) -> dict[str, Any]:
    """What the sockets of this process do; under `cluster` those of all servers together, and of each."""
    io = state_of(request).io
    if io is None:
        raise off("live part", "LIVE")
    return {"success": True, "stats": io.stats(), "cluster": await io.cluster_stats()}


@router.get(
    "/api/diagnostics/slow-queries",
    tags=["diagnostics"],
    dependencies=OPERATORS,
    response_model=None,
    responses=told(SlowQueriesDocument),
)
async def slow_queries(request: Request, limit: Limit = 50) -> dict[str, Any]:
    """The newest queries that took longer than the threshold."""
    monitor = state_of(request).monitor
    if monitor is None:
        raise off("query monitor", "MONITOR")
    return {"success": True, "slowQueries": monitor.slow_queries(limit)}


def require_operator(request: Request) -> None:
    """A token if one is configured, otherwise the same machine.

    Raises `Unauthenticated` or `Forbidden`.
    """
    token = state_of(request).settings.metrics_token
    if token is not None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        expected = token.get_secret_value().encode()
        if scheme.lower() != "bearer" or not secrets.compare_digest(given.encode(), expected):
            raise Unauthenticated(how="Send STEINMETZ_METRICS_TOKEN as 'Authorization: Bearer <token>'.")
        return
    # A proxy on this machine makes everybody look local; its headers give it away.
    is_forwarded = any(name in request.headers for name in ("x-forwarded-for", "forwarded", "x-real-ip"))
    if is_forwarded or request.client is None or not _is_loopback(request.client.host):
        raise Forbidden(
            Role.ADMIN, "Only for the same machine; set STEINMETZ_METRICS_TOKEN to ask from elsewhere."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@router.get("/metrics", tags=["operations"], response_class=PlainTextResponse)
@refuses(401, 403)
async def metrics(request: Request) -> Response:
    """Prometheus' text format; for the same machine, or with the metrics token."""
    require_operator(request)
    state = state_of(request)
    figures = ProcessFigures(
        requests=dict(state.traffic.requests),
        request_seconds=state.traffic.seconds,
        in_flight=state.traffic.in_flight,
        rate_limited=dict(state.rates.refused),
        sockets=socket_families(state.io) if state.io is not None else (),
        queries=families(state.monitor) if state.monitor is not None else (),
        cache=state.cache.stats() if state.cache is not None else None,
        chores=dict(state.scheduler.outcomes) if state.scheduler is not None else {},
        live=state.live_stats(),
    )
    return Response(exposition(figures), media_type="text/plain; version=0.0.4; charset=utf-8")


# The logs


async def _audit_filter(
    entity: Annotated[Text | None, Query(max_length=40, description="Kind of record, e.g. `invoice`")] = None,
    entity_id: Annotated[Text | None, Query(alias="entityId", max_length=255)] = None,
    actor_id: Annotated[int | None, Query(alias="actorId", ge=1, le=MAX_RECORD_ID)] = None,
    action: Annotated[Text | None, Query(max_length=40, description="E.g. `invoice.pay`")] = None,
    since: Annotated[Moment | None, Query(alias="from")] = None,
    until: Annotated[Moment | None, Query(alias="to")] = None,
    request_id: Annotated[Text | None, Query(alias="requestId", max_length=40)] = None,
    search: Annotated[
        Text | None,
        Query(alias="q", max_length=100, description="In summary, action, actor or record's id"),
    ] = None,
) -> AuditFilter:
    return AuditFilter(entity, entity_id, actor_id, action, since, until, request_id, search)


Wanted = Annotated[AuditFilter, Depends(_audit_filter)]


@router.get("/api/audit", response_model=Listing[AuditView], tags=["audit"], dependencies=OPERATORS)
@cached(ttl=60, vary_on="role", live=True)
async def audit(unit: Reading, page: Paging, wanted: Wanted) -> Any:
    """Who changed what, newest first."""
    shown, next_cursor, total = await service.audit.audit_entries(unit, page, wanted)
    return {"success": True, "data": shown, "page": {"next": next_cursor, "total": total}}


@router.get(
    "/api/audit/export",
    tags=["audit"],
    dependencies=OPERATORS,
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "RFC 4180, UTF-8"}},
)
async def export_audit(request: Request, wanted: Wanted) -> Any:
    """Who changed what, oldest first, as CSV for a spreadsheet; no cell is taken for a formula."""
    return StreamingResponse(
        service.audit.export(state_of(request).database, wanted),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="audit.csv"', "Cache-Control": "no-store"},
    )


@router.get("/api/audit/sign-ins", response_model=Listing[SignInEntryView], tags=["audit"], dependencies=OPERATORS)
async def sign_ins(
    unit: Reading,
    page: Paging,
    user_id: Annotated[int | None, Query(alias="userId", ge=1, le=MAX_RECORD_ID)] = None,
    outcome: Annotated[Outcome | None, Query(description="Only those that ended so")] = None,
    since: Annotated[Moment | None, Query(alias="from")] = None,
    until: Annotated[Moment | None, Query(alias="to")] = None,
) -> Any:
    """Who signed in or out, was refused, or used a refresh token twice; newest first."""
    shown, next_cursor, total = await service.sign_ins.sign_ins(
        unit, page, user_id=user_id, outcome=outcome, since=since, until=until
    )
    return {"success": True, "data": shown, "page": {"next": next_cursor, "total": total}}


@router.get("/api/audit/{entry_id}", response_model=Answer[AuditView], tags=["audit"], dependencies=OPERATORS)
async def audit_entry(unit: Reading, entry_id: RecordId) -> Any:
    """One entry, with what stood before and after."""
    return {"success": True, "data": await service.audit.audit_entry(unit, entry_id)}


# Maintenance and chores


@router.get("/api/system/maintenance", response_model=Answer[MaintenanceView], tags=["operations"])
@cached(ttl=300, shared=True, live=True)
async def get_maintenance(unit: Reading) -> Any:
    """Whether changes are refused at the moment, why, and until when."""
    return {"success": True, "data": await service.maintenance.maintenance(unit)}


async def _switching(request: Request, actor: SignedIn) -> AsyncIterator[Unit]:
    async with state_of(request).database.unit(
        actor=actor, request_id=request_id_of(request), despite_maintenance=True
    ) as unit:
        yield unit


@router.put(
    "/api/system/maintenance",
    response_model=Answer[MaintenanceView],
    tags=["operations"],
    dependencies=[writes_as(Role.ADMIN)],
)
async def put_maintenance(
    unit: Annotated[Unit, Depends(_switching, scope="function")], wanted: MaintenanceInput
) -> Any:
    """Refuse all changes from now on, or allow them again.

    The answer comes when the last change under way has ended. Signing in and reading go on.
    """
    state = await service.maintenance.switch_maintenance(
        unit, enabled=wanted.enabled, message=wanted.message, until=wanted.until
    )
    return {"success": True, "data": state}


@router.get(
    "/api/system/chores", response_model=Answer[list[ChoreView]], tags=["operations"], dependencies=OPERATORS
)
async def get_chores(request: Request, unit: Reading) -> Any:
    """What happens because time passes: when each chore was done, how it ended, and when it is due again."""
    scheduler = state_of(request).scheduler
    runs = await service.chores.chore_runs(unit)
    shown = []
    for chore in scheduler.chores if scheduler is not None else ():
        run = runs.get(chore.name)
        shown.append(
            ChoreView(
                name=chore.name,
                when=str(chore.when),
                due_at=next_due(chore.when, run.done_at if run else None, unit.now),
                tried_at=run.tried_at if run else None,
                done_at=run.done_at if run else None,
                duration_ms=run.duration_ms if run else 0,
                changed=run.changed if run else 0,
                failures=run.failures if run else 0,
                error=run.error if run else "",
            )
        )
    return {"success": True, "data": shown}
