"""Our company's data, on both engines."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from steinmetz.erp.db import Database
from steinmetz.erp.errors import Conflict
from steinmetz.erp.modules.finance import service
from steinmetz.erp.modules.finance.schemas import CompanyPatch
from steinmetz.erp.modules.system.models import AuditEntry

pytestmark = pytest.mark.anyio


async def test_our_company_is_changed_by_who_has_read_it_last(database: Database) -> None:
    async with database.unit() as unit:
        assert (await service.company.company(unit)).name == "Unser Unternehmen"
        patch = CompanyPatch(version=1, name="Wir GmbH", iban="de02 1203 0000 0000 2020 51")
        changed = await service.company.change_company(unit, patch)
    assert (changed.name, changed.iban, changed.version) == ("Wir GmbH", "DE02120300000000202051", 2)
    with pytest.raises(Conflict) as refused:
        async with database.unit() as unit:
            await service.company.change_company(unit, CompanyPatch(version=1, city="Ulm"))
    assert refused.value.extra["current"]["name"] == "Wir GmbH"


async def test_what_changed_of_our_company_is_in_the_log_as_the_api_names_it(database: Database) -> None:
    async with database.unit() as unit:
        await service.company.change_company(unit, CompanyPatch(version=1, postal_code="53111", vat_id="DE1"))
    async with database.unit(writes=False) as unit:
        audited = select(AuditEntry).where(AuditEntry.action == "company.change")
        (entry,) = (await unit.session.scalars(audited)).all()
        assert entry.before == {"postalCode": "", "vatId": ""}
        assert entry.after == {"postalCode": "53111", "vatId": "DE1"}
