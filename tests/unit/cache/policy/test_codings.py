from __future__ import annotations

import gzip

import pytest

from steinmetz.cache.policy.codings import (
    AVAILABLE,
    GZIP,
    IDENTITY,
    ZSTD,
    Coding,
    acceptable,
    encode,
    encoded_etag,
    is_compressible,
    without_codings,
)

BOTH = (ZSTD, GZIP)
Z, G, I = ZSTD, GZIP, IDENTITY  # noqa: E741


@pytest.mark.parametrize(
    ("field", "codings"),
    [
        # RFC 9110, 12.5.3: the examples, then the rules one by one.
        (b"compress, gzip", (G, I)),
        (b"", (I,)),
        (b"*", (Z, G, I)),
        (b"compress;q=0.5, gzip;q=1.0", (G, I)),
        (b"gzip;q=1.0, identity; q=0.5, *;q=0", (G, I)),
        (b"gzip, deflate, br, zstd", (Z, G, I)),
        (b"gzip, deflate, br", (G, I)),
        (b"zstd;q=0.5, gzip;q=0.8", (G, Z, I)),
        (b"gzip;q=0.5, identity", (I, G)),
        (b"identity;q=0", ()),
        (b"*;q=0", ()),
        (b"gzip, identity;q=0", (G,)),
        (b"gzip, *;q=0", (G,)),
        (b"*;q=0, identity", (I,)),
        (b"gzip;q=0, *", (Z, I)),
        (b"*;q=0.1, gzip;q=0", (Z, I)),
        (b"GZIP", (G, I)),
        (b"x-gzip", (G, I)),
        (b"gzip ; q=0.001", (G, I)),
        (b"gzip;Q=1", (G, I)),
        # What is no weight is no consent.
        (b"gzip;q=2", (I,)),
        (b"gzip;q=", (I,)),
        (b"gzip;q=0.0001", (I,)),
        (b"gzip;q=-1", (I,)),
        (b"gzip;level=9", (I,)),
        (b"gzip;q=0, gzip", (I,)),
        (b", ,gzip,,", (G, I)),
        (b"br", (I,)),
        (b"\xff, gzip", (G, I)),
    ],
)
def test_what_a_client_accepts_most_wanted_first(field: bytes, codings: tuple[Coding, ...]) -> None:
    assert acceptable(field, BOTH) == codings


def test_who_says_nothing_of_codings_gets_none() -> None:
    assert acceptable(None, BOTH) == (I,)


def test_where_there_is_no_zstd_gzip_is_given() -> None:
    assert acceptable(b"gzip, zstd", (GZIP,)) == (G, I)


@pytest.mark.parametrize("coding", AVAILABLE)
def test_what_is_encoded_is_the_same_each_time_and_smaller(coding: Coding) -> None:
    body = b'{"id": 7, "name": "M\xc3\xbcller"}, ' * 100
    assert encode(coding, body) == encode(coding, body)
    assert len(encode(coding, body)) < len(body) / 5


def test_gzip_can_be_read_again() -> None:
    assert gzip.decompress(encode(GZIP, b"abc" * 1_000)) == b"abc" * 1_000


JSON = (b"content-type", b"application/json")


@pytest.mark.parametrize(
    ("headers", "length", "is_it"),
    [
        ((JSON,), 2_000, True),
        ((JSON,), 1_023, False),
        (((b"content-type", b"text/html; charset=utf-8"),), 2_000, True),
        (((b"content-type", b"application/problem+json"),), 2_000, True),
        (((b"content-type", b"IMAGE/SVG+XML"),), 2_000, True),
        (((b"content-type", b"image/png"),), 2_000, False),
        (((b"content-type", b"application/pdf"),), 2_000, False),
        (((b"content-type", b"text/event-stream"),), 2_000, False),
        ((), 2_000, False),
        ((JSON, (b"content-encoding", b"br")), 2_000, False),
        ((JSON, (b"content-encoding", b"identity")), 2_000, True),
        ((JSON, (b"cache-control", b"max-age=5, No-Transform")), 2_000, False),
        ((JSON, (b"repr-digest", b"sha-256=:x:")), 2_000, False),
        ((JSON, (b"content-range", b"bytes 0-1/5")), 2_000, False),
    ],
)
def test_what_is_offered_encoded(headers: tuple[tuple[bytes, bytes], ...], length: int, is_it: bool) -> None:
    assert is_compressible(headers, length) is is_it


@pytest.mark.parametrize(
    ("etag", "encoded"),
    [(b'"abc"', b'"abc-gzip"'), (b'W/"abc"', b'W/"abc"'), (b'""', b'"-gzip"'), (b"abc", b"abc")],
)
def test_each_coding_has_a_strong_validator_of_its_own(etag: bytes, encoded: bytes) -> None:
    assert encoded_etag(etag, GZIP) == encoded
    assert encoded_etag(etag, IDENTITY) == etag


def test_the_application_is_given_its_own_validators_back() -> None:
    assert without_codings(b'"a-gzip", "b-zstd", "c", W/"d"') == b'"a", "b", "c", W/"d"'
