"""Every write of batch, against every cached GET, for every role: what callers write, and what items do."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import httpx2
import pytest
from sqlalchemy import update

from steinmetz.erp.modules.batch.models import BatchJob
from steinmetz.erp.modules.finance.models import Invoice
from steinmetz.erp.modules.finance.rules import InvoiceStatus
from steinmetz.sql.scope import ScopeKind, open_scope
from tests.app.writes.house import House
from tests.app.writes.paths.batch import JOBS, a_job

pytestmark = pytest.mark.anyio

MANY = 100
"""A job is a commit for each item, and some around them."""

ROWS = [
    {"externalNumber": "4711", "name": "Aalener Apparatebau GmbH", "email": "info@aab.example"},
    {"externalNumber": "4712", "name": "Backnanger Beschläge KG"},
]


async def settled(house: House, answer: Awaitable[httpx2.Response]) -> httpx2.Response:
    """The answer, when all that it has begun is done."""
    answered = await answer
    workforce = house.app.state.batch.workforce
    assert workforce is not None
    await workforce.settled()
    return answered


def begin(house: House, kind: str, **parameters: Any) -> Awaitable[httpx2.Response]:
    answer = house.manager.post(JOBS, json={"kind": kind, "parameters": parameters})
    return settled(house, answer)


@pytest.mark.both_databases(long=True)
async def test_importing_customers(house: House) -> None:
    await house.verify_write(lambda: begin(house, "customers.import", rows=ROWS), commits=MANY)


async def test_importing_them_again(house: House) -> None:
    await house.verify_write(lambda: begin(house, "customers.import", rows=ROWS), commits=MANY)


async def test_an_import_that_fails_in_part(house: House) -> None:
    await house.verify_write(lambda: begin(house, "customers.import", rows=[{"name": ""}, ROWS[0]]), commits=MANY)


async def test_exporting(house: House) -> None:
    await house.verify_write(lambda: begin(house, "export", subject="invoices"), commits=MANY)


async def test_a_month_end_report(house: House) -> None:
    await house.verify_write(lambda: begin(house, "report.month-end", month="2026-02"), commits=MANY)


async def test_recalculating_a_wrong_draft(house: House) -> None:
    async def damage_and_recalculate() -> httpx2.Response:
        with open_scope(ScopeKind.COMMAND, "damage"):
            async with house.app.state.database.unit() as unit:
                wrong = {"net_cents": Invoice.net_cents + 1, "gross_cents": Invoice.gross_cents + 1}
                await unit.session.execute(
                    update(Invoice).where(Invoice.status == InvoiceStatus.DRAFT).values(**wrong)
                )
        return await begin(house, "invoices.recalculate")

    await house.verify_write(damage_and_recalculate, commits=MANY)


async def test_retrying_what_failed(house: House) -> None:
    async def cured_and_retried() -> httpx2.Response:
        return await settled(house, house.manager.post(f"{JOBS}/{job['id']}/retry"))

    job = (await house.data_of(f"{JOBS}?kind=customers.import&status=failed"))[0]
    await house.verify_write(cured_and_retried, commits=MANY)


async def test_cancelling_a_job(house: House) -> None:
    rows = [{"externalNumber": f"C{number}", "name": f"Kunde {number}"} for number in range(200)]

    async def begun_and_cancelled() -> httpx2.Response:
        begun = await house.manager.post(JOBS, json={"kind": "customers.import", "parameters": {"rows": rows}})
        return await settled(house, house.manager.post(f"{JOBS}/{begun.json()['data']['id']}/cancel"))

    await house.verify_write(begun_and_cancelled, commits=2 * len(rows))


async def test_deleting_a_job(house: House) -> None:
    """Of somebody who is gone: who still has lists of his own would see one change without an event."""
    visited = {path.split("/")[4] for path in house.paths if path.startswith(f"{JOBS}/")}
    job = next(each for each in await house.data_of(f"{JOBS}?limit=500") if str(each["id"]) not in visited)
    with open_scope(ScopeKind.COMMAND, "the owner goes"):
        async with house.app.state.database.unit() as unit:
            await unit.session.execute(update(BatchJob).where(BatchJob.id == job["id"]).values(owner_id=None))
    for reader in house.readers:
        reader.before.clear()
    await house.verify_write(lambda: house.manager.delete(f"{JOBS}/{job['id']}"))


async def test_refused_writes_change_nothing(house: House) -> None:
    job = await a_job(house, "done")
    for step in ("cancel", "retry"):
        await house.verify_write(
            lambda step=step: house.manager.post(f"{JOBS}/{job['id']}/{step}"),
            succeeds=False,  # type: ignore[misc]
        )
