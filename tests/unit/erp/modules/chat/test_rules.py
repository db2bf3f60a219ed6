from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.erp.kit.roles import Actor, Role
from steinmetz.erp.modules.chat import rules

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Vertrieb Süd", "vertrieb-sued"),
        ("Größe & Maße", "groesse-masse"),
        ("  Café – 2026 ", "cafe-2026"),
        ("general", "general"),
        ("𝓐bc", "abc"),
        ("!!!", "kanal"),
        ("日本", "kanal"),
    ],
)
def test_the_id_of_a_public_channel_is_a_slug_of_its_name(name: str, expected: str) -> None:
    assert rules.public_id(name) == expected
    assert rules.public_id(name, 2) == f"{expected}-2"


@settings(max_examples=200, derandomize=True)
@given(st.text(min_size=1, max_size=rules.MAX_NAME), st.integers(1, 9_999))
def test_an_id_fits_its_column_a_path_and_a_room(name: str, attempt: int) -> None:
    channel_id = rules.public_id(name, attempt)
    assert 0 < len(channel_id) <= rules.MAX_ID
    assert all(each in "abcdefghijklmnopqrstuvwxyz0123456789-" for each in channel_id)
    assert not rules.is_private_room(rules.room_of(channel_id))
    if channel_id != rules.GENERAL:
        assert rules.channel_of(rules.room_of(channel_id)) == channel_id
    assert len(rules.name_key(name)) <= rules.MAX_NAME_KEY


def test_general_has_the_room_that_everybody_is_in() -> None:
    assert rules.room_of(rules.GENERAL) == "chat-room"
    assert rules.channel_of("chat-room") is None
    assert rules.channel_of("chat-room:general") is None, "it would be a second room of one channel"


def test_a_private_room_shows_by_its_name_alone() -> None:
    room = rules.room_of(rules.private_id("0123456789abcdef"))
    assert room == "chat-room:~0123456789abcdef"
    assert rules.is_private_room(room)
    assert not rules.is_private_room("chat-room")


def test_names_are_the_same_if_people_take_them_for_the_same() -> None:
    assert rules.name_key(" Lager  Süd ") == rules.name_key("LAGER SÜD") == rules.name_key("Lager Süd")
    assert len(rules.name_key("ﷺ" * rules.MAX_NAME)) == rules.MAX_NAME_KEY
    assert rules.name_key("Lager Süd") != rules.name_key("Lager Nord")


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("is_member", [True, False])
def test_a_private_channel_is_seen_by_members_who_are_no_auditors(role: Role, is_member: bool) -> None:
    actor = Actor(7, "Ada", role)
    assert rules.may_see(actor, is_private=False, is_member=is_member)
    assert rules.may_see(actor, is_private=True, is_member=is_member) == (is_member and role is not Role.AUDITOR)


@pytest.mark.parametrize(
    ("role", "owner_id", "may"),
    [
        (Role.CLERK, 7, True),
        (Role.CLERK, 8, False),
        (Role.CLERK, None, False),
        (Role.MANAGER, 8, True),
        (Role.ADMIN, None, True),
        (Role.AUDITOR, 7, False),
    ],
)
def test_owner_and_manager_administer(role: Role, owner_id: int | None, may: bool) -> None:
    assert rules.may_administer(Actor(7, "Ada", role), owner_id) == may


def test_a_message_is_deleted_by_its_author_or_a_manager() -> None:
    assert rules.may_delete(Actor(7, "Ada", Role.CLERK), 7)
    assert not rules.may_delete(Actor(7, "Ada", Role.CLERK), 8)
    assert not rules.may_delete(Actor(None, "Nobody", Role.CLERK), None)
    assert rules.may_delete(Actor(7, "Ada", Role.MANAGER), 8)


def test_a_message_can_be_changed_for_fifteen_minutes() -> None:
    assert rules.is_editable(NOW, NOW + timedelta(minutes=15))
    assert not rules.is_editable(NOW, NOW + timedelta(minutes=15, microseconds=1))
