"""What is asked about our own company."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from steinmetz.erp.kit.queries import named
from steinmetz.erp.modules.finance.models import Company


@named
async def company(session: AsyncSession) -> Company | None:
    return await session.get(Company, 1)


@named
async def company_to_change(session: AsyncSession) -> Company | None:
    """Our company, its row locked until the end of the unit."""
    return await session.get(Company, 1, with_for_update=True, populate_existing=True)
