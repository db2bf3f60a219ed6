from __future__ import annotations

from steinmetz.cache.policy.codings import GZIP, IDENTITY, ZSTD
from steinmetz.cache.policy.entry import Encoded, Entry, body_etag
from steinmetz.cache.policy.headers import value_of
from steinmetz.cache.policy.terms import Terms
from steinmetz.sql.effects import ReadSet

TERMS = Terms(1)


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


class TestCodings:
    def compressible(self, *headers: tuple[bytes, bytes], terms: Terms = TERMS) -> Entry:
        return Entry(
            key=b"k",
            path="/a",
            route="/a",
            headers=((b"content-type", b"text/plain"), *headers),
            body=b"x" * 2_000,
            read_set=ReadSet(),
            sequence=0,
            stored_at_s=0,
            terms=terms,
            compress=True,
        )

    def test_what_is_made_of_its_own_header_again_is_the_same(self) -> None:
        one = self.compressible((b"vary", b"Accept-Language"))
        again = self.compressible(*one.headers[1:])
        assert value_of(one.headers, b"vary") == b"Accept-Language, Accept-Encoding"
        assert (sorted(again.headers), again.etag) == (sorted(one.headers), one.etag)
        assert again.is_compressible

    def test_an_application_that_chooses_itself_is_left_to_it(self) -> None:
        own = self.compressible((b"vary", b"Accept-Encoding"), terms=Terms(1, (b"accept-encoding",)))
        assert not own.is_compressible

    def test_a_form_goes_with_its_own_header(self) -> None:
        entry = self.compressible((b"accept-ranges", b"bytes"), (b"x-own", b"1"))
        before = entry.weight
        form = Encoded(entry, GZIP, b"short")
        entry.add(form)
        assert entry.in_coding(GZIP) is form
        assert entry.in_coding(ZSTD) is entry.in_coding(IDENTITY) is entry
        assert dict(form.headers)[b"content-length"] == b"5"
        assert dict(form.headers)[b"etag"] == form.etag == entry.etag[:-1] + b'-gzip"'
        assert dict(form.headers)[b"content-encoding"] == b"gzip"
        assert dict(form.headers)[b"x-own"] == b"1"
        assert b"accept-ranges" not in dict(form.headers)
        assert entry.weight == before + form.weight


def test_it_weighs_at_least_its_bytes() -> None:
    assert an_entry(body=b"x" * 10_000).weight - an_entry(body=b"").weight >= 10_000
