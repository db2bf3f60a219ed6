"""What is asked about customers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from steinmetz.erp.kit.queries import named
from steinmetz.erp.modules.finance.models import Customer
from steinmetz.erp.modules.finance.windows import Window, contains, windowed

CUSTOMER_SORTS: dict[str, InstrumentedAttribute[Any]] = {
    "name": Customer.name,
    "number": Customer.number,
    "city": Customer.city,
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
async def customers(session: AsyncSession, window: Window, search: str) -> tuple[Sequence[Customer], int]:
    """One customer more than the window asks for (so that the caller knows of a next page), and the total.

    First which, then what: the answer depends on all customers only by what finds and orders them, and by the rest
    on those that it shows.
    """
    conditions: list[ColumnElement[bool]] = []
    if search:
        conditions.append(
            or_(*(contains(column, search) for column in (Customer.name, Customer.number, Customer.city)))
        )
    statement = windowed(
        select(Customer.id).where(*conditions), window, CUSTOMER_SORTS[window.column], Customer.id
    )
    ids = (await session.scalars(statement)).all()
    found = {row.id: row for row in await session.scalars(select(Customer).where(Customer.id.in_(ids)))}
    rows = [found[key] for key in ids if key in found]
    total = await session.scalar(select(func.count()).select_from(Customer).where(*conditions))
    return rows, total or 0


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
