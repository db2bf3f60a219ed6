"""What SET statements make of a connection's names."""

from __future__ import annotations

from typing import Any

import pytest

from steinmetz.sql.session import BEGINNING, BLURRED, Seat, Session
from steinmetz.sql.shape import shape_of


def follow(seat: Seat, statement: str, parameters: Any = (), *, autocommit: bool = False) -> bool:
    return seat.follow(shape_of(statement), statement, parameters, autocommit=autocommit)


@pytest.mark.parametrize(
    ("statement", "session"),
    [
        ("SET search_path = hr, public", Session("hr, public")),
        ('set session search_path TO "A b", public;', Session('"A b", public')),
        ("SET LOCAL SEARCH_PATH TO 'hr'", Session("'hr'")),
        ("SET SCHEMA 'hr'", Session("'hr'")),
        ("SET ROLE clerk", Session(None, "clerk")),
        ("SET LOCAL ROLE none", Session(None, "none")),
        ("SET timezone = 'UTC'", BEGINNING),
        ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", BEGINNING),
        ("SET CONSTRAINTS ALL IMMEDIATE", BEGINNING),
    ],
)
def test_what_is_set_is_the_session(statement: str, session: Session) -> None:
    seat = Seat()
    assert follow(seat, statement) == (session != BEGINNING)
    assert seat.session == session


@pytest.mark.parametrize(
    "statement",
    ["SET search_path = DEFAULT", "RESET ALL", "DISCARD ALL", "SET SESSION AUTHORIZATION clerk",
     "DO $$ BEGIN END $$", "CALL f()", "EXECUTE p", "CREATE TEMP TABLE t (a int)", "SELECT 1 INTO TEMPORARY t",
     "SET search_path = 'a\\'", "CREATE TABLE pg_temp.t (a int)", "SELECT 1; SET search_path = hr",
     "SELECT set_config('search_path', 'hr', false)"],
)  # fmt: skip
def test_what_cannot_be_followed_blurs_the_names(statement: str) -> None:
    seat = Seat()
    assert follow(seat, statement)
    assert seat.session is None
    assert seat.situation == BLURRED
    seat.ended(committed=True)
    assert seat.session is None


@pytest.mark.parametrize(
    ("parameters", "blurs"),
    [
        ({"name": "app.tenant", "value": "search"}, False),
        (("app.tenant", "7"), False),
        ({"name": "SEARCH_PATH", "value": "hr"}, True),
        ([("role", "clerk")], True),
        ((), True),
    ],
)
def test_set_config_is_told_by_its_values(parameters: Any, blurs: bool) -> None:
    seat = Seat()
    assert follow(seat, "SELECT set_config($1, $2, true)", parameters)
    assert (seat.session is None) == blurs


def test_set_config_with_a_harmless_name_in_the_text() -> None:
    seat = Seat()
    assert follow(seat, "SELECT set_config('app.tenant', $1, true)", ("search_path",))
    assert seat.session == BEGINNING


def test_a_transaction_takes_back_what_is_local_and_a_rollback_all() -> None:
    seat = Seat()
    follow(seat, "SET search_path = a")
    seat.ended(committed=True)
    follow(seat, "SET LOCAL search_path = b")
    assert seat.session == Session("b")
    seat.ended(committed=True)
    assert seat.session == Session("a")
    follow(seat, "SET search_path = c")
    follow(seat, "SET LOCAL ROLE clerk")
    assert seat.session == Session("c", "clerk")
    seat.ended(committed=False)
    assert seat.session == Session("a")


def test_in_autocommit_it_stands_at_once_and_nothing_is_local() -> None:
    seat = Seat()
    follow(seat, "SET search_path = a", autocommit=True)
    seat.ended(committed=False)
    assert seat.session == Session("a")
    follow(seat, "SET LOCAL search_path = b", autocommit=True)
    assert seat.session is None


def test_a_rollback_to_a_savepoint_blurs_what_the_transaction_has_set() -> None:
    seat = Seat()
    assert not follow(seat, "ROLLBACK TO SAVEPOINT s")
    follow(seat, "SET LOCAL search_path = b")
    assert follow(seat, "ROLLBACK TO SAVEPOINT s")
    assert seat.session is None
