"""Customers: their list, their numbers, their changes."""

from __future__ import annotations

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Conflict, NotFound
from steinmetz.erp.kit import patches
from steinmetz.erp.kit.pagination import Page, PageQuery
from steinmetz.erp.kit.windows import Window
from steinmetz.erp.modules.finance import repository, rules
from steinmetz.erp.modules.finance.models import Customer
from steinmetz.erp.modules.finance.schemas import CustomerInput, CustomerPatch, CustomerView
from steinmetz.erp.modules.system.service import audit

__all__ = [
    "CustomerInput",
    "change_customer",
    "create_customer",
    "customer",
    "find_customer",
    "list_customers",
]


async def list_customers(unit: Unit, paging: PageQuery, *, search: str = "", sort: str = "name") -> Page:
    """Customers whose name, number or city contains ``search``."""
    columns = repository.customers.CUSTOMER_SORTS[sort.removeprefix("-")]
    window = Window(columns, sort.startswith("-"), paging.after(str, int), paging.limit)
    return await repository.customers.customers(unit.session, window, search)


async def customer(unit: Unit, customer_id: int) -> Customer:
    """Raises `NotFound`."""
    found = await repository.customers.customer(unit.session, customer_id)
    if found is None:
        raise NotFound("customer", customer_id)
    return found


async def create_customer(unit: Unit, data: CustomerInput) -> Customer:
    """A new customer under the next number."""
    number = rules.customer_number(await _next_customer_value(unit))
    created = Customer(number=number, is_active=True, created_at=unit.now, **data.model_dump())
    unit.session.add(created)
    await unit.session.flush()
    after = CustomerView.model_validate(created).model_dump(mode="json", by_alias=True)
    audit.record(unit, "customer.create", "customer", created.id, created.name, after=after)
    return created


async def _next_customer_value(unit: Unit) -> int:
    first = rules.FIRST_CUSTOMER
    if not await repository.numbers.has_series(unit.session, rules.CUSTOMER_SERIES):
        last = rules.customer_value(
            await repository.customers.last_customer_number(unit.session, rules.CUSTOMER_PREFIX)
        )
        first = max(first, (last or 0) + 1)
    return await repository.numbers.take_number(unit.session, rules.CUSTOMER_SERIES, first)


async def change_customer(unit: Unit, customer_id: int, patch: CustomerPatch) -> Customer:
    """Change what the patch names. Raises `NotFound`, `Conflict`."""
    changed = await repository.customers.customer_to_change(unit.session, customer_id)
    if changed is None:
        raise NotFound("customer", customer_id)
    if changed.version != patch.version:
        current = CustomerView.model_validate(changed).model_dump(mode="json", by_alias=True)
        raise Conflict("The customer was changed meanwhile.", current)
    before, after = patches.apply(changed, patches.wanted_by(patch))
    if after:
        await unit.session.flush()
        audit.record(unit, "customer.change", "customer", changed.id, changed.name, before, after)
    return changed


async def find_customer(unit: Unit, *, name: str, email: str) -> int | None:
    """The id of the oldest customer of this name and, in whatever case, e-mail address."""
    return await repository.extracts.customer_by_mail(unit.session, name, email)
