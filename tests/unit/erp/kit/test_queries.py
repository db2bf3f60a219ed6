"""Queries are known by the name of the function that asks them."""

from __future__ import annotations

import pytest

from steinmetz.erp.kit.queries import named
from steinmetz.monitor import query_monitor

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("place", ["finance.repository", "finance.repository.invoices", "finance.extracts"])
async def test_a_repository_s_function_is_a_name_in_the_statistics(
    monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    async def invoices(limit: int) -> int:
        return limit

    monkeypatch.setattr(invoices, "__module__", f"steinmetz.erp.modules.{place}")
    query_monitor.reset()
    assert await named(invoices)(7) == 7
    assert query_monitor.query_stats()["queryBreakdown"]["finance.invoices"]["count"] == 1
    query_monitor.reset()
