"""The switch that lets nobody but the system write."""

from __future__ import annotations

from datetime import datetime

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Unprocessable
from steinmetz.erp.kit.announcements import announcement
from steinmetz.erp.maintenance import SWITCH_ID, share_switch, take_switch
from steinmetz.erp.modules.system import repository
from steinmetz.erp.modules.system.models import Maintenance
from steinmetz.erp.modules.system.schemas import MAINTENANCE, MaintenanceNotice, MaintenanceView
from steinmetz.erp.modules.system.service import audit

__all__ = [
    "MaintenanceView",
    "end_maintenance",
    "maintenance",
    "switch_maintenance",
]


async def maintenance(unit: Unit) -> MaintenanceView:
    """Whether writing is switched off, and until when.

    In a unit that writes, an answer of "off" stands until the unit ends: for workers of the system, whom the
    database itself does not refuse. They ask at the start of each item's unit, and pause while it is on.
    """
    if unit.writes:
        await share_switch(unit.session)
    return _view(await repository.maintenance(unit.session))


def _view(switch: Maintenance | None) -> MaintenanceView:
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
    before = _view(switch)
    if (before.enabled, before.message, before.until) == (enabled, message, until):
        return before
    if switch is None:
        switch = Maintenance(id=SWITCH_ID, is_enabled=False, message="", since=unit.now, by="")
        unit.session.add(switch)
    if switch.is_enabled != enabled:
        switch.since = unit.now
    switch.is_enabled, switch.message, switch.until, switch.by = enabled, message, until, unit.actor.name
    await unit.session.flush()
    after = _view(switch)
    told, was = (view.model_dump(mode="json", by_alias=True) for view in (after, before))
    audit.record(
        unit,
        f"maintenance.{'on' if enabled else 'off'}",
        "maintenance",
        SWITCH_ID,
        message,
        *audit.differences(was, told),
    )
    notice = MaintenanceNotice(enabled=after.enabled, message=after.message, until=after.until)
    unit.publish(announcement(MAINTENANCE, notice))
    return after


async def end_maintenance(unit: Unit, now: datetime) -> int:
    """Switch off a maintenance whose announced end has come; how many there were: 0 or 1."""
    state = _view(await repository.maintenance(unit.session))
    if not state.enabled or state.until is None or state.until > now:
        return 0
    await take_switch(unit.session)  # nobody is held back by those who only look
    state = _view(await repository.maintenance(unit.session))
    if not state.enabled or state.until is None or state.until > now:
        return 0
    await switch_maintenance(unit, enabled=False)
    return 1
