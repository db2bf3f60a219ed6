from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest

from steinmetz.erp.seed.company import phases
from steinmetz.erp.seed.rows import CustomerRow, DepartmentRow, EmployeeRow, InvoiceRow, TimeEntryRow
from steinmetz.erp.seed.scale import DEMO, TINY


def test_the_same_scale_seed_and_day_give_the_same_rows(make_company: Any, tiny: Any, today: date) -> None:
    assert make_company(TINY, 1, today).rows == tiny.rows


def test_another_seed_gives_another_company(make_company: Any, tiny: Any, today: date) -> None:
    assert make_company(TINY, 2, today).all(InvoiceRow) != tiny.all(InvoiceRow)


def test_a_company_has_the_counts_of_its_scale(company: Any) -> None:
    counts = Counter(type(row) for row in company.rows)

    assert counts[DepartmentRow] == company.scale.departments
    assert counts[EmployeeRow] == company.scale.employees
    assert counts[CustomerRow] == company.scale.customers
    assert counts[InvoiceRow] == company.scale.invoices
    assert counts[TimeEntryRow] == company.scale.time_entries


def test_ids_count_from_one_without_gaps(tiny: Any) -> None:
    ids: dict[type, list[int]] = {}
    for row in tiny.rows:
        if isinstance(getattr(row, "id", None), int):
            ids.setdefault(type(row), []).append(row.id)

    assert ids
    for given in ids.values():
        assert given == list(range(1, len(given) + 1))


def test_nothing_is_made_before_it_is_asked_for_and_no_phase_surprises_its_progress_bar() -> None:
    for phase in phases(DEMO, 1, date(2026, 3, 2), lambda password: "hash"):
        rows = sum(1 for _ in phase.rows())

        assert rows == pytest.approx(phase.expected, rel=0.15), phase.label
