from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from steinmetz.erp.kit.days import company_date
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.chat.rules import GENERAL, MAX_TEXT, is_private_room, room_of
from steinmetz.erp.seed.rows import ChannelRow, MemberRow, MessageRow, ReadRow, UserRow


def test_each_department_has_a_channel_and_the_books_a_private_one(company: Any) -> None:
    channels = company.all(ChannelRow)

    assert {channel.id for channel in channels if not channel.is_private} == {
        "produktion",
        "lager-und-versand",
        "entwicklung",
        "service-und-montage",
        "vertrieb",
        "finanzen-und-personal",
        "einkauf",
        "it-und-verwaltung",
    }
    assert [is_private_room(room_of(each.id)) for each in channels if each.is_private] == [True]


def test_people_talk_in_every_channel_on_past_days_in_the_order_of_their_ids(company: Any) -> None:
    messages = company.all(MessageRow)
    created_at = {user.id: user.created_at for user in company.all(UserRow)}

    assert 250 < len(messages) < 450
    assert {each.channel_id for each in messages} == {GENERAL} | {each.id for each in company.all(ChannelRow)}
    assert [each.at for each in messages] == sorted(each.at for each in messages)
    assert all(created_at[each.user_id] < each.at for each in messages)
    assert all(company_date(each.at) < company.today for each in messages)
    assert all(0 < len(each.text) <= MAX_TEXT and "{" not in each.text for each in messages)


def test_who_talks_is_a_user_by_name_and_no_auditor(company: Any) -> None:
    users = company.by_id(UserRow)

    for message in company.all(MessageRow):
        assert users[message.user_id].name == message.user_name
        assert users[message.user_id].role != Role.AUDITOR


def test_in_the_private_channel_only_its_members_talk_and_read(company: Any) -> None:
    (private,) = [channel.id for channel in company.all(ChannelRow) if channel.is_private]
    members = {member.user_id for member in company.all(MemberRow)}

    assert {member.channel_id for member in company.all(MemberRow)} == {private}
    assert {each.user_id for each in company.all(MessageRow) if each.channel_id == private} <= members
    assert {each.user_id for each in company.all(ReadRow) if each.channel_id == private} == members


def test_everybody_has_read_most_of_a_channel_but_not_its_end(company: Any) -> None:
    said = defaultdict(list)
    for message in company.all(MessageRow):
        said[message.channel_id].append(message.id)
    reads = company.all(ReadRow)

    assert Counter((each.user_id, each.channel_id) for each in reads).most_common(1)[0][1] == 1
    for read in reads:
        ids = said[read.channel_id]
        assert 1 <= len(ids) - 1 - ids.index(read.message_id) <= 5
