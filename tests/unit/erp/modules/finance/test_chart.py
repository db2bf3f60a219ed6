from __future__ import annotations

import re

from steinmetz.erp.modules.finance.chart import CHART, KEPT_BY_INVOICES, LIQUID, POSTED_BY_INVOICES, VAT_ACCOUNTS


def test_the_chart_is_in_the_order_of_its_numbers_and_names_nothing_twice() -> None:
    assert list(CHART) == sorted(CHART)
    assert len({account.name for account in CHART.values()}) == len(CHART)
    assert all(re.fullmatch(r"[0-9]{4}", number) for number in CHART)
    assert all(0 < len(account.name) <= 120 for account in CHART.values())


def test_what_invoices_use_is_in_the_chart() -> None:
    assert KEPT_BY_INVOICES < POSTED_BY_INVOICES < set(CHART)
    assert set(LIQUID) < POSTED_BY_INVOICES
    assert set(VAT_ACCOUNTS) < set(CHART)
