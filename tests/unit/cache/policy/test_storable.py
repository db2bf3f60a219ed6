from __future__ import annotations

import pytest

from steinmetz.cache.policy.route import CachePolicy
from steinmetz.cache.policy.storable import Answer, Refusal, Terms, storable
from steinmetz.sql.effects import ReadSet
from steinmetz.sql.facts import Relation

READS = ReadSet(frozenset({Relation("main", "invoices")}))


def judged(
    *headers: tuple[bytes, bytes],
    status: int = 200,
    reads: ReadSet = READS,
    wrote: bool = False,
    length: int | None = 2,
    ttl_s: float = 300,
) -> Terms | Refusal:
    return storable(Answer(status, headers, reads, wrote, length), CachePolicy(ttl_s=ttl_s))


def test_a_plain_answer_may_be_kept_for_the_time_of_its_route() -> None:
    assert judged((b"content-type", b"application/json")) == Terms(300, ())


@pytest.mark.parametrize("status", [201, 204, 206, 301, 304, 400, 401, 403, 404, 500, 503])
def test_only_200_is_kept(status: int) -> None:
    assert judged(status=status) is Refusal.STATUS


@pytest.mark.parametrize(
    ("header", "refusal"),
    [
        ((b"Set-Cookie", b"a=b"), Refusal.SET_COOKIE),
        ((b"cache-control", b"no-store"), Refusal.NO_STORE),
        ((b"Cache-Control", b"PRIVATE, max-age=60"), Refusal.PRIVATE),
        ((b"cache-control", b'private="x"'), Refusal.PRIVATE),
        ((b"cache-control", b"no-cache"), Refusal.NO_CACHE),
        ((b"cache-control", b"max-age=0"), Refusal.NO_LIFE),
        ((b"cache-control", b"s-maxage=0, max-age=60"), Refusal.NO_LIFE),
        ((b"vary", b"*"), Refusal.VARY_ANY),
        ((b"content-length", b"9"), Refusal.PARTIAL),
    ],
)
def test_what_the_response_forbids(header: tuple[bytes, bytes], refusal: Refusal) -> None:
    assert judged(header) is refusal


def test_one_set_cookie_among_many_lines_is_seen() -> None:
    assert judged((b"a", b"b"), (b"SET-COOKIE", b"x=y")) is Refusal.SET_COOKIE


def test_a_request_that_wrote_is_not_kept() -> None:
    assert judged(wrote=True) is Refusal.WROTE


def test_an_uncertain_read_set_is_not_kept() -> None:
    assert judged(reads=ReadSet(unknown=frozenset({"a procedure"}))) is Refusal.UNCERTAIN


def test_a_body_above_the_limit_is_not_kept() -> None:
    assert judged(length=None) is Refusal.TOO_LARGE


def test_the_response_may_shorten_its_life_but_not_lengthen_it() -> None:
    assert judged((b"cache-control", b"max-age=10")) == Terms(10, ())
    assert judged((b"cache-control", b"max-age=9000")) == Terms(300, ())
    assert judged((b"cache-control", b"max-age=10, s-maxage=20")) == Terms(20, ())


def test_vary_is_kept_with_it() -> None:
    assert judged((b"vary", b"Origin, Accept")) == Terms(300, (b"accept", b"origin"))


def test_a_status_is_kept_for_as_long_as_the_route_says() -> None:
    policy = CachePolicy(ttl_s=300, statuses={404: 5, 410: 60})
    assert storable(Answer(404, (), READS, False, 2), policy) == Terms(5)
    assert storable(Answer(410, ((b"cache-control", b"max-age=30"),), READS, False, 2), policy) == Terms(30)
    assert storable(Answer(500, (), READS, False, 2), policy) is Refusal.STATUS
    assert storable(Answer(404, (), READS, True, 2), policy) is Refusal.WROTE


def test_the_terms_of_the_route_go_along() -> None:
    policy = CachePolicy(ttl_s=300, stale_if_error_s=60, early=1.5)
    assert storable(Answer(200, (), READS, False, 2), policy) == Terms(300, stale_if_error_s=60, early=1.5)
    must = storable(Answer(200, ((b"cache-control", b"must-revalidate"),), READS, False, 2), policy)
    assert isinstance(must, Terms)
    assert must.must_revalidate
