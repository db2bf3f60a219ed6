"""What is asked about customers."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from steinmetz.erp.kit.pagination import Page
from steinmetz.erp.kit.queries import named
from steinmetz.erp.kit.windows import Column, Window, contains
from steinmetz.erp.modules.finance.models import Customer

CUSTOMER_SORTS: dict[str, tuple[Column, ...]] = {
    "name": (Customer.name, Customer.id),
    "number": (Customer.number, Customer.id),
    "city": (Customer.city, Customer.id),
}


@named
async def customer(session: AsyncSession, customer_id: int) -> Customer | None:
    return await session.get(Customer, customer_id)


@named
async def customer_to_change(session: AsyncSession, customer_id: int) -> Customer | None:
    """The customer, its row locked until the end of the unit."""
    return await session.get(Customer, customer_id, with_for_update=True, populate_existing=True)


@named
async def customer_name(session: AsyncSession, customer_id: int) -> str:
    return (await session.scalar(select(Customer.name).where(Customer.id == customer_id))) or ""


@named
async def customers(session: AsyncSession, window: Window, search: str) -> Page:
    """Those whose name, number or city contains ``search``.

    First which, then what: the answer depends on all customers only by what finds and orders them, and by the rest
    on those that it shows.
    """
    conditions: list[ColumnElement[bool]] = []
    if search:
        conditions.append(
            or_(*(contains(column, search) for column in (Customer.name, Customer.number, Customer.city)))
        )
    ids = (await session.scalars(window.of(select(Customer.id).where(*conditions)))).all()
    found = {row.id: row for row in await session.scalars(select(Customer).where(Customer.id.in_(ids)))}
    rows = [found[key] for key in ids if key in found]
    total = await session.scalar(select(func.count()).select_from(Customer).where(*conditions))
    return window.page(rows, total)


@named
async def last_customer_number(session: AsyncSession, prefix: str) -> str | None:
    """The greatest number that begins with ``prefix``."""
    statement = (
        select(Customer.number)
        .where(Customer.number.startswith(prefix, autoescape=True))
        .order_by(func.length(Customer.number).desc(), Customer.number.desc())
        .limit(1)
    )
    return await session.scalar(statement)
