"""Money adds up, whatever is billed; an invoice walks its table and nothing else."""

from __future__ import annotations

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steinmetz.erp.modules.finance.chart import CHART
from steinmetz.erp.modules.finance.rules import (
    OPEN,
    TRANSITIONS,
    InvoiceAct,
    InvoiceStatus,
    ItemSum,
    PaymentMethod,
    PostingLine,
    balance_cents,
    balances,
    by_rate,
    credit_act,
    credit_number,
    credit_sums,
    customer_value,
    due_date,
    invoice_number,
    invoice_sum,
    is_iban,
    is_overdue,
    item_sum,
    left_to_credit,
    lines_of_payment,
    lines_of_refund,
    lines_of_sending,
    months_until,
    next_status,
    payment_act,
    reversed_lines,
    rounded,
    why_not_reversible,
)

rates = st.sampled_from([19, 7, 0])
items = st.builds(
    item_sum,
    st.integers(1, 100_000_000),
    st.integers(-100_000_000, 100_000_000),
    rates,
)


class TestVat:
    @given(st.integers(-(10**15), 10**15), st.sampled_from([1, 100, 1000]))
    def test_rounds_half_away_from_zero_as_decimal_does(self, numerator: int, denominator: int) -> None:
        exact = Decimal(numerator) / Decimal(denominator)
        assert rounded(numerator, denominator) == int(exact.quantize(Decimal(1), ROUND_HALF_UP))

    @pytest.mark.parametrize(
        ("quantity_milli", "unit_price_cents", "percent", "net", "vat"),
        [
            (1000, 10_000, 19, 10_000, 1_900),
            (1500, 9_999, 7, 14_999, 1_050),  # 14998.5 and 1049.93
            (1000, 50, 19, 50, 10),  # 9.5
            (1, 1, 19, 0, 0),
            (1000, -50, 19, -50, -10),
            (1000, 777, 0, 777, 0),
        ],
    )
    def test_of_one_item(
        self, quantity_milli: int, unit_price_cents: int, percent: int, net: int, vat: int
    ) -> None:
        assert item_sum(quantity_milli, unit_price_cents, percent) == ItemSum(percent, net, vat)

    def test_knows_the_rates_of_the_law_only(self) -> None:
        with pytest.raises(ValueError, match="19, 7, 0 percent, not 16"):
            item_sum(1000, 100, 16)

    @given(st.lists(items, max_size=30))
    def test_of_an_invoice_is_the_sum_of_its_items(self, sums: list[ItemSum]) -> None:
        total = invoice_sum(sums)
        assert total.net_cents == sum(each.net_cents for each in sums)
        assert total.vat_cents == sum(each.vat_cents for each in sums)
        assert total.gross_cents == total.net_cents + total.vat_cents

    @given(items)
    def test_of_a_discount_mirrors_that_of_a_charge(self, charged: ItemSum) -> None:
        mirrored = item_sum(1000, -charged.net_cents, charged.vat_percent)
        assert (mirrored.net_cents, mirrored.vat_cents) == (-charged.net_cents, -charged.vat_cents)


class TestPosting:
    @given(st.lists(items, max_size=30))
    def test_sending_balances_on_accounts_of_the_chart(self, sums: list[ItemSum]) -> None:
        lines = lines_of_sending(sums)
        assert balances(lines)
        assert all(line.account in CHART and line.amount_cents for line in lines)
        assert len({line.account for line in lines}) == len(lines)

    @given(st.sampled_from(PaymentMethod), st.integers(1, 10**12))
    def test_paying_moves_receivables_to_cash(self, method: PaymentMethod, cents: int) -> None:
        lines = lines_of_payment(method, cents)
        assert balances(lines)
        assert lines[0] == PostingLine("1000" if method is PaymentMethod.CASH else "1200", cents)
        assert lines[1] == PostingLine("1400", -cents)

    @given(st.sampled_from(PaymentMethod), st.integers(1, 10**12))
    def test_refunding_moves_back_what_paying_moved(self, method: PaymentMethod, cents: int) -> None:
        assert lines_of_refund(method, cents) == reversed_lines(lines_of_payment(method, cents))

    @given(st.lists(items, max_size=30))
    def test_cancelling_leaves_every_account_as_it_was(self, sums: list[ItemSum]) -> None:
        sent = lines_of_sending(sums)
        cancelled = reversed_lines(sent)
        assert balances(cancelled)
        total: dict[str, int] = {}
        for line in [*sent, *cancelled]:
            total[line.account] = total.get(line.account, 0) + line.amount_cents
        assert not any(total.values())

    def test_a_usual_invoice(self) -> None:
        lines = lines_of_sending([item_sum(1000, 10_000, 19), item_sum(2000, 500, 7), item_sum(1000, 300, 0)])
        assert lines == [
            PostingLine("1400", 13_270),
            PostingLine("8400", -10_000),
            PostingLine("1776", -1_900),
            PostingLine("8300", -1_000),
            PostingLine("1771", -70),
            PostingLine("8120", -300),
        ]


class TestStatus:
    @given(st.lists(st.sampled_from(InvoiceAct), max_size=20))
    def test_no_sequence_of_acts_leaves_the_table(self, acts: list[InvoiceAct]) -> None:
        status, was_sent = InvoiceStatus.DRAFT, False
        for act in acts:
            following = next_status(status, act)
            assert following == TRANSITIONS.get((status, act))
            status = following or status
            was_sent = was_sent or status in OPEN
            assert status is not InvoiceStatus.PAID or was_sent
            assert not (was_sent and status is InvoiceStatus.DRAFT)

    @pytest.mark.parametrize("final", [InvoiceStatus.PAID, InvoiceStatus.CANCELLED])
    def test_nothing_leads_out_of_what_is_settled(self, final: InvoiceStatus) -> None:
        assert {next_status(final, act) for act in InvoiceAct} <= {None, final}

    def test_every_status_is_reached_from_a_draft(self) -> None:
        reached = {InvoiceStatus.DRAFT}
        for _ in InvoiceStatus:
            reached |= {to for (status, _), to in TRANSITIONS.items() if status in reached}
        assert reached == set(InvoiceStatus)

    @given(st.integers(-10, 10**12), st.integers(-10, 10**12))
    def test_a_payment_settles_what_is_open_or_a_part_of_it(self, open_cents: int, cents: int) -> None:
        act = payment_act(open_cents, cents)
        assert (act is InvoiceAct.SETTLE) == (cents == open_cents and cents > 0)
        assert (act is InvoiceAct.PAY_PART) == (0 < cents < open_cents)


def test_the_day_it_is_due_an_invoice_is_not_overdue_yet() -> None:
    due = due_date(dt.date(2026, 2, 20), 10)
    assert due == dt.date(2026, 3, 2)
    assert not is_overdue(due, dt.date(2026, 3, 2))
    assert is_overdue(due, dt.date(2026, 3, 3))


def test_numbers_name_their_year() -> None:
    assert invoice_number(2026, 17) == "RE-2026-00017"


@pytest.mark.parametrize(
    ("number", "value"), [("K-10001", 10001), (None, None), ("K-", None), ("A-1", None), ("K-²", None)]
)
def test_a_customer_number_of_another_house_counts_nothing(number: str | None, value: int | None) -> None:
    assert customer_value(number) == value


def test_the_last_twelve_months_cross_the_year() -> None:
    months = months_until(dt.date(2026, 3, 31), 12)
    assert (months[0], months[-1], len(months)) == (dt.date(2025, 4, 1), dt.date(2026, 3, 1), 12)
    assert months_until(dt.date(2026, 1, 1), 2) == [dt.date(2025, 12, 1), dt.date(2026, 1, 1)]


class TestCrediting:
    @given(st.lists(items, min_size=1, max_size=8), st.lists(items, min_size=1, max_size=8))
    def test_nothing_is_credited_beyond_what_is_left_of_a_rate_or_of_the_whole(
        self, billed: list[ItemSum], wanted: list[ItemSum]
    ) -> None:
        left = left_to_credit(billed, [])
        try:
            credited = credit_sums(wanted, left)
        except ValueError:
            return
        assert [each.net_cents for each in credited] == [each.net_cents for each in wanted]
        for rate, own in by_rate(credited).items():
            bound = left.get(rate, ItemSum(rate, 0, 0))
            for cents, most in ((own.net_cents, bound.net_cents), (own.vat_cents, bound.vat_cents)):
                assert 0 <= cents <= most or most <= cents <= 0
        assert 0 < invoice_sum(credited).gross_cents <= invoice_sum(billed).gross_cents

    @given(st.lists(st.builds(item_sum, st.integers(1, 10_000), st.integers(1, 10_000), rates), min_size=1))
    def test_the_items_of_an_invoice_can_be_credited_one_by_one_to_the_last_cent(
        self, billed: list[ItemSum]
    ) -> None:
        done: list[ItemSum] = []
        for item in billed:
            if item.net_cents:
                done += credit_sums([item], left_to_credit(billed, done))
        assert left_to_credit(billed, done) == {}
        assert invoice_sum(done) == invoice_sum(billed)

    def test_cents_that_rounding_made_fall_on_the_last_item_of_the_rate(self) -> None:
        left = left_to_credit([ItemSum(19, 100, 19)], [ItemSum(19, 50, 10)])
        assert left == {19: ItemSum(19, 50, 9)}
        assert credit_sums([item_sum(1000, 50, 19)], left) == [ItemSum(19, 50, 9)]
        assert credit_sums([item_sum(1000, 25, 19), item_sum(1000, 25, 19)], left) == [
            ItemSum(19, 25, 5),
            ItemSum(19, 25, 4),
        ]

    @pytest.mark.parametrize(
        ("wanted", "said"),
        [
            (ItemSum(19, 101, 19), "At 19 % VAT 100 cents net are left to credit, not 101"),
            (ItemSum(7, 1, 0), "At 7 % VAT 0 cents net"),
            (ItemSum(19, -1, 0), "not -1"),
            (ItemSum(19, 0, 0), "1 to 119 cents here, not of 0"),
        ],
    )
    def test_what_is_too_much_is_refused_with_what_is_left(self, wanted: ItemSum, said: str) -> None:
        with pytest.raises(ValueError, match=said):
            credit_sums([wanted], {19: ItemSum(19, 100, 19)})

    def test_a_rate_that_is_all_discount_is_credited_below_zero(self) -> None:
        left = {19: ItemSum(19, 1_000, 190), 7: ItemSum(7, -100, -7)}
        assert credit_sums([ItemSum(19, 1_000, 190), ItemSum(7, -100, -7)], left)
        with pytest.raises(ValueError, match="1 to 1083 cents here, not of 1190"):
            credit_sums([ItemSum(19, 1_000, 190)], left)
        with pytest.raises(ValueError, match="At 7 % VAT -100 cents"):
            credit_sums([ItemSum(19, 1_000, 190), ItemSum(7, -101, -7)], left)

    @given(st.integers(-100, 100), st.integers(1, 100))
    def test_a_credit_note_settles_what_it_covers(self, open_cents: int, cents: int) -> None:
        assert (credit_act(open_cents, cents) is InvoiceAct.SETTLE) == (0 < open_cents <= cents)

    def test_a_draft_and_a_cancelled_invoice_leave_nothing(self) -> None:
        assert balance_cents(InvoiceStatus.DRAFT, 100, 0, 0, 0) == 0
        assert balance_cents(InvoiceStatus.CANCELLED, 100, 0, 0, 0) == 0
        assert balance_cents(InvoiceStatus.SENT, 100, 30, 20, 0) == 50
        assert balance_cents(InvoiceStatus.PAID, 100, 100, 20, 5) == -15

    def test_a_credit_note_has_numbers_of_its_own(self) -> None:
        assert credit_number(2026, 3) == "GS-2026-00003"


class TestReversing:
    @pytest.mark.parametrize(
        ("source", "reversed_by_id", "said"),
        [
            ("manual", None, None),
            ("payroll", None, None),
            ("purchase:9", None, None),
            ("manual", 4, "reversed already, by entry 4"),
            ("reversal:3", None, "is a reversal itself"),
            ("invoice:17", None, r"belongs to a document \(invoice:17\): cancel or credit"),
            ("payment:1", None, "credit and refund"),
        ],
    )
    def test_what_a_document_posted_is_corrected_through_it(
        self, source: str, reversed_by_id: int | None, said: str | None
    ) -> None:
        reason = why_not_reversible(source, reversed_by_id)
        assert reason is None if said is None else re.search(said, reason or "")


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("DE02120300000000202051", True),
        ("GB82WEST12345698765432", True),
        ("DE02120300000000202052", False),
        ("DE02", False),
        ("DE0212030000000020205ß", False),
        ("1202120300000000202051", False),
    ],
)
def test_an_iban_has_check_digits(text: str, fits: bool) -> None:
    assert is_iban(text) is fits
