from __future__ import annotations

from typing import Any

import pytest

from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.lookup import (
    NO_DEMANDS,
    Bypass,
    Demands,
    Hit,
    Miss,
    MissReason,
    Revalidate,
    Stale,
    bypassed,
    demands,
    judge,
    look_up,
    may_be_given_for_error,
)
from steinmetz.cache.policy.terms import Terms
from steinmetz.cache.policy.variants import NoVariant
from steinmetz.sql.effects import ReadSet


def an_entry(
    valid_until_s: float | None = None,
    vary: tuple[tuple[bytes, bytes | None], ...] = (),
    stale_while_revalidate_s: float = 0,
) -> Entry:
    """Stored at 100 s for 60 s."""
    return Entry(
        key=b"k",
        path="/a",
        route="/a",
        headers=(),
        body=b"{}",
        read_set=ReadSet(),
        sequence=0,
        stored_at_s=100,
        terms=Terms(60, stale_while_revalidate_s=stale_while_revalidate_s),
        valid_until_s=valid_until_s,
        vary=vary,
    )


def found(
    entry: Entry | None,
    now_s: float = 110,
    asked: Demands = Demands(),  # noqa: B008  an immutable value
    headers: tuple[tuple[bytes, bytes], ...] = (),
    wall_s: float | None = None,
) -> Hit | Stale | Miss:
    return look_up(entry, asked, headers, now_s, wall_s)


class TestFreshness:
    def test_within_its_time_it_is_a_hit(self) -> None:
        entry = an_entry()
        assert found(entry, now_s=159.9) == Hit(entry)

    def test_at_the_end_of_its_time_it_has_expired(self) -> None:
        assert found(an_entry(), now_s=160) == Miss(MissReason.EXPIRED)

    def test_nothing_kept_is_a_miss(self) -> None:
        assert found(None) == Miss(MissReason.ABSENT)

    def test_stale_only_where_the_route_allows_it_and_as_long_as_it_says(self) -> None:
        entry = an_entry(stale_while_revalidate_s=30)
        assert found(entry, now_s=189) == Stale(entry)
        assert found(entry, now_s=190) == Miss(MissReason.EXPIRED)

    def test_t14_the_end_of_validity_is_not_crossed_even_stale(self) -> None:
        entry = an_entry(valid_until_s=5_000, stale_while_revalidate_s=30)
        assert found(entry, wall_s=4_999.9) == Hit(entry)
        assert found(entry, wall_s=5_000) == Miss(MissReason.EXPIRED)


class TestDemands:
    """RFC 9111, 5.2.1."""

    @pytest.mark.parametrize(
        ("control", "pragma", "expected"),
        [
            (None, None, Demands()),
            (b"no-cache", None, Demands(no_cache=True)),
            (None, b"no-cache", Demands(no_cache=True)),
            (b"max-age=5", b"no-cache", Demands(max_age_s=5)),
            (b"no-store", None, Demands(no_store=True)),
            (b"only-if-cached, min-fresh=3", None, Demands(only_if_cached=True, min_fresh_s=3)),
        ],
    )
    def test_parsing(self, control: bytes | None, pragma: bytes | None, expected: Demands) -> None:
        assert demands(control, pragma) == expected

    def test_no_cache_wants_a_new_answer(self) -> None:
        assert found(an_entry(), asked=Demands(no_cache=True)) == Miss(MissReason.NO_CACHE)

    def test_max_age_wants_a_young_one(self) -> None:
        entry = an_entry()
        assert found(entry, asked=Demands(max_age_s=10)) == Hit(entry)
        assert found(entry, asked=Demands(max_age_s=9)) == Miss(MissReason.TOO_OLD)
        assert found(entry, now_s=100, asked=Demands(max_age_s=0)) == Miss(MissReason.TOO_OLD)

    def test_min_fresh_wants_one_with_time_left(self) -> None:
        entry = an_entry()
        assert found(entry, asked=Demands(min_fresh_s=50)) == Hit(entry)
        assert found(entry, asked=Demands(min_fresh_s=51)) == Miss(MissReason.TOO_OLD)


def test_another_selecting_header_is_a_miss() -> None:
    entry = an_entry(vary=((b"accept-language", b"de"),))
    assert found(entry, headers=((b"accept-language", b"de"),)) == Hit(entry)
    assert found(entry, headers=((b"accept-language", b"en"),)) == Miss(MissReason.VARY)
    assert found(entry) == Miss(MissReason.VARY)


class TestBypass:
    @pytest.mark.parametrize(
        ("interesting", "reason"),
        [
            ({b"range": b"bytes=0-1"}, "range"),
            ({b"upgrade": b"h2c"}, "upgrade"),
            ({b"expect": b"100-continue"}, "expect"),
            ({b"transfer-encoding": b"chunked"}, "body"),
            ({b"content-length": b"5"}, "body"),
        ],
    )
    def test_requests_that_no_kept_answer_fits(self, interesting: dict[bytes, bytes], reason: str) -> None:
        assert bypassed(b"", 10, interesting, Demands(), enabled=True) == Bypass(reason)

    def test_an_empty_body_is_none(self) -> None:
        assert bypassed(b"", 10, {b"content-length": b"0"}, Demands(), enabled=True) is None

    def test_no_store_switch_caller_and_length(self) -> None:
        assert bypassed(b"", 10, {}, Demands(no_store=True), enabled=True) == Bypass("the request said no-store")
        assert bypassed(b"", 10, {}, Demands(), enabled=False) == Bypass("switched off")
        assert bypassed(NoVariant("no credential"), 10, {}, Demands(), enabled=True) == Bypass("no credential")
        assert bypassed(b"", 10_000, {}, Demands(), enabled=True) == Bypass("the key is too long")


def judged(entry: Entry, now_s: float, control: bytes | None = None) -> Hit | Stale | Revalidate:
    return judge(entry, demands(control), now_s)


def on_terms(**terms: Any) -> Entry:
    entry = an_entry()
    return Entry(
        key=entry.key,
        path="/a",
        route="/a",
        headers=(),
        body=b"",
        read_set=ReadSet(),
        sequence=0,
        stored_at_s=100,
        terms=Terms(60, **terms),
    )


class TestJudge:
    """As a gateway asks (RFC 9111, 4.2.4): what may not be given is asked about, with the reason."""

    def test_fresh_is_a_hit_and_past_its_time_is_asked_about(self) -> None:
        entry = on_terms()
        assert judged(entry, 159) == Hit(entry)
        assert judged(entry, 160) == Revalidate(entry, MissReason.EXPIRED)

    def test_no_cache_of_either_side_is_asked_about(self) -> None:
        assert judged(on_terms(no_cache=True), 101).__class__ is Revalidate
        entry = on_terms()
        assert judged(entry, 101, b"no-cache") == Revalidate(entry, MissReason.NO_CACHE)

    def test_max_stale_accepts_so_much_and_does_not_refresh(self) -> None:
        entry = on_terms()
        assert judged(entry, 170, b"max-stale=10") == Stale(entry, refresh=False)
        assert judged(entry, 171, b"max-stale=10") == Revalidate(entry, MissReason.EXPIRED)
        assert judged(entry, 9_999, b"max-stale") == Stale(entry, refresh=False)
        assert judged(entry, 161, b"max-stale=x") == Revalidate(entry, MissReason.EXPIRED)

    def test_stale_while_revalidate_refreshes(self) -> None:
        entry = on_terms(stale_while_revalidate_s=10)
        assert judged(entry, 169) == Stale(entry)
        assert judged(entry, 170) == Revalidate(entry, MissReason.EXPIRED)

    def test_must_revalidate_forbids_both(self) -> None:
        entry = on_terms(stale_while_revalidate_s=10, must_revalidate=True)
        assert judged(entry, 161, b"max-stale") == Revalidate(entry, MissReason.EXPIRED)

    def test_a_request_may_want_a_younger_one(self) -> None:
        entry = on_terms(age_s=20)
        assert judged(entry, 110, b"max-age=30") == Hit(entry)
        assert judged(entry, 111, b"max-age=30") == Revalidate(entry, MissReason.TOO_OLD)
        assert judged(entry, 100, b"max-age=0") == Revalidate(entry, MissReason.TOO_OLD)
        assert judged(entry, 111, b"min-fresh=30") == Revalidate(entry, MissReason.TOO_OLD)


class TestGivenForAnError:
    """RFC 5861, 4."""

    def test_within_the_time_that_either_side_allows(self) -> None:
        entry = on_terms(stale_if_error_s=10)
        assert may_be_given_for_error(entry, NO_DEMANDS, 169)
        assert not may_be_given_for_error(entry, NO_DEMANDS, 170)
        assert may_be_given_for_error(entry, demands(b"stale-if-error=20"), 179)
        assert may_be_given_for_error(on_terms(), NO_DEMANDS, 200, disconnected_s=41)
        assert not may_be_given_for_error(on_terms(), NO_DEMANDS, 161)

    def test_never_against_must_revalidate_nor_against_the_request(self) -> None:
        assert not may_be_given_for_error(on_terms(stale_if_error_s=10, must_revalidate=True), NO_DEMANDS, 165)
        for control in (b"no-cache", b"max-age=5", b"min-fresh=5"):
            assert not may_be_given_for_error(on_terms(stale_if_error_s=10), demands(control), 165)
