from __future__ import annotations

from typing import Any

from steinmetz.cache.policy.control import control_of
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.freshness import (
    MAX_HEURISTIC_S,
    age_s,
    heuristic_lifetime_s,
    initial_age_s,
    is_fresh,
    is_outlived,
    lifetime_s,
    may_stand_in,
    remaining_s,
    said_age_s,
    stated_lifetime_s,
)
from steinmetz.cache.policy.http_date import http_date
from steinmetz.cache.policy.terms import Terms
from steinmetz.sql.effects import ReadSet


def an_entry(valid_until_s: float | None = None) -> Entry:
    return Entry(
        key=b"k",
        path="/",
        route="/",
        headers=(),
        body=b"",
        read_set=ReadSet(),
        sequence=0,
        stored_at_s=10.0,
        terms=Terms(5.0),
        valid_until_s=valid_until_s,
    )


def test_s_maxage_goes_before_max_age_and_neither_beyond_the_route() -> None:
    assert lifetime_s(300, {}) == 300
    assert lifetime_s(300, {"max-age": "10"}) == 10
    assert lifetime_s(300, {"max-age": "10", "s-maxage": "20"}) == 20
    assert lifetime_s(300, {"max-age": "900"}) == 300


def test_age_is_in_whole_seconds_and_never_negative() -> None:
    assert age_s(an_entry(), 12.9) == 2
    assert age_s(an_entry(), 9.0) == 0


def test_fresh_until_the_very_end() -> None:
    assert is_fresh(an_entry(), 14.999)
    assert not is_fresh(an_entry(), 15.0)
    assert remaining_s(an_entry(), 12.0) == 3


def test_validity_is_by_the_wall_clock() -> None:
    assert not is_outlived(an_entry(), 1e12)
    assert not is_outlived(an_entry(100.0), 99.9)
    assert is_outlived(an_entry(100.0), 100.0)


NOW_S = 1_767_225_600.0


def said(*lines: tuple[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    return list(lines)


def stated(*lines: tuple[bytes, bytes]) -> float | None:
    return stated_lifetime_s(control_of(lines), lines, NOW_S)


def test_the_stated_lifetime_is_s_maxage_then_max_age_then_expires_minus_date() -> None:
    expires, date = (b"expires", http_date(NOW_S + 90)), (b"date", http_date(NOW_S + 30))
    assert stated() is None
    assert stated(expires) == 90
    assert stated(expires, date) == 60
    assert stated(expires, date, (b"cache-control", b"max-age=5")) == 5
    assert stated(expires, date, (b"cache-control", b"max-age=5, s-maxage=7")) == 7
    assert stated((b"expires", b"0")) == 0
    assert stated((b"expires", http_date(NOW_S - 90))) == 0
    assert stated(expires, (b"cdn-cache-control", b"public")) is None


def test_the_guess_is_a_tenth_and_at_most_a_day() -> None:
    def guessed(age_s: float, status: int = 200, control: bytes = b"") -> float:
        lines = said((b"last-modified", http_date(NOW_S - age_s)), (b"cache-control", control))
        return heuristic_lifetime_s(status, control_of(lines), lines, NOW_S)

    assert guessed(1_000) == 100
    assert guessed(1e8) == MAX_HEURISTIC_S
    assert guessed(-1_000) == 0
    assert guessed(1_000, 403) == 0
    assert guessed(1_000, 403, b"public") == 100
    assert guessed(1_000, 200, b"no-cache") == 0
    assert heuristic_lifetime_s(200, control_of([]), [], NOW_S) == 0


def test_the_first_age_is_the_larger_of_what_is_said_and_what_the_date_shows() -> None:
    assert initial_age_s(said(), NOW_S, 2.5) == 2.5
    assert initial_age_s(said((b"age", b"10")), NOW_S, 2.5) == 12.5
    assert initial_age_s(said((b"date", http_date(NOW_S - 60)), (b"age", b"10")), NOW_S, 0) == 60
    assert initial_age_s(said((b"date", http_date(NOW_S + 60))), NOW_S + 0.9, 0) == 0
    assert initial_age_s(said((b"date", b"soon")), NOW_S + 0.9, 0) == 0


def test_an_age_that_is_no_number_is_none_and_of_a_list_the_first_counts() -> None:
    for value, age in (
        (b"10", 10),
        (b"10, 20", 10),
        (b"x", 0),
        (b"-1", 0),
        (b"1.5", 0),
        (b"", 0),
        (b"9" * 20, 2**31),
    ):
        assert said_age_s([(b"age", value)]) == age


def test_an_expired_answer_stands_in_for_an_error_for_as_long_as_its_terms_say() -> None:
    def stands_in(now_s: float, wall_s: float = 0.0, **terms: Any) -> bool:
        entry = an_entry(valid_until_s=1_000.0)
        entry.terms = Terms(5.0, stale_if_error_s=20.0, **terms)
        return may_stand_in(entry, now_s, wall_s)

    assert [stands_in(now_s) for now_s in (15.0, 34.9, 35.0)] == [True, True, False]
    assert not stands_in(15.0, wall_s=1_000.0)
    assert not stands_in(15.0, must_revalidate=True)
