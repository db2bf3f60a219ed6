"""Conditions of a request, asked of a stored answer (RFC 9110, 13)."""

from __future__ import annotations

import pytest

from steinmetz.cache.policy.conditional import is_not_modified, is_strong_date, may_be_cut
from steinmetz.cache.policy.http_date import http_date

NOW_S = 1_767_225_600.0
OLD, DATE = http_date(NOW_S - 1_000), http_date(NOW_S)
HEADERS = [(b"last-modified", OLD), (b"date", DATE)]


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({}, False),
        ({b"if-none-match": b'"1"'}, True),
        ({b"if-none-match": b'W/"1"'}, True),
        ({b"if-none-match": b'"0", "1"'}, True),
        ({b"if-none-match": b" * "}, True),
        ({b"if-none-match": b'"2"'}, False),
        ({b"if-none-match": b'"2"', b"if-modified-since": DATE}, False),
        ({b"if-modified-since": OLD}, True),
        ({b"if-modified-since": http_date(NOW_S - 1_001)}, False),
        ({b"if-modified-since": b"lately"}, False),
    ],
)
def test_the_client_has_it_already(fields: dict[bytes, bytes], verdict: bool) -> None:
    assert is_not_modified(fields, HEADERS, b'"1"', NOW_S) is verdict


def test_an_answer_without_a_tag_matches_none() -> None:
    assert not is_not_modified({b"if-none-match": b'""'}, HEADERS, b"", NOW_S)


def test_without_last_modified_its_date_is_compared() -> None:
    assert is_not_modified({b"if-modified-since": DATE}, [(b"date", DATE)], b"", NOW_S)
    assert not is_not_modified({b"if-modified-since": OLD}, [(b"date", DATE)], b"", NOW_S)
    assert not is_not_modified({b"if-modified-since": DATE}, [], b"", NOW_S)


@pytest.mark.parametrize(
    ("if_range", "etag", "verdict"),
    [
        (None, b'"1"', True),
        (b'"1"', b'"1"', True),
        (b'"2"', b'"1"', False),
        (b'W/"1"', b'W/"1"', False),
        (b'"1"', b'W/"1"', False),
        (OLD, b'"1"', True),
        (DATE, b'"1"', False),
        (b"lately", b'"1"', False),
    ],
)
def test_a_range_may_be_cut(if_range: bytes | None, etag: bytes, verdict: bool) -> None:
    fields = {} if if_range is None else {b"if-range": if_range}
    assert may_be_cut(fields, HEADERS, etag, NOW_S) is verdict


def test_a_date_is_strong_a_minute_after_the_change() -> None:
    for seconds, verdict in ((59, False), (60, True)):
        headers = [(b"last-modified", http_date(NOW_S - seconds)), (b"date", DATE)]
        assert is_strong_date(headers, NOW_S) is verdict
    assert not is_strong_date([(b"last-modified", OLD)], NOW_S)


def test_if_range_with_the_date_of_a_young_change_gives_the_whole() -> None:
    young = http_date(NOW_S - 5)
    headers = [(b"last-modified", young), (b"date", DATE)]
    assert not may_be_cut({b"if-range": young}, headers, b"", NOW_S)
