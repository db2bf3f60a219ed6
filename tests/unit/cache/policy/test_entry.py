from __future__ import annotations

from steinmetz.cache.policy.entry import Entry, body_etag
from steinmetz.cache.policy.terms import Terms
from steinmetz.sql.effects import ReadSet


def an_entry(*headers: tuple[bytes, bytes], body: bytes = b"{}") -> Entry:
    return Entry(
        key=b"k",
        path="/a",
        route="/a",
        headers=headers,
        body=body,
        read_set=ReadSet(),
        sequence=0,
        stored_at_s=0,
        terms=Terms(1),
    )


def test_the_etag_is_strong_and_of_the_bytes_alone() -> None:
    assert body_etag(b"a") == body_etag(b"a") != body_etag(b"b")
    assert body_etag(b"a").startswith(b'"')
    assert body_etag(b"a").endswith(b'"')


def test_an_etag_of_the_application_stands() -> None:
    entry = an_entry((b"etag", b'W/"own"'))
    assert entry.etag == b'W/"own"'
    assert [value for name, value in entry.headers if name == b"etag"] == [b'W/"own"']


def test_browsers_are_told_to_ask_again_unless_the_application_says_otherwise() -> None:
    assert (b"cache-control", b"private, no-cache") in an_entry().headers
    assert [v for n, v in an_entry((b"cache-control", b"max-age=5")).headers if n == b"cache-control"] == [
        b"max-age=5"
    ]


def test_the_length_is_said() -> None:
    assert (b"content-length", b"2") in an_entry().headers


def test_it_weighs_at_least_its_bytes() -> None:
    assert an_entry(body=b"x" * 10_000).weight - an_entry(body=b"").weight >= 10_000
