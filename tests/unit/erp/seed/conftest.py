"""The tiny company, made once: what its parts promise is asked of its rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

import pytest

from steinmetz.erp.seed.company import phases
from steinmetz.erp.seed.rows import Row
from steinmetz.erp.seed.scale import TINY, Scale

TODAY = date(2026, 3, 2)

Kind = TypeVar("Kind")


class Company:
    """All rows of a scale, by their type."""

    def __init__(self, scale: Scale, seed: int, today: date) -> None:
        self.scale = scale
        self.today = today
        self.rows: list[Row] = [
            row
            for phase in phases(scale, seed, today, lambda password: f"hash of {password}")
            for row in phase.rows()
        ]

    def all(self, kind: type[Kind]) -> list[Kind]:
        return [row for row in self.rows if type(row) is kind]

    def by_id(self, kind: type[Kind]) -> dict[Any, Kind]:
        return {row.id: row for row in self.all(kind)}


@pytest.fixture(scope="session")
def today() -> date:
    return TODAY


@pytest.fixture(scope="session")
def tiny() -> Company:
    return Company(TINY, 1, TODAY)


@pytest.fixture(
    scope="session",
    params=[
        (1, TODAY),
        (2, date(2026, 3, 1)),
        (3, date(2026, 1, 1)),
        (4, date(2024, 2, 29)),
        (5, date(2025, 8, 31)),
    ],
    ids=lambda each: f"seed{each[0]}-{each[1]}",
)
def company(request: pytest.FixtureRequest) -> Company:
    """Tiny companies of several seeds, on a Monday, a Sunday, a New Year, a leap day and a last of the month."""
    seed, day = request.param
    return Company(TINY, seed, day)


@pytest.fixture(scope="session")
def make_company() -> Callable[..., Company]:
    return Company
