"""Our own company, which stands on everything that is sent."""

from __future__ import annotations

from typing import Any

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Conflict
from steinmetz.erp.kit import patches
from steinmetz.erp.modules.finance import repository
from steinmetz.erp.modules.finance.models import Company
from steinmetz.erp.modules.finance.schemas import CompanyPatch, CompanyView
from steinmetz.erp.modules.system.service import audit


async def company(unit: Unit) -> CompanyView:
    """Who sends the invoices."""
    found = await repository.company.company(unit.session)
    return CompanyView.model_validate(found or _nameless())


async def seller(unit: Unit) -> dict[str, Any]:
    """Our company as it stands on a document of today."""
    return (await company(unit)).model_dump(exclude={"version"})


def _nameless() -> Company:
    """What stands for a company that has no row, as after a restore of other tables only."""
    fields = {name: "" for name in CompanyView.model_fields if name not in {"name", "country", "version"}}
    return Company(id=1, name="Unser Unternehmen", country="DE", version=1, **fields)


async def change_company(unit: Unit, patch: CompanyPatch) -> CompanyView:
    """Change what the patch names; what was sent keeps what stood on it. Raises `Conflict`."""
    changed = await repository.company.company_to_change(unit.session)
    if changed is None:
        changed = _nameless()
        unit.session.add(changed)
    if changed.version != patch.version:
        current = CompanyView.model_validate(changed).model_dump(mode="json", by_alias=True)
        raise Conflict("The company's data was changed meanwhile.", current)
    before, after = patches.apply(changed, patches.wanted_by(patch))
    if after:
        await unit.session.flush()
        audit.record(unit, "company.change", "company", 1, changed.name, before, after)
    return CompanyView.model_validate(changed)
