"""How long the logs are kept, and the triggers that let them only grow until then."""

from __future__ import annotations

from datetime import datetime

from steinmetz.erp.db import Unit
from steinmetz.erp.modules.system import repository
from steinmetz.erp.modules.system.models import AuditEntry, RetentionTerm, SignInEntry
from steinmetz.erp.modules.system.service import audit

LOGS = ("audit_entries", "sign_in_entries")

GUARDS = {"sqlite": ("no_update", "no_delete", "no_replace"), "postgresql": ("append_only", "no_truncate")}
"""The triggers that let each of the logs only grow, behind its name."""


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
    audit.record(unit, "retention.change", "retention", name, before={"days": before}, after={"days": days})


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
