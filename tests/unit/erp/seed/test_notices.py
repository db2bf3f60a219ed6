from __future__ import annotations

from typing import Any

from steinmetz.erp.kit.days import company_date
from steinmetz.erp.seed.rows import NotificationReadRow, NotificationRow, UserRow


def test_a_dozen_notices_of_past_days_in_the_order_of_their_ids(company: Any) -> None:
    told = company.all(NotificationRow)

    assert len(told) == 12
    assert [each.at for each in told] == sorted(each.at for each in told)
    assert all(company_date(each.at) < company.today for each in told)
    assert {str(each.level) for each in told} == {"info", "success", "warning", "error"}


def test_a_notice_names_a_role_if_it_is_for_one(company: Any) -> None:
    assert all((each.audience == "role") == (each.role is not None) for each in company.all(NotificationRow))


def test_the_house_speaks_both_languages(company: Any) -> None:
    (overdue,) = [each for each in company.all(NotificationRow) if each.once is not None]

    assert overdue.title_de.startswith("Überfällig seit ")
    assert overdue.title_en.startswith("Overdue since ")
    assert overdue.author_id is None


def test_only_those_have_read_a_notice_whom_it_is_for_and_nobody_the_last(company: Any) -> None:
    told, users = company.by_id(NotificationRow), company.by_id(UserRow)
    reads = company.all(NotificationReadRow)

    assert reads
    for read in reads:
        notice = told[read.notification_id]
        assert notice.role in {None, users[read.user_id].role}
        assert read.at > notice.at
    assert max(read.notification_id for read in reads) <= len(told) - 4
