"""Whatever is done to invoices and books, in whatever order and by however many at once, the books add up.

After every sequence of acts: each entry adds up to zero, the receivables account holds what the invoices leave
open, numbers have no gaps, what was sent is what it was, no rate of VAT is credited by more than was billed, the
reports are the sums of the posting lines, and what was refused has left no trace.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from steinmetz.erp.kit.roles import Role
from steinmetz.erp.main import Application
from steinmetz.erp.modules.finance import service as finance

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]  # 8 s alone, many times that on a machine that is busy

SignIn = Callable[[Role | str], Awaitable[httpx2.AsyncClient]]
Row = tuple[Any, ...]

TODAY = dt.date(2026, 3, 2)
FROZEN = (
    "number",
    "customerId",
    "issueDate",
    "dueDate",
    "currency",
    "netCents",
    "vatCents",
    "grossCents",
    "note",
    "sentAt",
    "items",
)
"""Fields of an invoice that nothing changes once it is sent."""

BILLED = ("sent", "overdue", "paid")

TRACES = """
SELECT (SELECT count(*) FROM audit_entries), (SELECT count(*) FROM journal_entries),
       (SELECT count(*) FROM transactions), (SELECT count(*) FROM payments), (SELECT count(*) FROM refunds),
       (SELECT count(*) FROM credit_notes), (SELECT count(*) FROM credit_note_items),
       (SELECT count(*) FROM invoices), (SELECT coalesce(sum(version), 0) FROM invoices),
       (SELECT count(*) FROM invoice_items), (SELECT coalesce(sum(version), 0) FROM customers),
       (SELECT coalesce(sum(version), 0) FROM accounts), (SELECT sum(version) FROM company),
       (SELECT coalesce(sum(next_value), 0) FROM number_series)
"""


def is_creditable(row: dict[str, Any]) -> bool:
    return row["status"] in BILLED and row["creditedCents"] < row["grossCents"]


async def ask(app: Application, statement: str, **values: Any) -> list[Row]:
    async with app.state.database.unit(writes=False) as unit:
        return [tuple(row) for row in await unit.session.execute(text(statement), values)]


@dataclass
class Desk:
    """Somebody who does one thing after the other to a few invoices, and remembers what was sent."""

    app: Application
    http: httpx2.AsyncClient
    alone: bool = True
    """Nobody else is at work: what is refused can be told from what others do."""
    customers: list[int] = field(default_factory=list)
    invoices: list[int] = field(default_factory=list)
    entries: list[int] = field(default_factory=list)
    accounts: dict[str, int] = field(default_factory=dict)
    as_sent: dict[int, dict[str, Any]] = field(default_factory=dict)
    paper: dict[int, bytes] = field(default_factory=dict)
    answered: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    """Status -> how often."""

    async def open(self) -> None:
        listed = await self.http.get("/api/accounts?limit=100")
        self.accounts = {each["number"]: each["id"] for each in listed.json()["data"]}
        for name in ("Abel", "Bauer"):
            made = await self.http.post("/api/customers", json={"name": name})
            self.customers.append(made.json()["data"]["id"])
        for seed in (1, 2, 3):
            await self.act("draft", seed)
            await self.act("send", seed)

    async def act(self, name: str, seed: int) -> None:
        """Do one thing; ``seed`` decides what is left open."""
        before = await ask(self.app, TRACES) if self.alone else None
        answer: httpx2.Response | None = await getattr(self, name)(Random(seed))
        if answer is None:
            return
        self.answered[answer.status_code] += 1
        assert answer.status_code < 500, (name, answer.text)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            if self.alone:
                assert await ask(self.app, TRACES) == before, f"{name} was refused and has left a trace"

    async def _invoice(self, dice: Random, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """One of ours: mostly one that the act ``fits``, sometimes any, for acts must be refused as well."""
        listed = (await self.http.get("/api/invoices?limit=200")).json()["data"]
        own = [row for row in listed if row["id"] in self.invoices]
        fitting = [row for row in own if fits(row)]
        chosen = dice.choice(fitting if fitting and dice.random() < 0.8 else own)
        shown: dict[str, Any] = (await self.http.get(f"/api/invoices/{chosen['id']}")).json()["data"]
        return shown

    async def _post(self, shown: dict[str, Any], act: str, **more: Any) -> httpx2.Response:
        path = f"/api/invoices/{shown['id']}/{act}"
        return await self.http.post(path, json={"version": shown["version"], **more})

    def _items(self, dice: Random, count: int) -> list[dict[str, Any]]:
        return [
            {
                "description": f"Teil {place}",
                "quantityMilli": dice.choice((1, 333, 1000, 2500)),
                "unitPriceCents": dice.randint(-300, 20_000),
                "vatPercent": dice.choice((19, 19, 7, 0)),
            }
            for place in range(count)
        ]

    # What can be done

    async def draft(self, dice: Random) -> httpx2.Response:
        body = {"customerId": dice.choice(self.customers), "items": self._items(dice, dice.randint(1, 4))}
        answer = await self.http.post("/api/invoices", json=body)
        if answer.status_code == 201:
            self.invoices.append(answer.json()["data"]["id"])
        return answer

    async def change(self, dice: Random) -> httpx2.Response:
        shown = await self._invoice(dice, lambda row: row["status"] == "draft")
        body = {"version": shown["version"], "items": self._items(dice, 2), "note": "geändert"}
        return await self.http.patch(f"/api/invoices/{shown['id']}", json=body)

    async def send(self, dice: Random) -> httpx2.Response:
        shown = await self._invoice(dice, lambda row: row["status"] == "draft")
        answer = await self._post(shown, "send")
        if answer.status_code == 200:
            sent = answer.json()["data"]
            self.as_sent[sent["id"]] = {name: sent[name] for name in FROZEN}
            if len(self.paper) < 2:
                self.paper[sent["id"]] = (await self.http.get(f"/api/invoices/{sent['id']}/pdf")).content
        return answer

    async def pay_part(self, dice: Random) -> httpx2.Response:
        shown = await self._invoice(dice, lambda row: row["openCents"] > 1)
        cents = dice.randint(1, max(1, shown["openCents"] + 5))
        return await self._post(shown, "pay", amountCents=cents, method=dice.choice(("cash", "transfer")))

    async def pay_all(self, dice: Random) -> httpx2.Response:
        shown = await self._invoice(dice, lambda row: row["openCents"] > 0)
        return await self._post(shown, "pay", amountCents=max(1, shown["openCents"]))

    async def credit_part(self, dice: Random) -> httpx2.Response:
        shown = await self._invoice(dice, is_creditable)
        items = [dict(item) for item in shown["items"][: dice.randint(1, 2)]]
        names = ("description", "quantityMilli", "unit", "unitPriceCents", "vatPercent")
        items = [{name: item[name] for name in names} for item in items]
        for item in items:
            item["quantityMilli"] = max(1, item["quantityMilli"] // dice.choice((1, 2, 3)))
        return await self._post(shown, "credit", reason="Teil zurück", items=items)

    async def credit_all(self, dice: Random) -> httpx2.Response:
        shown = await self._invoice(dice, is_creditable)
        return await self._post(shown, "credit", reason="Alles zurück")

    async def refund(self, dice: Random) -> httpx2.Response:
        shown = await self._invoice(dice, lambda row: row["refundDueCents"] > 0)
        cents = shown["refundDueCents"] + dice.choice((0, 0, 1))
        return await self._post(shown, "refund", amountCents=max(1, cents))

    async def cancel(self, dice: Random) -> httpx2.Response:
        shown = await self._invoice(dice, lambda row: row["status"] != "cancelled")
        return await self._post(shown, "cancel")

    async def rename_customer(self, dice: Random) -> httpx2.Response:
        path = f"/api/customers/{dice.choice(self.customers)}"
        shown = (await self.http.get(path)).json()["data"]
        return await self.http.patch(
            path, json={"version": shown["version"], "name": f"Kunde {dice.random()}", "paymentDays": 30}
        )

    async def move_company(self, dice: Random) -> httpx2.Response:
        shown = (await self.http.get("/api/company")).json()["data"]
        return await self.http.patch(
            "/api/company", json={"version": shown["version"], "street": f"Weg {dice.random()}"}
        )

    async def fall_due(self, dice: Random) -> None:
        async with self.app.state.database.unit() as unit:
            await finance.invoices.mark_overdue(unit, dt.date(2026, 12, 31))

    async def post_by_hand(self, dice: Random) -> httpx2.Response:
        first, second, third = dice.sample(("4930", "1200", "4210", "0800", "1576", "1400", "8400"), 3)
        cents, rest = dice.randint(-5_000, 5_000), dice.choice((0, 0, 0, 1))
        body = {
            "date": (TODAY - dt.timedelta(days=dice.randint(-1, 400))).isoformat(),
            "description": "Von Hand",
            "lines": [
                {"accountId": self.accounts[first], "amountCents": cents},
                {"accountId": self.accounts[second], "amountCents": 7},
                {"accountId": self.accounts[third], "amountCents": -cents - 7 + rest},
            ],
        }
        answer = await self.http.post("/api/journal-entries", json=body)
        if answer.status_code == 201:
            self.entries.append(answer.json()["data"]["id"])
        return answer

    async def reverse(self, dice: Random) -> httpx2.Response | None:
        listed = (await self.http.get("/api/journal-entries?limit=20&sort=-id")).json()["data"]
        ids = [*self.entries, *(each["id"] for each in listed)]
        if not ids:
            return None
        return await self.http.post(f"/api/journal-entries/{dice.choice(ids)}/reverse", json={"reason": "Irrtum"})

    # What must be true

    async def assert_what_was_sent_is_what_it_was(self) -> None:
        for invoice_id, as_sent in self.as_sent.items():
            shown = (await self.http.get(f"/api/invoices/{invoice_id}")).json()["data"]
            assert {name: shown[name] for name in FROZEN} == as_sent
            if invoice_id in self.paper and shown["status"] != "cancelled":
                anew = {"Cache-Control": "no-cache"}
                printed = await self.http.get(f"/api/invoices/{invoice_id}/pdf", headers=anew)
                assert printed.content == self.paper[invoice_id]


ACTS = (
    *("draft", "draft", "send", "send", "change", "pay_part", "pay_all", "credit_part", "credit_all", "refund"),
    *("cancel", "rename_customer", "move_company", "fall_due", "post_by_hand", "reverse"),
)


async def assert_the_books_add_up(app: Application) -> None:
    lopsided = "SELECT entry_id FROM transactions GROUP BY entry_id HAVING sum(amount_cents) <> 0"
    assert await ask(app, lopsided) == []
    empty = "SELECT id FROM journal_entries WHERE id NOT IN (SELECT entry_id FROM transactions)"
    assert await ask(app, empty) == []
    balance = "gross_cents - credited_cents - paid_cents + refunded_cents"
    billed = "status IN ('sent', 'overdue', 'paid')"
    ((receivables,),) = await ask(
        app,
        "SELECT coalesce(sum(amount_cents), 0) FROM transactions JOIN accounts ON accounts.id = account_id"
        " WHERE number = '1400'",
    )
    ((left,),) = await ask(app, f"SELECT coalesce(sum({balance}), 0) FROM invoices WHERE {billed}")
    assert int(receivables) == int(left)
    settled = f"SELECT id FROM invoices WHERE {billed} AND ({balance} <= 0) <> (status = 'paid')"
    assert await ask(app, settled) == []
    for column, cents, table in (
        ("paid_cents", "amount_cents", "payments"),
        ("refunded_cents", "amount_cents", "refunds"),
        ("credited_cents", "gross_cents", "credit_notes"),
    ):
        moved = f"(SELECT coalesce(sum({cents}), 0) FROM {table} WHERE invoice_id = invoices.id)"
        assert await ask(app, f"SELECT id FROM invoices WHERE {column} <> {moved}") == []
    await assert_no_rate_is_credited_by_more_than_was_billed(app)
    await assert_numbers_have_no_gaps(app)


async def assert_no_rate_is_credited_by_more_than_was_billed(app: Application) -> None:
    billed: dict[Any, list[int]] = {}
    for invoice_id, rate, net, vat in await ask(
        app, "SELECT invoice_id, vat_percent, sum(net_cents), sum(vat_cents) FROM invoice_items GROUP BY 1, 2"
    ):
        billed[invoice_id, rate] = [int(net), int(vat)]
    for invoice_id, rate, net, vat in await ask(
        app,
        "SELECT invoice_id, vat_percent, sum(item.net_cents), sum(item.vat_cents) FROM credit_note_items AS item"
        " JOIN credit_notes ON credit_notes.id = credit_note_id GROUP BY 1, 2",
    ):
        for credited, bound in zip((int(net), int(vat)), billed[invoice_id, rate], strict=True):
            assert 0 <= credited <= bound or bound <= credited <= 0, (invoice_id, rate, credited, bound)


async def assert_numbers_have_no_gaps(app: Application) -> None:
    series = dict(await ask(app, "SELECT name, next_value FROM number_series"))
    for prefix, name, table in (("RE", "invoice", "invoices"), ("GS", "credit", "credit_notes")):
        given = await ask(app, f"SELECT number FROM {table} WHERE number IS NOT NULL ORDER BY number")
        assert [number for (number,) in given] == [
            f"{prefix}-2026-{value:05d}" for value in range(1, len(given) + 1)
        ]
        assert series.get(f"{name}:2026", 1) == len(given) + 1


async def assert_reports_are_the_sums_of_the_lines(
    app: Application, http: httpx2.AsyncClient, first: dt.date, last: dt.date
) -> None:
    """Against a sum over all lines, one by one."""
    lines = await ask(
        app,
        "SELECT accounts.number, kind, transactions.date, amount_cents FROM transactions"
        " JOIN accounts ON accounts.id = account_id",
    )
    days = [(number, kind, dt.date.fromisoformat(str(day)), int(cents)) for number, kind, day, cents in lines]

    def total(kinds: str, until: dt.date, since: dt.date = dt.date.min) -> int:
        return sum(cents for _, kind, day, cents in days if kind in kinds.split() and since <= day <= until)

    period = {"from": first.isoformat(), "to": last.isoformat()}
    earned = (await http.get("/api/reports/profit-loss", params=period)).json()["data"]
    assert earned["incomeCents"] == -total("income", last, first)
    assert earned["expensesCents"] == total("expense", last, first)
    assert earned["resultCents"] == -total("income expense", last, first)
    for side, sign in (("income", -1), ("expenses", 1)):
        for line in earned[side]:
            own = [cents for number, _, day, cents in days if number == line["number"] and first <= day <= last]
            assert line["amountCents"] == sign * sum(own)
    sheet = (await http.get("/api/reports/balance-sheet", params=period)).json()["data"]
    for name, until in (("opening", first - dt.timedelta(days=1)), ("closing", last)):
        sides = sheet[name]
        assert sides["assetsCents"] == total("asset", until)
        assert sides["liabilitiesCents"] == -total("liability", until)
        assert sides["equityCents"] == -total("equity", until)
        assert sides["assetsCents"] == sides["liabilitiesCents"] + sides["equityCents"] + sides["resultCents"]
        for side in ("assets", "liabilities", "equity"):
            assert sum(line[f"{name}Cents"] for line in sheet[side]) == sides[f"{side}Cents"]
    assert sheet["resultOfPeriodCents"] == earned["resultCents"]
    figures = (await http.get("/api/reports/financial", params=period)).json()["data"]
    assert figures["resultCents"] == earned["resultCents"]
    assert figures["receivablesCents"] == sum(c for number, _, day, c in days if number == "1400" and day <= last)


@pytest.mark.both_databases
@settings(
    max_examples=6,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # the company goes on from example to example: shrinking one would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    acts=st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 2**32)), min_size=25, max_size=45),
    period=st.tuples(st.dates(dt.date(2024, 12, 1), TODAY), st.dates(TODAY, dt.date(2027, 1, 31))),
)
async def test_no_sequence_of_acts_leaves_books_that_do_not_add_up(
    app: Application,
    sign_in: SignIn,
    engine_name: str,
    acts: list[tuple[str, int]],
    period: tuple[dt.date, dt.date],
) -> None:
    desk = Desk(app, await sign_in("admin"))
    await desk.open()
    for name, seed in acts:
        await desk.act(name, seed)
    await desk.assert_what_was_sent_is_what_it_was()
    await assert_the_books_add_up(app)
    await assert_reports_are_the_sums_of_the_lines(app, desk.http, *period)


@pytest.mark.both_databases
async def test_many_who_act_on_the_same_invoices_at_once_leave_books_that_add_up(
    app: Application, sign_in: SignIn, engine_name: str
) -> None:
    """Ten at once on six invoices and the same series; nobody is answered by a 5xx, nobody waits for ever."""
    admin = await sign_in("admin")
    first = Desk(app, admin, alone=False)
    await first.open()
    for seed in (4, 5, 6):
        await first.act("draft", seed)

    async def work(number: int) -> Desk:
        desk = Desk(
            app,
            admin,
            alone=False,
            customers=first.customers,
            invoices=first.invoices,
            entries=first.entries,
            accounts=first.accounts,
        )
        dice = Random(number)
        for _ in range(18):
            await desk.act(dice.choice(ACTS[2:]), dice.getrandbits(32))
        return desk

    desks = await asyncio.wait_for(asyncio.gather(*(work(number) for number in range(10))), 200)
    for desk in desks:
        await desk.assert_what_was_sent_is_what_it_was()
    await assert_the_books_add_up(app)
    await assert_reports_are_the_sums_of_the_lines(app, admin, dt.date(2025, 1, 1), TODAY)
    statuses = {status for desk in desks for status in desk.answered}
    assert {200, 201, 409} <= statuses
