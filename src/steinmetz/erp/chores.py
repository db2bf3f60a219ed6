"""All that happens because time passes: one line each. Modules offer, this file lists."""

from __future__ import annotations

from datetime import date, datetime

from steinmetz.erp import texts
from steinmetz.erp.db import Unit
from steinmetz.erp.kit.chores import Daily, Every
from steinmetz.erp.kit.days import company_date
from steinmetz.erp.kit.language import day
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.auth import service as auth
from steinmetz.erp.modules.batch import service as batch
from steinmetz.erp.modules.finance import service as finance
from steinmetz.erp.modules.notifications import service as notifications
from steinmetz.erp.modules.system import service as system
from steinmetz.erp.retention import Retention, chore_of
from steinmetz.erp.scheduler import Chore
from steinmetz.erp.settings import Settings

RETENTIONS = (
    Retention("sign-ins that have ended", "retention_sessions_days", auth.delete_ended_sign_ins),
    Retention("revocations", "retention_sessions_days", auth.delete_revocations),
    Retention("finished batch jobs", "retention_batch_days", batch.delete_finished),
    Retention("notifications", "retention_notices_days", notifications.delete_old),
    Retention(
        "sign-in entries", "retention_sign_ins_days", system.retention.delete_sign_in_entries, term="sign-ins"
    ),
    Retention("audit entries", "retention_audit_days", system.retention.delete_audit_entries, term="audit"),
)


async def _mark_overdue(unit: Unit, now: datetime) -> int:
    today = company_date(now)
    fallen = await finance.invoices.mark_overdue(unit, today)
    if fallen:
        await _tell_of_overdue(unit, fallen, today)
    return fallen


async def _tell_of_overdue(unit: Unit, count: int, today: date) -> None:
    """One notice a day, however many invoices and however often the chore is done."""
    await notifications.notify(
        unit,
        notifications.ToRole(Role.MANAGER),
        notifications.Level.WARNING,
        texts.OVERDUE_TITLE,
        texts.ONE_OVERDUE if count == 1 else texts.SOME_OVERDUE,
        values={"count": count, "day": lambda language: day(today, language)},
        once=f"overdue:{today.isoformat()}",
    )


async def _end_maintenance(unit: Unit, now: datetime) -> int:
    return await system.maintenance.end_maintenance(unit, now)


def chores(settings: Settings) -> tuple[Chore, ...]:
    """The chores of the application, in the order in which they run when several are due."""
    return (
        Chore("end of maintenance", Every(minutes=1), _end_maintenance),
        Chore("overdue invoices", Daily(), _mark_overdue),
        *(chore_of(retention, settings) for retention in RETENTIONS),
    )
