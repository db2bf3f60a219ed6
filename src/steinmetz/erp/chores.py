"""All that happens because time passes: one line each. Modules offer, this file lists."""

from __future__ import annotations

from datetime import datetime

from steinmetz.erp.db import Unit
from steinmetz.erp.kit.chores import Daily, Every
from steinmetz.erp.kit.days import company_date
from steinmetz.erp.modules.auth import service as auth
from steinmetz.erp.modules.batch import service as batch
from steinmetz.erp.modules.finance import service as finance
from steinmetz.erp.modules.system import service as system
from steinmetz.erp.retention import Retention, chore_of
from steinmetz.erp.scheduler import Chore
from steinmetz.erp.settings import Settings

RETENTIONS = (
    Retention("sign-ins that have ended", "retention_sessions_days", auth.delete_ended_sign_ins),
    Retention("revocations", "retention_sessions_days", auth.delete_revocations),
    Retention("finished batch jobs", "retention_batch_days", batch.delete_finished),
    Retention("sign-in entries", "retention_sign_ins_days", system.delete_sign_in_entries, term="sign-ins"),
    Retention("audit entries", "retention_audit_days", system.delete_audit_entries, term="audit"),
)


async def _mark_overdue(unit: Unit, now: datetime) -> int:
    return await finance.mark_overdue(unit, company_date(now))


async def _end_maintenance(unit: Unit, now: datetime) -> int:
    return await system.end_maintenance(unit, now)


def chores(settings: Settings) -> tuple[Chore, ...]:
    """The chores of the application, in the order in which they run when several are due."""
    return (
        Chore("end of maintenance", Every(minutes=1), _end_maintenance),
        Chore("overdue invoices", Daily(), _mark_overdue),
        *(chore_of(retention, settings) for retention in RETENTIONS),
    )
