"""The workload model: what clerks of an ERP do all day, decided from a seed; pure.

A day is made of blocks of twenty requests: nineteen reads and one write, at a place that chance decides. The write
is done as people do it: look at the record, change it, look at it again. Every write touches an answer that is
worth caching: an invoice and its lists, a customer, the catalogue, and by way of each the overview.

A day is a generator: it yields a `Call` and is sent the `Reply`, so that the model needs neither socket nor loop,
and a test can be the server. Randomness comes in; the same random numbers and replies give the same calls.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from math import log
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, urlencode

from steinmetz.erp.traffic.calls import Call, Reply
from steinmetz.erp.traffic.company import Company, Desk, Role

REQUESTS_PER_WRITE = 20
ERRAND_READS = 2
"""The looks before and after a write."""
HOT_RECORDS = 16
HOT_SHARE = 0.85
"""So much of the looking goes to the few records that are on everybody's mind."""
LONGEST_PAUSE = 4.0
"""Pauses are cut at this many times their mean: a clerk who fell asleep is no load."""

T = TypeVar("T")


class Random(Protocol):
    """What the model needs of `random.Random`."""

    def random(self) -> float: ...
    def randrange(self, stop: int, /) -> int: ...


Day = Generator[Call, Reply, None]
Page = Callable[[Company, Random], Call]


def day(company: Company, desk: Desk, random: Random) -> Day:
    """The endless day of one clerk: blocks of twenty requests with one write each."""
    browsing = REQUESTS_PER_WRITE - 1 - ERRAND_READS
    while True:
        before = random.randrange(browsing + 1)
        for _ in range(before):
            yield _browse(company, random)
        yield from _errand(desk, random)
        for _ in range(browsing - before):
            yield _browse(company, random)


def pause_s(mean_s: float, random: Random) -> float:
    """How long a clerk thinks before the next request: exponential, as arrivals of many people are."""
    return min(-log(1.0 - random.random()), LONGEST_PAUSE) * mean_s


# ---- Reading -------------------------------------------------------------------------------------------------


def _list_of(record: str, path: str, **query: str) -> Call:
    return Call(f"GET {path}", f"{path}?{urlencode(query)}" if query else path, record=record)


def _invoice(number: int) -> Call:
    return Call("GET /api/invoices/{id}", f"/api/invoices/{number}", record="invoice")


def _customer(number: int) -> Call:
    return Call("GET /api/customers/{id}", f"/api/customers/{number}", record="customer")


def _node(node: str, below: str = "") -> Call:
    return Call(f"GET /api/functions/nodes/{{id}}{below}", f"{_node_path(node)}{below}", record="node")


def _node_path(node: str) -> str:
    return f"/api/functions/nodes/{quote(node)}"


OVERVIEW = Call("GET /api/dashboard/overview", "/api/dashboard/overview", record="overview")
DASHBOARD = Call("GET /api/dashboard", "/api/dashboard")
INVOICES = _list_of("invoice", "/api/invoices")
CUSTOMERS = _list_of("customer", "/api/customers")
FUNCTIONS = Call("GET /api/functions", "/api/functions", record="node")
MENU = Call("GET /api/functions/menu", "/api/functions/menu")
RULES = Call("GET /api/functions/rules", "/api/functions/rules")

INVOICE_STATUSES = ("overdue", "sent", "draft", "paid")
"""The most asked for first."""


def _always(call: Call) -> Page:
    return lambda company, random: call


def _widget(company: Company, random: Random) -> Call:
    if not company.widgets:
        return OVERVIEW
    return Call("GET /api/dashboard/widgets/{id}", f"/api/dashboard/widgets/{_any_of(company.widgets, random)}")


def _invoices_of_a_status(company: Company, random: Random) -> Call:
    return _list_of("invoice", "/api/invoices", status=_often_the_first(INVOICE_STATUSES, random))


def _one_invoice(company: Company, random: Random) -> Call:
    return _invoice(_hot(company.open_invoices, random)) if company.open_invoices else INVOICES


def _customers_found(company: Company, random: Random) -> Call:
    return _list_of("customer", "/api/customers", q=_often_the_first(company.words, random))


def _one_customer(company: Company, random: Random) -> Call:
    return _customer(_hot(company.customers, random))


def _one_node(company: Company, random: Random) -> Call:
    return _node(_hot(company.nodes, random))


def _nodes_below(company: Company, random: Random) -> Call:
    return _node(_hot(company.nodes, random), "/children")


def _functions_found(company: Company, random: Random) -> Call:
    return _list_of("node", "/api/functions/search", q=_often_the_first(FUNCTION_WORDS, random))


FUNCTION_WORDS = ("rechnung", "umsatz", "lager", "personal", "auftrag", "prüf")

PAGES: tuple[tuple[int, Page], ...] = (
    (22, _always(OVERVIEW)),
    (8, _always(DASHBOARD)),
    (4, _widget),
    (9, _always(INVOICES)),
    (9, _invoices_of_a_status),
    (12, _one_invoice),
    (6, _always(CUSTOMERS)),
    (3, _customers_found),
    (8, _one_customer),
    (6, _always(FUNCTIONS)),
    (4, _always(MENU)),
    (3, _one_node),
    (3, _nodes_below),
    (2, _functions_found),
    (1, _always(RULES)),
)
"""The mix of reads in percent: everybody has the overview open, most work is invoices, some look things up."""


def _browse(company: Company, random: Random) -> Call:
    return _weighted(PAGES, random)(company, random)


# ---- Writing -------------------------------------------------------------------------------------------------

Errand = Generator[Call, Reply, None]


def _errand(desk: Desk, random: Random) -> Errand:
    """Exactly one look, one write and one look; what cannot be done any more becomes a draft, which always can."""
    possible: list[tuple[int, Callable[[Desk, Random], Errand]]] = [(20, _draft), (20, _edit_customer)]
    if desk.payable:
        possible.append((35, _pay))
    if desk.drafts:
        possible.append((15, _send))
    if desk.role is Role.MANAGER and desk.nodes:
        possible.append((30, _edit_node))
    yield from _weighted(possible, random)(desk, random)


def _draft(desk: Desk, random: Random) -> Errand:
    customer = _next_of(desk.customers)
    yield _customer(customer)
    yield from _draft_for(customer, desk, random)


def _draft_for(customer: int, desk: Desk, random: Random) -> Errand:
    items = [_item(random) for _ in range(1 + random.randrange(4))]
    written = yield Call(
        "POST /api/invoices", "/api/invoices", {"customerId": customer, "items": items}, record="invoice"
    )
    if not (written.is_good and "id" in written.data):
        yield OVERVIEW
        return
    desk.drafts.append(written.data["id"])
    yield _invoice(written.data["id"])


def _item(random: Random) -> dict[str, Any]:
    return {
        "description": _any_of(("Wartung", "Montage", "Ersatzteil", "Schulung", "Fracht"), random),
        "quantityMilli": 500 * (1 + random.randrange(20)),
        "unit": "Std",
        "unitPriceCents": 100 * (20 + random.randrange(400)),
        "vatPercent": _any_of((19, 19, 19, 7), random),
    }


def _send(desk: Desk, random: Random) -> Errand:
    invoice = desk.drafts.popleft()
    seen = (yield _invoice(invoice)).data
    if seen.get("status") != "draft":
        yield from _draft_for(_next_of(desk.customers), desk, random)
        return
    written = yield _act(invoice, "send", {"version": seen["version"]})
    if written.is_good:
        desk.payable.append(invoice)
    yield _invoice(invoice)


def _pay(desk: Desk, random: Random) -> Errand:
    """One payment in four is a part; the rest of it stays on the desk."""
    invoice = desk.payable.popleft()
    seen = (yield _invoice(invoice)).data
    due_cents = seen.get("openCents", 0)
    if seen.get("status") not in {"sent", "overdue"} or due_cents <= 0:
        yield from _draft_for(_next_of(desk.customers), desk, random)
        return
    amount_cents = due_cents // 2 if due_cents > 1 and random.randrange(4) == 0 else due_cents
    body = {"amountCents": amount_cents, "method": "transfer", "version": seen["version"]}
    written = yield _act(invoice, "pay", body)
    if written.is_good and amount_cents < due_cents:
        desk.payable.append(invoice)
    yield _invoice(invoice)


def _act(invoice: int, act: str, body: dict[str, Any]) -> Call:
    return Call(f"POST /api/invoices/{{id}}/{act}", f"/api/invoices/{invoice}/{act}", body, record="invoice")


def _edit_customer(desk: Desk, random: Random) -> Errand:
    customer = _next_of(desk.customers)
    seen = (yield _customer(customer)).data
    body = {"phone": _other_phone(seen.get("phone"), random), "version": seen.get("version", 1)}
    yield Call("PATCH /api/customers/{id}", f"/api/customers/{customer}", body, record="customer")
    yield _customer(customer)


def _other_phone(phone: str | None, random: Random) -> str:
    """Another number: a change to the same value would be no change, and no new version."""
    fresh = f"+49 30 {10_000 + random.randrange(90_000)}"
    return fresh if fresh != phone else f"{fresh} 0"


def _edit_node(desk: Desk, random: Random) -> Errand:
    node = _next_of(desk.nodes)
    seen = (yield _node(node)).data
    version = seen.get("version", 1)
    body = {"description": f"Stand {version + 1}.{random.randrange(1000)}", "version": version}
    yield Call("PATCH /api/functions/nodes/{id}", _node_path(node), body, record="node")
    yield _node(node)


# ---- Choosing ------------------------------------------------------------------------------------------------


def _any_of(things: Sequence[T], random: Random) -> T:
    return things[random.randrange(len(things))]


def _often_the_first(things: Sequence[T], random: Random) -> T:
    """The k-th of n with a chance that falls linearly with k."""
    return things[min(random.randrange(len(things)), random.randrange(len(things)))]


def _hot(things: Sequence[T], random: Random) -> T:
    return _any_of(things[:HOT_RECORDS] if random.random() < HOT_SHARE else things, random)


def _weighted(choices: Sequence[tuple[int, T]], random: Random) -> T:
    rest = random.randrange(sum(weight for weight, _ in choices))
    for weight, choice in choices:
        rest -= weight
        if rest < 0:
            return choice
    raise AssertionError("a rest below the sum of the weights belongs to one of them")


def _next_of(things: Any) -> Any:
    """The first of a desk's records, which then goes to the back."""
    things.rotate(-1)
    return things[-1]
