"""The whole company as a stream of rows, in phases; the same for the same scale, seed and day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import NamedTuple

from steinmetz.erp.seed.activity import AuditLog, jobs
from steinmetz.erp.seed.books import Books
from steinmetz.erp.seed.catalogue import catalogue
from steinmetz.erp.seed.chat import Talk
from steinmetz.erp.seed.costs import Costs
from steinmetz.erp.seed.customers import customers
from steinmetz.erp.seed.hours import Hours
from steinmetz.erp.seed.leave import leave
from steinmetz.erp.seed.notices import notices
from steinmetz.erp.seed.people import PasswordHasher, Staff, staff
from steinmetz.erp.seed.rows import CompanyRow, Row
from steinmetz.erp.seed.sales import Sales
from steinmetz.erp.seed.scale import Scale
from steinmetz.erp.seed.vat_id import german_vat_id
from steinmetz.erp.seed.workdays import at, days, on_or_after, window_start

US = CompanyRow(
    id=1,
    name="SteinmetZ Antriebstechnik GmbH",
    street="Ulmer Straße 80",
    postal_code="73431",
    city="Aalen",
    country="DE",
    vat_id=german_vat_id("81234567"),
    tax_number="50123/45678",
    iban="DE02120300000000202051",
    bic="BYLADEM1001",
    bank="Musterbank Aalen",
    email="rechnung@steinmetz.example",
    phone="07361 990100",
    trade_register="Amtsgericht Ulm, HRB 501234",
    version=1,
)
"""Who sends the invoices. The bank account is the one that German documentation uses for examples."""


class Phase(NamedTuple):
    """A part of the company, and about how many rows it has."""

    label: str
    rows: Callable[[], Iterator[Row]]
    expected: int


def phases(scale: Scale, seed: int, today: date, password_hasher: PasswordHasher) -> list[Phase]:
    """In the order in which they must be written. Rows are made when they are asked for, never all at once."""
    people = staff(scale.employees, seed, today, password_hasher)
    requests = leave(people.employees, [user for user in people.users if user.role == "manager"], seed, today)

    def everybody() -> Iterator[Row]:
        yield from people.users
        yield from people.departments
        yield from people.employees
        yield from requests
        yield from jobs(scale.jobs, people.bookkeepers, seed, today)

    return [
        Phase(
            "Catalogue",
            lambda: catalogue(scale.areas, at(on_or_after(window_start(today)), 0.0)),
            1_320 * scale.areas,
        ),
        Phase("People", everybody, 7 * scale.employees + 15 * scale.jobs),
        Phase("Invoices and books", lambda: _business(scale, seed, today, people), 13 * scale.invoices),
        Phase(
            "Working time",
            lambda: Hours(scale.time_entries, people.employees, requests, seed, today).rows(),
            scale.time_entries,
        ),
        Phase("Chat and notices", lambda: _told(seed, today, people), 400),
    ]


def _told(seed: int, today: date, people: Staff) -> Iterator[Row]:
    """What people have told each other lately, and what the house has told them."""
    yield from Talk(people, seed, today).rows()
    yield from notices(people.users, today)


def _business(scale: Scale, seed: int, today: date, people: Staff) -> Iterator[Row]:
    """Two years, day by day: what was sold, paid, bought and audited."""
    books = Books()
    buyers = customers(scale.customers, seed, today)
    yield US
    yield from books.accounts
    yield from buyers
    sales = Sales(scale.invoices, US, buyers, seed, today, books)
    costs = Costs(scale.invoices, people.employees, seed, today, books)
    log = AuditLog(people.bookkeepers, seed, today)
    start = window_start(today)
    yield from costs.opening(start)
    for day in days(start, today):
        if day < today:
            yield from sales.on(day)
            yield from costs.on(day)
            yield from log.of(day, sales)
    yield from sales.series()
