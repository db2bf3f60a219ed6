from __future__ import annotations

from dataclasses import replace

from steinmetz.erp.seed.scale import DEMO, LARGE, SCALES, TINY


def test_the_demo_has_the_size_that_is_promised() -> None:
    assert (DEMO.departments, DEMO.employees, DEMO.customers, DEMO.invoices) == (8, 250, 400, 5_000)
    assert (DEMO.posting_lines, DEMO.time_entries, DEMO.areas) == (30_000, 40_000, 11)


def test_large_is_25_times_the_demo_in_all_but_departments_and_catalogue() -> None:
    grown = replace(
        DEMO,
        name="large",
        employees=25 * DEMO.employees,
        customers=25 * DEMO.customers,
        invoices=25 * DEMO.invoices,
        time_entries=25 * DEMO.time_entries,
        jobs=25 * DEMO.jobs,
    )

    assert grown == LARGE


def test_every_scale_keeps_twenty_invoices_an_employee() -> None:
    assert {scale.invoices // scale.employees for scale in (TINY, DEMO, LARGE)} == {20}


def test_the_tiny_scale_is_for_tests_only() -> None:
    assert set(SCALES) == {"demo", "large"}
