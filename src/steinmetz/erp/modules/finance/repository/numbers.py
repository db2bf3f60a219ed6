"""The series that numbers of customers, invoices and credit notes are taken from."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from steinmetz.erp.kit.queries import named, upsert
from steinmetz.erp.modules.finance.models import NumberSeries


@named
async def take_number(session: AsyncSession, series: str, first: int = 1) -> int:
    """The next number of ``series``, which begins with ``first``.

    The series' row stays locked until the end of the unit: a rollback gives the number back, and nobody else can
    have taken a later one meanwhile. That is what makes the numbers gap-free.
    """
    statement = (
        upsert(session)(NumberSeries)
        .values(name=series, next_value=first + 1)
        .on_conflict_do_update(
            index_elements=[NumberSeries.name], set_={"next_value": NumberSeries.next_value + 1}
        )
        .returning(NumberSeries.next_value - 1)
    )
    return int((await session.execute(statement)).scalar_one())


@named
async def has_series(session: AsyncSession, series: str) -> bool:
    return await session.get(NumberSeries, series) is not None
