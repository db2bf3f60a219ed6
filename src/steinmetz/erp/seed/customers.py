"""The customers: firms with legal forms, in cities with their real postal codes, most of them in Germany."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from steinmetz.erp.modules.catalog.rules import slug
from steinmetz.erp.modules.finance.rules import FIRST_CUSTOMER, customer_number
from steinmetz.erp.seed.names import (
    FANTASY_NAMES,
    FICTION_NUMBERS,
    FIRST_NAMES,
    GERMAN_CITIES,
    LAST_NAMES,
    LEGAL_FORMS,
    STREETS,
    SWISS_CITIES,
    TRADES,
    City,
)
from steinmetz.erp.seed.rows import CustomerRow
from steinmetz.erp.seed.vat_id import german_vat_id, swiss_vat_id
from steinmetz.erp.seed.workdays import at, on_or_after, window_start

_SWISS = 0.06
"""The share of customers in Switzerland, whose deliveries are exports and free of VAT."""


def customers(count: int, seed: int, today: date) -> list[CustomerRow]:
    """``count`` customers with distinct names, most of them known before the books begin, 3 % inactive."""
    rng = Random(f"{seed}/customers")
    names = _distinct_names(rng)
    return [_customer(rng, number, next(names), today) for number in range(1, count + 1)]


def _distinct_names(rng: Random) -> Iterator[str]:
    """Names without legal forms."""
    given: set[str] = set()
    while True:
        own = rng.choice(LAST_NAMES) if rng.random() < 0.7 else rng.choice(FANTASY_NAMES)
        if rng.random() < 0.12:
            own += f" & {rng.choice(LAST_NAMES)}"
        name = f"{own} {rng.choice(TRADES)}"
        # Two firms may share no name: the e-mail domain is made from it.
        if name not in given:
            given.add(name)
            yield name


def _customer(rng: Random, number: int, name: str, today: date) -> CustomerRow:
    is_swiss = rng.random() < _SWISS
    city: City = rng.choice(SWISS_CITIES if is_swiss else GERMAN_CITIES)
    code = rng.randint(city.first_code, city.last_code)
    postal_code = str(code) if is_swiss else f"{code:05d}"
    start = window_start(today)
    if rng.random() < 0.8:
        known_since = start - timedelta(days=rng.randint(1, 2_500))
    else:
        known_since = start + timedelta(days=int(rng.random() * ((today - start).days - 45)))
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    return CustomerRow(
        id=number,
        number=customer_number(FIRST_CUSTOMER + number - 1),
        name=f"{name} {rng.choices(list(LEGAL_FORMS), list(LEGAL_FORMS.values()))[0]}",
        contact=f"{first} {last}",
        email=f"{slug(first)}.{slug(last)}@{slug(name)}.example",
        phone="" if is_swiss else f"{FICTION_NUMBERS[postal_code[0]]}{rng.randint(0, 999):03d}",
        street=f"{rng.choice(STREETS)} {rng.randint(1, 180)}",
        postal_code=postal_code,
        city=city.name,
        country="CH" if is_swiss else "DE",
        vat_id=_vat_id(rng, is_swiss),
        payment_days=rng.choices((7, 14, 30, 45), (5, 45, 42, 8))[0],
        is_active=rng.random() >= 0.03,
        created_at=at(on_or_after(known_since), rng.random()),
        version=1,
    )


def _vat_id(rng: Random, is_swiss: bool) -> str:
    while True:
        digits = str(rng.randint(10_000_000, 39_999_999))
        vat_id = swiss_vat_id(digits) if is_swiss else german_vat_id(digits)
        if vat_id is not None:
            return vat_id
