from __future__ import annotations

from typing import Any

from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.freshness import age_s, is_fresh, is_outlived, lifetime_s, may_stand_in, remaining_s
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


def test_an_expired_answer_stands_in_for_an_error_for_as_long_as_its_terms_say() -> None:
    def stands_in(now_s: float, wall_s: float = 0.0, **terms: Any) -> bool:
        entry = an_entry(valid_until_s=1_000.0)
        entry.terms = Terms(5.0, stale_if_error_s=20.0, **terms)
        return may_stand_in(entry, now_s, wall_s)

    assert [stands_in(now_s) for now_s in (15.0, 34.9, 35.0)] == [True, True, False]
    assert not stands_in(15.0, wall_s=1_000.0)
    assert not stands_in(15.0, must_revalidate=True)
