"""Whether a shared cache may store an answer, and on what terms (RFC 9111, 3)."""

from __future__ import annotations

from typing import Any

import pytest

from steinmetz.cache.policy.http_date import http_date
from steinmetz.cache.policy.shared import Received, storable_as_shared
from steinmetz.cache.policy.storable import Refusal
from steinmetz.cache.policy.terms import Terms

NOW_S = 1_767_225_600.0
LONG_AGO = (b"last-modified", http_date(NOW_S - 1_000))


def judged(control: bytes = b"", *lines: tuple[bytes, bytes], status: int = 200, **more: Any) -> Terms | Refusal:
    headers = [(b"date", http_date(NOW_S)), *lines]
    if control:
        headers.append((b"cache-control", control))
    return storable_as_shared(Received(status, headers, NOW_S, **more))


def terms(*args: Any, **more: Any) -> Terms:
    found = judged(*args, **more)
    assert isinstance(found, Terms)
    return found


@pytest.mark.parametrize(
    ("control", "status", "refusal"),
    [
        (b"", 200, Refusal.NO_LIFE),
        (b"max-age=0", 200, Refusal.NO_LIFE),
        (b"no-cache", 200, Refusal.NO_LIFE),
        (b"max-age=60, no-store", 200, Refusal.NO_STORE),
        (b"max-age=60, private", 200, Refusal.PRIVATE),
        (b"max-age=60", 304, Refusal.STATUS),
        (b"max-age=60", 199, Refusal.STATUS),
        (b"max-age=60, must-understand", 599, Refusal.STATUS),
        (b"public", 201, Refusal.NO_LIFE),
    ],
)
def test_it_is_refused_with_its_reason(control: bytes, status: int, refusal: Refusal) -> None:
    assert judged(control, status=status) is refusal


def test_a_cookie_and_a_star_in_vary_are_refused() -> None:
    assert judged(b"max-age=60, public", (b"Set-Cookie", b"a=b")) is Refusal.SET_COOKIE
    assert judged(b"max-age=60", (b"vary", b"foo, *")) is Refusal.VARY_ANY


@pytest.mark.parametrize("control", [b"max-age=60, public", b"s-maxage=60", b"max-age=60, must-revalidate"])
def test_an_authorized_answer_is_shared_only_if_it_says_so(control: bytes) -> None:
    assert isinstance(judged(control, authorized=True), Terms)
    assert judged(b"max-age=60", authorized=True) is Refusal.AUTHORIZATION


def test_what_is_stale_at_once_is_kept_if_it_can_be_validated_or_given_stale() -> None:
    assert terms(b"no-cache", (b"etag", b'"1"')).no_cache
    assert terms(b"max-age=0", (b"etag", b'"1"')).ttl_s == 0
    assert terms(b"max-age=0, stale-while-revalidate=5").stale_while_revalidate_s == 5
    assert terms(b"", (b"etag", b'"1"')).ttl_s == 0
    assert judged(b"", (b"etag", b'"1"'), status=403) is Refusal.NO_LIFE


def test_a_lifetime_is_guessed_only_for_what_nobody_in_particular_asked() -> None:
    assert terms(b"", LONG_AGO).ttl_s == 100
    assert terms(b"", LONG_AGO, personal=True).ttl_s == 0
    assert judged(b"", LONG_AGO, guessable=False) is Refusal.NO_LIFE
    assert terms(b"max-age=60", personal=True).ttl_s == 60


def test_the_delay_of_the_question_counts_as_age() -> None:
    assert terms(b"max-age=60", (b"age", b"10"), delay_s=2.5).age_s == 12.5


@pytest.mark.parametrize("control", [b"must-revalidate", b"proxy-revalidate", b"s-maxage=60", b"no-cache"])
def test_what_forbids_to_give_it_stale(control: bytes) -> None:
    assert terms(b"max-age=60, stale-if-error=60, " + control).must_revalidate
    assert not terms(b"max-age=60, stale-if-error=60").must_revalidate


def test_fields_of_no_cache_and_private_are_withheld_and_the_rest_is_free() -> None:
    found = terms(b'max-age=60, no-cache="A, b", private="c"')
    assert found.withheld == {b"a", b"b", b"c"}
    assert not found.no_cache
    assert not found.must_revalidate
