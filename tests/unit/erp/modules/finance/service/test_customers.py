"""Customers have numbers of their own and are changed by who has read them last, on both engines."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from steinmetz.erp.db import Database
from steinmetz.erp.errors import Conflict, NotFound
from steinmetz.erp.kit.pagination import PageQuery
from steinmetz.erp.modules.finance import service
from steinmetz.erp.modules.finance.models import NumberSeries
from steinmetz.erp.modules.finance.schemas import CustomerInput, CustomerPatch
from steinmetz.erp.modules.system.models import AuditEntry

pytestmark = pytest.mark.anyio


async def test_customers_are_numbered_after_the_last(database: Database) -> None:
    async with database.unit() as unit:
        first = await service.customers.create_customer(unit, CustomerInput(name="Ärzte GmbH", city="Köln"))
        second = await service.customers.create_customer(unit, CustomerInput(name="Bau AG"))
        assert (first.number, second.number) == ("K-10001", "K-10002")
        first.number = "K-20000"
        await unit.session.delete(await unit.session.get(NumberSeries, "customer"))
    async with database.unit() as unit:
        assert (await service.customers.create_customer(unit, CustomerInput(name="Chemie"))).number == "K-20001"


async def test_a_customer_is_changed_by_who_has_read_it_last(database: Database) -> None:
    async with database.unit() as unit:
        made = await service.customers.create_customer(unit, CustomerInput(name="Muster", city="Köln"))
    async with database.unit() as unit:
        changed = await service.customers.change_customer(unit, made.id, CustomerPatch(version=1, city="Bonn"))
        assert (changed.city, changed.name, changed.version) == ("Bonn", "Muster", 2)
    with pytest.raises(Conflict) as refused:
        async with database.unit() as unit:
            await service.customers.change_customer(unit, made.id, CustomerPatch(version=1, city="Ulm"))
    assert refused.value.extra["current"]["city"] == "Bonn"
    with pytest.raises(NotFound):
        async with database.unit() as unit:
            await service.customers.change_customer(unit, 999, CustomerPatch(version=1, city="Ulm"))
    async with database.unit() as unit:
        audited = select(AuditEntry).where(AuditEntry.action == "customer.change")
        (entry,) = (await unit.session.scalars(audited)).all()
        assert (entry.before, entry.after) == ({"city": "Köln"}, {"city": "Bonn"})


async def test_pages_of_customers_show_each_once_in_order(database: Database) -> None:
    async with database.unit() as unit:
        for name in ("Bau", "Abel", "Bau", "Zoll", "Abel", "Mohr", "Bau"):
            await service.customers.create_customer(unit, CustomerInput(name=name, city=name[::-1]))
    async with database.unit(writes=False) as unit:
        for sort in ("name", "-name", "number", "-city"):
            seen, cursor = [], None
            while True:
                page = await service.customers.list_customers(unit, PageQuery(2, cursor), sort=sort)
                assert page.total == 7
                seen += page.rows
                cursor = page.next
                if cursor is None:
                    break
            keys = [(getattr(row, sort.removeprefix("-")), row.id) for row in seen]
            assert keys == sorted(set(keys), reverse=sort.startswith("-"))
            assert len(keys) == 7
