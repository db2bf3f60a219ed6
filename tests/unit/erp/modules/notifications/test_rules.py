from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from steinmetz.erp.kit.language import Language, Phrase
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.notifications import rules
from steinmetz.erp.modules.notifications.rules import ToAll, ToRole, ToUser

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
GREETING = Phrase(en="Hello {name}", de="Hallo {name}")


def test_each_audience_has_its_rooms_and_its_author() -> None:
    assert rules.rooms_of(ToAll()) == ()
    assert rules.rooms_of(ToRole(Role.CLERK)) == ("role:clerk",)
    assert rules.rooms_of(ToUser(5)) == ("user:5",)
    assert rules.needed_role(ToAll()) is Role.ADMIN
    assert rules.needed_role(ToRole(Role.ADMIN)) is rules.needed_role(ToUser(5)) is Role.MANAGER


def test_a_phrase_is_filled_in_its_language() -> None:
    assert rules.worded(GREETING, Language.EN, {"name": "Ada"}, 100) == "Hello Ada"
    by_language = {"name": lambda language: f"({language})"}
    assert rules.worded(GREETING, Language.DE, by_language, 100) == "Hallo (de)"
    with pytest.raises(KeyError):
        rules.worded(GREETING, Language.DE, {}, 100)


def test_what_a_person_has_written_stays_as_it_is_but_never_longer_than_its_column() -> None:
    assert rules.worded("100 % {sicher}", Language.DE, {"sicher": 1}, 100) == "100 % {sicher}"
    assert rules.worded(GREETING, Language.DE, {"name": "x" * 100}, 20) == "Hallo xxxxxxxxxxxxxx"


def test_unread_is_what_is_not_marked_and_not_older_than_its_reader() -> None:
    assert rules.is_unread(NOW, is_marked=False, reader_since=NOW)
    assert not rules.is_unread(NOW, is_marked=True, reader_since=NOW)
    assert not rules.is_unread(NOW - timedelta(microseconds=1), is_marked=False, reader_since=NOW)
