from __future__ import annotations

import pytest

from steinmetz.erp.traffic.company import MAX_DRAFTS, Company, Role, desks

COMPANY = Company(customers=range(10), open_invoices=range(7), nodes=list("abcde"), words=["Wort"])


def test_every_record_lies_on_exactly_one_desk() -> None:
    seats = desks(COMPANY, 5)
    assert sorted(customer for seat in seats for customer in seat.customers) == list(range(10))
    assert sorted(invoice for seat in seats for invoice in seat.payable) == list(range(7))
    assert sorted(node for seat in seats for node in seat.nodes) == list("abcde")


def test_the_first_of_every_four_is_a_manager_and_only_managers_have_nodes() -> None:
    seats = desks(COMPANY, 6)
    assert [seat.role for seat in seats] == [
        Role.MANAGER,
        Role.CLERK,
        Role.CLERK,
        Role.CLERK,
        Role.MANAGER,
        Role.CLERK,
    ]
    assert all(bool(seat.nodes) == (seat.role is Role.MANAGER) for seat in seats)


@pytest.mark.parametrize("clerks", [0, 11])
def test_a_desk_without_a_customer_is_refused(clerks: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 10 clerks"):
        desks(COMPANY, clerks)


def test_drafts_on_a_desk_are_bounded() -> None:
    desk = desks(COMPANY, 1)[0]
    desk.drafts.extend(range(MAX_DRAFTS + 5))
    assert len(desk.drafts) == MAX_DRAFTS
