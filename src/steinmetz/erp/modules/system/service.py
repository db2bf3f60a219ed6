"""The logs, maintenance, the chores' last runs, and what operators ask of the running process."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from steinmetz.cache.invalidation.cluster import Cluster
from steinmetz.erp import migrations
from steinmetz.erp.db import Database, Unit
from steinmetz.erp.errors import NotFound, Unprocessable
from steinmetz.erp.kit.announcements import announcement
from steinmetz.erp.kit.pagination import PageQuery, encode_cursor
from steinmetz.erp.kit.spreadsheet import csv_line
from steinmetz.erp.maintenance import SWITCH_ID, share_switch, take_switch
from steinmetz.erp.modules.system import repository
from steinmetz.erp.modules.system.models import AuditEntry, ChoreRun, Maintenance, RetentionTerm, SignInEntry
from steinmetz.erp.modules.system.repository import AuditFilter
from steinmetz.erp.modules.system.rules import Outcome, differences
from steinmetz.erp.modules.system.schemas import (
    MAINTENANCE,
    AuditView,
    MaintenanceNotice,
    MaintenanceView,
    SignInEntryView,
)

__all__ = [
    "AuditFilter",
    "ChoreRun",
    "MaintenanceView",
    "Outcome",
    "audit",
    "audit_entry",
    "chore_done",
    "chore_failed",
    "chore_runs",
    "claim_chore",
    "delete_audit_entries",
    "delete_sign_in_entries",
    "differences",
    "end_maintenance",
    "export",
    "faults",
    "latest",
    "maintenance",
    "missing_guards",
    "readiness",
    "record",
    "record_sign_in",
    "set_term",
    "sign_ins",
    "switch_maintenance",
]

SUMMARY_CHARS = 300
READY_WITHIN_S = 3
LOW_DISK_BYTES = 500_000_000
EXPORT_SLICE = 1_000
"""Rows of an export that one unit reads: a slow reader of the export holds no connection and no snapshot."""
LOGS = ("audit_entries", "sign_in_entries")
GUARDS = {"sqlite": ("no_update", "no_delete", "no_replace"), "postgresql": ("append_only", "no_truncate")}
"""The triggers that let each of the logs only grow, behind its name."""


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


async def audit_entry(unit: Unit, entry_id: int) -> AuditView:
    """Raises `NotFound`."""
    found = await repository.audit_entry(unit.session, entry_id)
    if found is None:
        raise NotFound("audit entry", entry_id)
    return AuditView.model_validate(found)


async def latest(unit: Unit, limit: int, *, entities: Collection[str] | None = None) -> Sequence[AuditEntry]:
    """The newest ``limit`` entries of the log, only those on ``entities`` if given."""
    return await repository.latest(unit.session, limit, entities)


# The log of sign-ins


def record_sign_in(
    unit: Unit, outcome: Outcome, user_id: int | None, user_name: str, detail: str, address: str, user_agent: str
) -> None:
    """Write into the log of sign-ins. Never what was typed: people type passwords into the field above it."""
    unit.session.add(
        SignInEntry(
            at=unit.now,
            user_id=user_id,
            user_name=user_name,
            outcome=outcome,
            detail=detail[:200],
            address=address[:64],
            user_agent=user_agent[:200].replace("\x00", ""),
            request_id=unit.request_id,
        )
    )


async def sign_ins(
    unit: Unit,
    page: PageQuery,
    *,
    user_id: int | None,
    outcome: Outcome | None,
    since: datetime | None,
    until: datetime | None,
) -> tuple[list[SignInEntryView], str | None, int]:
    """One page of the log of sign-ins, newest first; the cursor of the next; how many entries there are."""
    after = page.after(int)
    entries, total = await repository.sign_ins(
        unit.session,
        user_id=user_id,
        outcome=outcome,
        since=since,
        until=until,
        before_id=after[0] if after else None,
        limit=page.limit + 1,
    )
    shown = [SignInEntryView.model_validate(entry) for entry in entries[: page.limit]]
    return shown, encode_cursor(shown[-1].id) if len(entries) > page.limit else None, total


# Export

COLUMNS = tuple(field.alias or name for name, field in AuditView.model_fields.items())
BYTE_ORDER_MARK = "\ufeff"
"""Without it a spreadsheet takes UTF-8 for something else, and every umlaut with it."""


async def export(database: Database, wanted: AuditFilter) -> AsyncIterator[bytes]:
    """The log as CSV (RFC 4180), oldest first, up to the entry that is the newest now.

    Slices are read in units of their own: entries never change, so together they are one state.
    """
    async with database.unit(writes=False) as unit:
        last_id = await repository.last_audit_id(unit.session)
    yield (BYTE_ORDER_MARK + csv_line(COLUMNS)).encode()
    after_id = 0
    while after_id < last_id:
        async with database.unit(writes=False) as unit:
            entries = await repository.audit_after(
                unit.session, wanted, after_id=after_id, last_id=last_id, limit=EXPORT_SLICE
            )
        if not entries:
            return
        yield "".join(csv_line(_cells(entry)) for entry in entries).encode()
        after_id = entries[-1].id


def _cells(entry: AuditEntry) -> list[str]:
    told = AuditView.model_validate(entry).model_dump(mode="json", by_alias=True)
    return [_cell(told[name]) for name in COLUMNS]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict) else str(value)


# Retention of the logs


async def set_term(unit: Unit, name: str, days: int) -> None:
    """Let the triggers of a log keep its entries for ``days``; 0 for ever. A change of the term is audited."""
    term = await repository.retention_term(unit.session, name)
    before = term.days if term is not None else 0
    if term is None:
        unit.session.add(RetentionTerm(name=name, days=days))
    elif before == days:
        return
    else:
        term.days = days
    await unit.session.flush()
    record(unit, "retention.change", "retention", name, before={"days": before}, after={"days": days})


async def delete_audit_entries(unit: Unit, before: datetime, limit: int) -> int:
    """At most ``limit`` of those from before that instant, as far as their term allows."""
    return await repository.delete_log_entries(unit.session, AuditEntry, before, limit)


async def delete_sign_in_entries(unit: Unit, before: datetime, limit: int) -> int:
    """At most ``limit`` of those from before that instant, as far as their term allows."""
    return await repository.delete_log_entries(unit.session, SignInEntry, before, limit)


async def missing_guards(unit: Unit) -> list[str]:
    """Triggers that should keep the logs from being changed, and are not there or not in force."""
    found = await repository.guards(unit.session)
    kinds = GUARDS[unit.session.get_bind().dialect.name]
    return [f"{log}_{kind}" for log in LOGS for kind in kinds if f"{log}_{kind}" not in found]


# Maintenance


async def maintenance(unit: Unit) -> MaintenanceView:
    """Whether writing is switched off, and until when.

    In a unit that writes, an answer of "off" stands until the unit ends: for workers of the system, whom the
    database itself does not refuse. They ask at the start of each item's unit, and pause while it is on.
    """
    if unit.writes:
        await share_switch(unit.session)
    return _switch_view(await repository.maintenance(unit.session))


def _switch_view(switch: Maintenance | None) -> MaintenanceView:
    if switch is None:
        return MaintenanceView(enabled=False, message="", until=None, since=None, by=None)
    return MaintenanceView(
        enabled=switch.is_enabled, message=switch.message, until=switch.until, since=switch.since, by=switch.by
    )


async def switch_maintenance(
    unit: Unit, *, enabled: bool, message: str = "", until: datetime | None = None
) -> MaintenanceView:
    """Switch writing off or on again; the unit must be one that goes on despite maintenance.

    Waits for all writers under way, and once the unit has committed nobody but the system writes any more.
    What stands already is not switched again. Raises `Unprocessable`.
    """
    if not enabled and (message or until is not None):
        field = "until" if until is not None else "message"
        raise Unprocessable("Message and end are those of a maintenance that is on.", field)
    if until is not None and until <= unit.now:
        raise Unprocessable("The announced end lies in the past.", "until")
    await take_switch(unit.session)
    switch = await repository.maintenance(unit.session)
    before = _switch_view(switch)
    if (before.enabled, before.message, before.until) == (enabled, message, until):
        return before
    if switch is None:
        switch = Maintenance(id=SWITCH_ID, is_enabled=False, message="", since=unit.now, by="")
        unit.session.add(switch)
    if switch.is_enabled != enabled:
        switch.since = unit.now
    switch.is_enabled, switch.message, switch.until, switch.by = enabled, message, until, unit.actor.name
    await unit.session.flush()
    after = _switch_view(switch)
    told, was = (view.model_dump(mode="json", by_alias=True) for view in (after, before))
    record(
        unit,
        f"maintenance.{'on' if enabled else 'off'}",
        "maintenance",
        SWITCH_ID,
        message,
        *differences(was, told),
    )
    notice = MaintenanceNotice(enabled=after.enabled, message=after.message, until=after.until)
    unit.publish(announcement(MAINTENANCE, notice))
    return after


async def end_maintenance(unit: Unit, now: datetime) -> int:
    """Switch off a maintenance whose announced end has come; how many there were: 0 or 1."""
    state = _switch_view(await repository.maintenance(unit.session))
    if not state.enabled or state.until is None or state.until > now:
        return 0
    await take_switch(unit.session)  # nobody is held back by those who only look
    state = _switch_view(await repository.maintenance(unit.session))
    if not state.enabled or state.until is None or state.until > now:
        return 0
    await switch_maintenance(unit, enabled=False)
    return 1


# Chores


async def chore_runs(unit: Unit) -> dict[str, ChoreRun]:
    """The last run of every chore that has ever run, by name."""
    return {run.name: run for run in await repository.chore_runs(unit.session)}


async def claim_chore(unit: Unit, name: str) -> tuple[bool, ChoreRun | None]:
    """Whether this unit may run the chore now, which no other process does meanwhile; and its last run."""
    if not await repository.claim_chore(unit.session, name):
        return False, None
    return True, await repository.chore_run(unit.session, name)


def chore_done(unit: Unit, run: ChoreRun | None, name: str, now: datetime, duration_ms: int, changed: int) -> None:
    """Note a success, in the unit that did the work: both stand, or neither."""
    run = run or _first_run(unit, name, now)
    run.tried_at = run.done_at = now
    run.duration_ms, run.changed, run.failures, run.error = duration_ms, changed, 0, ""


async def chore_failed(unit: Unit, name: str, now: datetime, duration_ms: int, error: str) -> None:
    """Note a failure, after the unit that should have done the work was rolled back."""
    run = await repository.chore_run(unit.session, name) or _first_run(unit, name, now)
    run.tried_at, run.duration_ms, run.error = now, duration_ms, error[:300]
    run.failures = (run.failures or 0) + 1


def _first_run(unit: Unit, name: str, now: datetime) -> ChoreRun:
    run = ChoreRun(name=name, tried_at=now)
    unit.session.add(run)
    return run


# Health


async def readiness(
    database: Database, data_dir: Path, probes: Mapping[str, Callable[[], str]], cluster: Cluster | None
) -> dict[str, str]:
    """What the process needs and how it stands, each ``ok`` or what is to be said of it; see `faults`.

    ``probes`` are the process's own workers: each says ``ok`` or what is wrong with it, without waiting.
    """
    checks = await _database_checks(database)
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            checks["disk"] = await asyncio.to_thread(_disk, data_dir)
    except TimeoutError:
        checks["disk"] = f"warning: no answer within {READY_WITHIN_S} s"
    checks.update({name: probe() for name, probe in probes.items()})
    if cluster is None:
        checks["redis"] = "not used"
    elif cluster.state()["reachable"]:
        checks["redis"] = "ok"
    else:
        checks["redis"] = "warning: does not answer; cached answers are by-passed"
    return checks


def faults(checks: Mapping[str, str], probes: Collection[str]) -> list[str]:
    """The checks without which the process cannot work, and that have failed; a warning is no failure."""
    needed = ("database", "migrations", *probes)
    return [
        f"{name}: {checks[name]}"
        for name in needed
        if checks[name] != "ok" and not checks[name].startswith("warning")
    ]


def _disk(folder: Path) -> str:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return f"warning: {error.strerror or 'cannot be asked'}"
    return "ok" if free >= LOW_DISK_BYTES else f"warning: only {free // 1_000_000} MB are free"


async def _database_checks(database: Database) -> dict[str, str]:
    unknown = {"migrations": "unknown", "maintenance": "unknown"}
    try:
        # Reading only: on SQLite a probe must not queue for the pen with those who write.
        async with asyncio.timeout(READY_WITHIN_S), database.unit(writes=False) as unit:
            connection = await unit.session.connection()
            await repository.ask(connection)
            revision = await repository.revision(connection)
            if revision != migrations.head():
                wanted = f"at {revision or 'nothing'}, needs {migrations.head()}: run `steinmetz migrate`"
                return {"database": "ok", "migrations": wanted, "maintenance": "unknown"}
            state = await maintenance(unit)
    except TimeoutError:
        return {"database": f"no answer within {READY_WITHIN_S} s", **unknown}
    except Exception as error:  # whatever the driver raises, the database is not ready
        return {"database": f"not reachable ({type(error).__name__})", **unknown}
    return {"database": "ok", "migrations": "ok", "maintenance": _maintenance_told(state)}


def _maintenance_told(state: MaintenanceView) -> str:
    if not state.enabled:
        return "off"
    return f"on until {state.until:%Y-%m-%dT%H:%M:%SZ}" if state.until is not None else "on"
